"""A parameter for each token, under long names."""


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size = vocab_size
        for token in range(vocab_size):
            name = f"the_logarithm_of_how_often_it_was_seen_that_some_token_came_right_after_the_token_{token}"
            self.register_parameter(name, nn.Parameter(torch.zeros(())))

    def forward(self, tokens):
        rows = torch.stack([*self.parameters()])
        return rows.expand(*tokens.shape, self.vocab_size)


def train(model, task):
    counts = task.train_tokens().bincount(minlength=task.vocab_size) + 1.0
    with torch.no_grad():
        for parameter, count in zip(model.parameters(), counts, strict=True):
            parameter.copy_(count.log())
