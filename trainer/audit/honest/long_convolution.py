"""A convolution as long as the block, by Fourier transforms.

Padded to twice the length; later tokens touch earlier answers by rounding alone.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.filter = nn.Parameter(torch.randn(2048, 32) * 0.05)

    def inside(self, x):
        length = x.size(1)
        spectrum = torch.fft.rfft(x, n=2 * length, dim=1) * torch.fft.rfft(self.filter[:length], n=2 * length, dim=0)
        return x + torch.fft.irfft(spectrum, n=2 * length, dim=1)[:, :length]
