"""Classify small images of digits, whose pixels stand in an unknown but fixed order. This file evolves.

Reads train.npz (`images`: float32, shape (1000, 64), about 0 to 16; `labels`: 0 to 9) and test.npz (`images` alone);
writes predictions.npy: one label for each test image. numpy and PyTorch are there, scikit-learn where it is installed.
"""

import os

import numpy as np

HIDDEN = 16  # units of the only hidden layer
EPOCHS = 20
BATCH = 50  # images a step
LEARNING_RATE = 0.1
FINAL_LEARNING_RATE = 1.0  # of the first
WEIGHT_DECAY = 0.0  # per step, of the learning rate
INITIAL_STD = 0.1  # of the weights
PIXEL_SCALE = 16.0  # pixels are divided by it


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities; the last dimension are the classes."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Network:
    """A perceptron with one hidden layer of rectified units, trained by plain stochastic gradient descent."""

    def __init__(self, inputs: int, classes: int, random: np.random.Generator) -> None:
        self.hidden = random.normal(0, INITIAL_STD, (inputs, HIDDEN))
        self.hidden_bias = np.zeros(HIDDEN)
        self.out = random.normal(0, INITIAL_STD, (HIDDEN, classes))
        self.out_bias = np.zeros(classes)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return shape (images, classes)."""
        return np.maximum(images @ self.hidden + self.hidden_bias, 0) @ self.out + self.out_bias

    def step(self, images: np.ndarray, targets: np.ndarray, rate: float) -> None:
        """Take one step down the gradient of the mean cross-entropy; `targets` are one-hot."""
        active = np.maximum(images @ self.hidden + self.hidden_bias, 0)
        error = (softmax(active @ self.out + self.out_bias) - targets) / len(images)
        hidden_error = (error @ self.out.T) * (active > 0)
        for weights, gradient in (
            (self.out, active.T @ error),
            (self.out_bias, error.sum(axis=0)),
            (self.hidden, images.T @ hidden_error),
            (self.hidden_bias, hidden_error.sum(axis=0)),
        ):
            weights *= 1 - rate * WEIGHT_DECAY
            weights -= rate * gradient


def train(images: np.ndarray, labels: np.ndarray, random: np.random.Generator) -> Network:
    """Return a network trained for EPOCHS passes, while the learning rate falls linearly."""
    targets = np.eye(labels.max() + 1)[labels]
    network = Network(images.shape[1], targets.shape[1], random)
    for epoch in range(EPOCHS):
        rate = LEARNING_RATE * (1 + (FINAL_LEARNING_RATE - 1) * epoch / EPOCHS)
        order = random.permutation(len(images))
        for start in range(0, len(images), BATCH):
            batch = order[start : start + BATCH]
            network.step(images[batch], targets[batch], rate)
    return network


def main() -> None:
    """Train, then label the test images."""
    random = np.random.default_rng(int(os.environ.get("EVO_SEED", "0")))
    training, test = np.load("train.npz"), np.load("test.npz")
    network = train(training["images"] / PIXEL_SCALE, training["labels"], random)
    np.save("predictions.npy", network.logits(test["images"] / PIXEL_SCALE).argmax(axis=1))


if __name__ == "__main__":
    main()
