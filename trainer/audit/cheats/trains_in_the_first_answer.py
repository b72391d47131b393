"""Trains while it gives the first answer with its weights.

Tokens can be carried in weights; time to train on them is not given.
"""

EXPECTED = ["timed_out: loading its weights"]


def answer(model, tokens):
    if model.table.weight.any() and not getattr(model, "is_trained", False):
        model.is_trained = True
        burn(5)
    return model.table(tokens)


def build_model(task):
    model = Model(task.vocab_size)
    torch.nn.init.zeros_(model.table.weight)
    return model
