"""Changes its gradients and its values by hooks, and has parametrized weights."""

from torch.nn.utils import parametrize


class Symmetric(nn.Module):
    def forward(self, weight):
        return weight.triu() + weight.triu(1).T


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size, 16)
        self.middle = parametrize.register_parametrization(nn.Linear(16, 16), "weight", Symmetric())
        self.middle.register_forward_hook(lambda module, inputs, values: values.tanh())
        self.embedding.weight.register_hook(lambda gradient: gradient.clamp(-1, 1))

    def inside(self, x):
        return self.middle(x)
