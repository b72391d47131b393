"""The frequencies of tokens, sharpened.

Two parameters and a buffer.
"""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
        self.register_buffer("log_counts", torch.zeros(vocab_size))

    def forward(self, tokens):
        return (self.scale * self.log_counts + self.shift).expand(*tokens.shape, -1)


def train(model, task):
    counts = torch.bincount(task.train_tokens().long(), minlength=task.vocab_size)
    model.log_counts.copy_((counts + 0.1).log())
