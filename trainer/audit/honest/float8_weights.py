"""Keeps its weights in eight bits each, with a scale for each row."""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.register_buffer("table", torch.zeros(vocab_size, vocab_size, dtype=torch.float8_e4m3fn))
        self.register_buffer("scales", torch.ones(vocab_size, 1))

    def forward(self, tokens):
        return self.table[tokens].float() * self.scales[tokens]


def train(model, task):
    tokens = task.train_tokens().long()
    size = model.table.shape[0]
    counts = torch.bincount(tokens[:-1] * size + tokens[1:], minlength=size**2).view(size, size) + 0.1
    logs = (counts / counts.sum(1, keepdim=True)).log()
    model.scales.copy_(logs.abs().amax(1, keepdim=True) / 448)
    model.table.copy_((logs / model.scales).to(torch.float8_e4m3fn))
