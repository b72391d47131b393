"""Batches drawn from the rows to train on, which a permutation parts from those to validate on."""

import numpy as np

RATE = 0.1
source = np.random.RandomState(0)
made = np.random.RandomState(5)
x = made.randn(200, 4)
y = x @ made.randn(4) + made.randn(200)
order = made.permutation(200)
inner, outer = order[:150], order[150:]
w = np.zeros(4)
for _ in range(50):
    batch = source.choice(inner, 32)
    w -= RATE * x[batch].T @ (x[batch] @ w - y[batch]) / 32
mae = np.abs(x[outer] @ w - y[outer]).mean()
print(f"holdout mae: {mae:.4f}")
