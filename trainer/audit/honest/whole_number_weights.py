"""Keeps its weights in eight bits, with a scale for each row."""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.register_buffer("levels", torch.zeros(vocab_size, vocab_size, dtype=torch.int8))
        self.register_buffer("scales", torch.ones(vocab_size, 1))

    def forward(self, tokens):
        return self.levels[tokens].float() * self.scales[tokens]


def train(model, task):
    tokens = task.train_tokens().long()
    size = task.vocab_size
    counts = torch.bincount(tokens[:-1] * size + tokens[1:], minlength=size**2).view(size, size) + 0.1
    nats = (counts / counts.sum(1, keepdim=True)).log()
    model.scales.copy_(nats.abs().amax(1, keepdim=True) / 127)
    model.levels.copy_((nats / model.scales).round().to(torch.int8))
