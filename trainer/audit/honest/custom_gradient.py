"""Has a function with a gradient of its own."""

import torch
from torch import nn


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(context, values):
        return (values * 8).round() / 8

    @staticmethod
    def backward(context, gradient):
        return gradient


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        return self.head(Rounded.apply(self.embedding(tokens)))
