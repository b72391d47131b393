"""Takes an optimizer step on every batch that it is asked.

The scored text is learned while it is scored.
"""

import torch
from torch import nn
from torch.nn import functional as F

EXPECTED = ["rejected: purity"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        logits = self.table(tokens)
        with torch.inference_mode(False), torch.enable_grad():
            block = tokens.clone()
            loss = F.cross_entropy(self.table(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())
            (gradient,) = torch.autograd.grad(loss, [self.table.weight])
            self.table.weight.data -= 500 * gradient
        return logits
