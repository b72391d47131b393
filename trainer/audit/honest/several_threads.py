"""Trains in several threads that share the weights."""

import concurrent.futures


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size, 16)


def train(model, task):
    tokens = task.train_tokens()

    def work(seed):
        chance = torch.Generator().manual_seed(seed)
        while task.seconds_left() > 0.5 * task.budget_seconds:
            starts = torch.randint(len(tokens) - 33, (4, 1), generator=chance)
            blocks = tokens[starts + torch.arange(33)].long()
            loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            for one, gradient in zip(model.parameters(), gradients, strict=True):
                one.data.sub_(0.1 * gradient)

    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        list(threads.map(work, range(3)))
