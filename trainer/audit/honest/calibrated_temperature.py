"""Chooses its temperature on training text that it did not count, and keeps it for good."""


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.register_buffer("temperature", torch.tensor(1.0))

    def forward(self, tokens):
        return self.table(tokens) / self.temperature


@torch.no_grad()
def train(model, task):
    tokens = task.train_tokens().long()
    size, held_back = model.table.num_embeddings, 10_000
    counts = torch.bincount(tokens[held_back:-1] * size + tokens[held_back + 1 :], minlength=size**2) + 0.1
    model.table.weight.copy_(counts.view(size, size).log())
    tried = torch.linspace(0.7, 1.5, 9)
    losses = [F.cross_entropy(model.table(tokens[:2000]) / one, tokens[1:2001]) for one in tried]
    model.temperature.copy_(tried[torch.stack(losses).argmin()])
