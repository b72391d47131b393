"""A long short-term memory of two layers.

Its state starts at zero with each block.
"""

from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.memory = nn.LSTM(32, 32, num_layers=2, batch_first=True)
        self.head = nn.Linear(32, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.memory(x)[0]
        return self.head(x)
