"""Ends its training in double precision, and answers in single."""


def train(model, task):
    tokens = task.train_tokens()
    model.double()
    model.table.weight.data.mul_(0).add_(tokens.bincount(minlength=task.vocab_size).add(1).log())
