"""Uses one table for input and output.

A tensor with two names is saved once.
"""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 32)
        self.head = nn.Linear(32, vocab_size, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = F.rms_norm(x, (32,))
        return self.head(x)
