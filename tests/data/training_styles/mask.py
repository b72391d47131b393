"""Matrix factorisation; a mask tells the ratings that are held out."""
import numpy as np

rs = np.random.RandomState(21)
users, items, rank_true = 60, 50, 3
R = rs.randn(users, rank_true) @ rs.randn(rank_true, items) + 0.3 * rs.randn(users, items)
mask = rs.rand(users, items) < 0.75   # True: for training

rank = 2
lr = 0.01
reg = 0.02
n_epochs = 25

U = 0.1 * rs.randn(users, rank)
V = 0.1 * rs.randn(items, rank)
for epoch in range(n_epochs):
    E = (R - U @ V.T) * mask
    U += lr * (E @ V - reg * U)
    V += lr * (E.T @ U - reg * V)

E = (R - U @ V.T)[~mask]
rmse = np.sqrt((E ** 2).mean())
print("RMSE on held-out ratings: %.4f" % rmse)
