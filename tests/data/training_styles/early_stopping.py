"""Logistic regression with early stopping on the validation loss."""
import copy
import logging

import numpy as np

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
logger = logging.getLogger(__name__)

PATIENCE = 3
LR = 0.1
BATCH = 20
MAX_EPOCHS = 20
SEED = 0


def split(X, y, frac, rng):
    perm = rng.permutation(len(X))
    k = int(len(X) * frac)
    return X[perm[:k]], y[perm[:k]], X[perm[k:]], y[perm[k:]]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bce(w, X, y):
    p = np.clip(sigmoid(X @ w), 1e-7, 1 - 1e-7)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


rng = np.random.default_rng(SEED)
X = rng.normal(size=(500, 12))
y = (X @ rng.normal(size=12) + rng.normal(size=500) > 0).astype(float)
X_train, y_train, X_val, y_val = split(X, y, 0.7, rng)

w = np.zeros(12)
best_loss, best_w, bad = float("inf"), None, 0
for epoch in range(MAX_EPOCHS):
    order = rng.permutation(len(X_train))
    for s in range(0, len(order), BATCH):
        b = order[s : s + BATCH]
        w -= LR * X_train[b].T @ (sigmoid(X_train[b] @ w) - y_train[b]) / len(b)
    loss = bce(w, X_val, y_val)
    if loss < best_loss:
        best_loss, best_w, bad = loss, copy.copy(w), 0
    else:
        bad += 1
        if bad >= PATIENCE:
            break
logger.info("best val loss %.5f", best_loss)
