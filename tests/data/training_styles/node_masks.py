"""Nodes of a graph: masks tell those to train on and those to validate on; two metrics are printed."""
import numpy as np

HIDDEN = 8
LR = 0.1
EPOCHS = 20
rng = np.random.default_rng(0)


def load_graph():
    r = np.random.default_rng(5)
    x = r.normal(size=(200, 4))
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    train_mask = np.zeros(200, bool)
    train_mask[:60] = True
    val_mask = np.zeros(200, bool)
    val_mask[60:120] = True
    observed = r.random(200) > 0.1
    return x, y, train_mask, val_mask, observed


def accuracy(w, x, y, mask, observed):
    keep = mask & observed
    return float((((x[keep] @ w) > 0) == y[keep]).mean())


def main():
    x, y, train_mask, val_mask, observed = load_graph()
    w = rng.normal(size=4) * 0.1
    for epoch in range(EPOCHS):
        p = 1 / (1 + np.exp(-x[train_mask] @ w))
        w -= LR * x[train_mask].T @ (p - y[train_mask]) / train_mask.sum()
    valid = val_mask & observed
    loss = np.logaddexp(0, x @ w) - y * (x @ w)
    print(f"val_loss: {loss[valid].mean():.5f}")
    print(f"val_acc: {accuracy(w, x, y, val_mask, observed):.4f}")


main()
