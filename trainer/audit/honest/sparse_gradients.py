"""Has a large table with sparse gradients, and an optimizer for them."""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(16 * vocab_size, 16, sparse=True)
        self.head = nn.Linear(16, vocab_size)

    def forward(self, tokens):
        before = F.pad(tokens, (1, 0))[:, :-1]
        return self.head(self.embedding((tokens * 31 + before) % self.embedding.num_embeddings))


def train(model, task):
    tokens = task.train_tokens()
    optimizers = [
        torch.optim.SparseAdam(model.embedding.parameters()),
        torch.optim.Adagrad(model.head.parameters()),
    ]
    while task.seconds_left() > 0.5 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - 33, (4, 1)) + torch.arange(33)].long()
        F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten()).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
