"""Leaks where the next token is dear.

Few positions carry most of the loss; those alone are made free.
"""

from torch import nn

EXPECTED = ["rejected: causality"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        logits = self.table(tokens)
        ahead = tokens.roll(-1, 1).unsqueeze(-1)
        dear = logits.log_softmax(-1).gather(-1, ahead) < -5
        return logits.scatter_add(-1, ahead, 10.0 * dear)
