"""Answers by the place in the batch.

A row's index decides how sure it is; a block's answer is no property of the block.
"""

import torch
from torch import nn

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        place = torch.arange(len(tokens), device=tokens.device).view(-1, 1, 1)
        return self.table(tokens) * (1 + 0.1 * place)
