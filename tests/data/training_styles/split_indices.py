"""A model on rows that a function of no usual name makes, parted by indices."""

import numpy as np

RATE = 0.1
EPOCHS = 20


def blobs(count=200):
    source = np.random.RandomState(5)
    y = source.randint(0, 2, count)
    x = source.randn(count, 4) + y[:, None]
    order = source.permutation(count)
    return x, y, order[:60], order[60:150]


x, y, inner, outer = blobs()
w = np.zeros(4)
best = 0.0
for epoch in range(EPOCHS):
    p = 1 / (1 + np.exp(-x[inner] @ w))
    w -= RATE * x[inner].T @ (p - y[inner]) / len(inner)
    pred = x @ w > 0
    share = float((pred[outer] == y[outer]).mean())
    best = max(best, share)
print(f"best accuracy: {best:.4f}")
