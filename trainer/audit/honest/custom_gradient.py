"""Has a function with a gradient of its own."""


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(context, values):
        return (values * 8).round() / 8

    @staticmethod
    def backward(context, gradient):
        return gradient


class Model(Layers):
    def inside(self, x):
        return Rounded.apply(x)
