"""Functional style: parameters in, parameters out."""
from functools import partial

import numpy as np

config = dict(steps=150, lr=0.05, hidden=10, decay=0.0, batch=32, seed=5)


def make_data(rng, n):
    x = rng.uniform(-2, 2, size=(n, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)
    return x, y


def init_params(rng, hidden):
    return {"w1": rng.normal(size=(2, hidden)), "b1": np.zeros(hidden), "w2": rng.normal(size=hidden) * 0.5, "b2": 0.0}


def apply(params, x):
    h = np.tanh(x @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"], h


def loss_fn(params, batch):
    x, y = batch
    logits, _ = apply(params, x)
    return np.mean(np.logaddexp(0, logits) - y * logits)


def grad_fn(params, batch):
    x, y = batch
    logits, h = apply(params, x)
    d = (1 / (1 + np.exp(-logits)) - y) / len(x)
    dh = np.outer(d, params["w2"]) * (1 - h**2)
    return {"w1": x.T @ dh, "b1": dh.sum(0), "w2": h.T @ d, "b2": d.sum()}


def sgd(params, grads, lr, decay):
    return {k: params[k] - lr * (grads[k] + decay * params[k]) for k in params}


def train(cfg):
    rng = np.random.default_rng(cfg["seed"])
    train_set = make_data(rng, 400)
    test_rng = np.random.default_rng(99)
    holdout = make_data(test_rng, 300)
    params = init_params(rng, cfg["hidden"])
    update = partial(sgd, lr=cfg["lr"], decay=cfg["decay"])
    for step in range(cfg["steps"]):
        idx = rng.integers(0, 400, cfg["batch"])
        batch = train_set[0][idx], train_set[1][idx]
        params = update(params, grad_fn(params, batch))
    return loss_fn(params, holdout)


if __name__ == "__main__":
    nll = train(config)
    print("nll =", float(nll))
