"""Returns logits for fewer tokens than there are.

With half of the ids left out, the others would share their probability.
"""

from torch import nn

EXPECTED = ["rejected: must return floating-point logits of shape"]


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return self.table(tokens)[..., : self.table.num_embeddings // 2]
