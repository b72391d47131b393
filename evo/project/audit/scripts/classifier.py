"""A perceptron on two spirals, trained for a fixed time; reports the validation loss."""

import math
import time

import numpy as np

TIME_BUDGET = 0.15  # seconds of training: do not change
EVAL_BATCHES = 4
VAL_FRACTION = 0.25

HIDDEN = 12
LEARNING_RATE = 0.02
BATCH_SIZE = 32
WEIGHT_DECAY = 1e-4

rng = np.random.default_rng(1337)


def make_data(count):
    angle = rng.uniform(0.5, 3.5 * math.pi, count)
    label = rng.integers(0, 2, count)
    radius = angle / (3.5 * math.pi)
    points = np.stack([radius * np.cos(angle + math.pi * label), radius * np.sin(angle + math.pi * label)], axis=1)
    return points + rng.normal(0, 0.02, points.shape), label


points, labels = make_data(800)
split = int(len(points) * (1 - VAL_FRACTION))
x_train, y_train = points[:split], labels[:split]
x_val, y_val = points[split:], labels[split:]


class Model:
    def __init__(self):
        self.w1 = rng.normal(0, 1.0, (2, HIDDEN))
        self.b1 = np.zeros(HIDDEN)
        self.w2 = rng.normal(0, 0.5, HIDDEN)
        self.b2 = 0.0

    def forward(self, x):
        self.hidden = np.tanh(x @ self.w1 + self.b1)
        return self.hidden @ self.w2 + self.b2

    def step(self, x, y, rate):
        error = (1 / (1 + np.exp(-self.forward(x))) - y) / len(x)
        hidden_error = np.outer(error, self.w2) * (1 - self.hidden**2)
        self.w2 -= rate * (self.hidden.T @ error + WEIGHT_DECAY * self.w2)
        self.b2 -= rate * error.sum()
        self.w1 -= rate * (x.T @ hidden_error + WEIGHT_DECAY * self.w1)
        self.b1 -= rate * hidden_error.sum(axis=0)


def cross_entropy(logits, targets):
    return float(np.mean(np.logaddexp(0, logits) - targets * logits))


def evaluate(model):
    losses = []
    for batch in range(EVAL_BATCHES):
        rows = slice(batch * 50, batch * 50 + 50)
        losses.append(cross_entropy(model.forward(x_val[rows]), y_val[rows]))
    return sum(losses) / len(losses)


def main():
    model = Model()
    start = time.process_time()
    steps = 0
    while time.process_time() - start < TIME_BUDGET:
        rows = rng.integers(0, len(x_train), BATCH_SIZE)
        model.step(x_train[rows], y_train[rows], LEARNING_RATE)
        steps += 1
    val_loss = evaluate(model)
    print(f"steps: {steps}")
    print(f"val_loss: {val_loss:.6f}")


if __name__ == "__main__":
    main()
