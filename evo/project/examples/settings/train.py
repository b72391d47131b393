"""Fit a curve with a small network whose settings come from settings.yaml. Do not modify."""

import os
from pathlib import Path

import numpy as np
import yaml

STEPS = 600
NOISE = 0.1
ACTIVATIONS = {
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(float)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
}


def curve(points: np.ndarray) -> np.ndarray:
    """Return what the network should learn: shape (n, 1), like `points`."""
    return np.sin(3 * points) + 0.5 * points


def train(settings: dict, random: np.random.Generator) -> float:
    """Return the loss on the validation points after STEPS steps of momentum."""
    hidden, (active, slope) = settings["model"]["hidden"], ACTIVATIONS[settings["model"]["activation"]]
    rate, momentum, decay = (settings["optimizer"][name] for name in ("rate", "momentum", "weight_decay"))
    weights = [
        random.normal(0, 1, (1, hidden)),
        random.normal(0, 1, hidden),
        random.normal(0, hidden**-0.5, (hidden, 1)),
        np.zeros(1),
    ]
    moves = [np.zeros_like(one) for one in weights]
    for _ in range(STEPS):
        points = random.uniform(-2, 2, (settings["batch"], 1))
        inner = active(points @ weights[0] + weights[1])
        error = inner @ weights[2] + weights[3] - curve(points) - random.normal(0, NOISE, points.shape)
        error *= 2 / len(points)
        below = (error @ weights[2].T) * slope(inner)
        gradients = (points.T @ below, below.sum(0), inner.T @ error, error.sum(0))
        for weight, move, gradient in zip(weights, moves, gradients, strict=True):
            move *= momentum
            move -= rate * (gradient + decay * weight)
            weight += move
    points = np.linspace(-2, 2, 400)[:, None]
    fitted = active(points @ weights[0] + weights[1]) @ weights[2] + weights[3]
    return float(np.mean((fitted - curve(points)) ** 2))


def main() -> None:
    """Train with the settings, and print the loss."""
    settings = yaml.safe_load(Path("settings.yaml").read_text(encoding="utf-8"))
    val_loss = train(settings, np.random.default_rng(int(os.environ.get("EVO_SEED", "0"))))
    print(f"val_loss: {val_loss:.6f}")


if __name__ == "__main__":
    main()
