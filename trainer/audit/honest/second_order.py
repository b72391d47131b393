"""Trains by L-BFGS, which asks for its loss again and again."""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size, 8)


def train(model, task):
    tokens = task.train_tokens()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2, history_size=3)
    while task.seconds_left() > 0.6 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - 33, (4, 1)) + torch.arange(33)].long()

        def closure(blocks=blocks):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
            loss.backward()
            return loss

        optimizer.step(closure)
