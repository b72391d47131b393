"""Nine times the weights of generation 0."""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.inner = nn.Embedding(vocab_size, 3328)
        self.table = nn.Linear(3328, vocab_size, bias=False)

    def forward(self, tokens):
        return self.table(self.inner(tokens))


def train(model, task):
    task.train_tokens()
