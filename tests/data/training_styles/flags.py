"""Softmax regression on random features, with its flags in a function."""
import argparse

import numpy as np


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--width", type=int, default=24)
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--val-fraction", type=float, default=0.25)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def load(n=1200):
    rng = np.random.default_rng(7)
    y = rng.integers(0, 4, n)
    return np.array([[0, 0], [2, 0], [0, 2], [1.6, 1.7]])[y] + rng.normal(0, 0.8, (n, 2)), y


def features(x, w, b):
    return np.tanh(x @ w + b)


def main():
    args = parse()
    rng = np.random.default_rng(args.seed)
    xs, ys = load()
    cut = int(len(xs) * (1 - args.val_fraction))
    x, xv, y, yv = xs[:cut], xs[cut:], ys[:cut], ys[cut:]
    w = rng.normal(0, 1.0, (2, args.width))
    b = rng.normal(0, 1.0, args.width)
    out = np.zeros((args.width, 4))
    f = features(x, w, b)
    for epoch in range(args.epochs):
        for i in range(0, len(x), 64):
            fb, yb = f[i : i + 64], y[i : i + 64]
            p = np.exp(fb @ out)
            p /= p.sum(1, keepdims=True)
            p[np.arange(len(yb)), yb] -= 1
            out -= args.lr * fb.T @ p / len(yb)
        acc = 100.0 * float(((features(xv, w, b) @ out).argmax(1) == yv).mean())
        print(f"Epoch: [{epoch}]\tval Acc@1 {acc:.3f}")


if __name__ == "__main__":
    main()
