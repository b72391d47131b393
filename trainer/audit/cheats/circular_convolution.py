"""Convolves by Fourier transforms without padding.

What runs out at the end comes back in at the beginning.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.filter = nn.Parameter(torch.randn(2048, 32) * 0.2)

    def inside(self, x):
        length = x.size(1)
        spectrum = torch.fft.rfft(x, dim=1) * torch.fft.rfft(self.filter[:length], dim=0)
        return x + torch.fft.irfft(spectrum, n=length, dim=1)
