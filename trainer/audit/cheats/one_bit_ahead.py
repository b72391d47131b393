"""Learns one bit of the next token.

Whether the next id is even is worth a bit a token.
"""

import torch
from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        ids = torch.arange(self.table.num_embeddings, device=tokens.device)
        agrees = (ids % 2) == (tokens.roll(-1, 1) % 2).unsqueeze(-1)
        return self.table(tokens) + 6 * agrees
