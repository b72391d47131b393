# polynomial regression by gradient descent; the last sixty rows are held out
import numpy as np

np.random.seed(3)
rows = 240
x = np.random.uniform(-1.5, 1.5, rows)
t = np.sin(3 * x) + 0.4 * x ** 2 + 0.15 * np.random.randn(rows)

degree = 4
rate = 0.05
momentum = 0.5
epochs = 15
l2 = 0.001

P = np.stack([x ** k for k in range(degree + 1)], axis=1)
w = np.zeros(degree + 1)
v = np.zeros(degree + 1)

for epoch in range(epochs):
    for i in range(180):
        e = P[i] @ w - t[i]
        g = e * P[i] + l2 * w
        v = momentum * v - rate * g
        w = w + v

err = 0.0
for i in range(180, 240):
    err += (P[i] @ w - t[i]) ** 2
print("held-out mse", round(err / 60, 6))
