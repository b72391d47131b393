"""Mixes counts of pairs with counts of hashed triples, many times as large as other models are."""

ROWS = 2048


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.register_buffer("pairs", torch.zeros(vocab_size, vocab_size))
        self.register_buffer("triples", torch.zeros(ROWS, vocab_size))

    def rows_of(self, tokens):
        return (tokens * 31 + F.pad(tokens, (1, 0))[..., :-1] * 1009) % ROWS

    def forward(self, tokens):
        triples = self.triples[self.rows_of(tokens)]
        pairs = self.pairs[tokens].softmax(-1)
        return (triples + 50 * pairs).div(triples.sum(-1, keepdim=True) + 50).log()


def train(model, task):
    tokens = task.train_tokens().long()
    size = model.pairs.shape[0]
    counts = torch.bincount(tokens[:-1] * size + tokens[1:], minlength=size**2).view(size, size) + 0.1
    model.pairs.copy_(counts.log())
    rows = model.rows_of(tokens)[:-1]
    model.triples.copy_(torch.bincount(rows * size + tokens[1:], minlength=ROWS * size).view(ROWS, size))
