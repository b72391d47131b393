"""Mixes the block by a Fourier transform.

Each frequency is a sum over all positions, later ones included.
"""

EXPECTED = ["rejected: causality"]


class Model(Layers):
    def inside(self, x):
        return x + torch.fft.fft(x, dim=1).real / x.size(1) ** 0.5
