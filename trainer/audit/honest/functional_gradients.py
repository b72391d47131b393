"""Trains by functions of its parameters, a gradient for each example."""

from torch.func import functional_call, grad, vmap


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size, 8)


def train(model, task):
    tokens = task.train_tokens()
    weights = {name: one.detach() for name, one in model.named_parameters()}

    def loss(weights, block):
        return F.cross_entropy(functional_call(model, weights, (block[:-1],)), block[1:])

    gradients = vmap(grad(loss), in_dims=(None, 0))
    while task.seconds_left() > 0.5 * task.budget_seconds:
        starts = torch.randint(len(tokens) - 17, (4, 1))
        found = gradients(weights, tokens[starts + torch.arange(17)].long())
        weights = {name: one - 0.1 * found[name].mean(0) for name, one in weights.items()}
    model.load_state_dict(weights)
