"""Fits noisy samples of a curve with random Fourier features and prints the error on fresh samples."""

import argparse

import numpy as np

FEATURES = 8
FREQUENCY = 1.0
RIDGE = 1e-1


def features(x, random):
    """Return random Fourier features, shape (samples, FEATURES)."""
    frequencies = random.normal(scale=FREQUENCY, size=FEATURES)
    phases = random.uniform(0, 2 * np.pi, size=FEATURES)
    return np.cos(x[:, None] * frequencies + phases)


def main(seed):
    """Fit, and print the mean squared error on fresh samples."""
    data = np.random.default_rng(0)  # the data are the same for every seed
    x, fresh = data.uniform(-3, 3, 200), np.linspace(-3, 3, 400)
    y = np.sin(3 * x) * np.exp(-0.2 * x**2) + data.normal(scale=0.1, size=x.size)
    model = np.random.default_rng(seed)
    both = features(np.concatenate([x, fresh]), model)
    known, unknown = both[: x.size], both[x.size :]
    weights = np.linalg.solve(known.T @ known + RIDGE * np.eye(FEATURES), known.T @ y)
    error = unknown @ weights - np.sin(3 * fresh) * np.exp(-0.2 * fresh**2)
    print(f"loss: {np.mean(error**2):.6f}")


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
main(parser.parse_args().seed)
