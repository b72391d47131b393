"""Make the task's data once, from scikit-learn's bundled digits: `python prepare.py`.

Every image is turned, shifted, scaled and made noisy a little, and the 64 pixels of all images change places in the
same way. How is drawn from a secret number, so that a look into scikit-learn's own copy gives no labels. The number is
kept beside the held-out labels alone: with it the same files can be made again (`python prepare.py NUMBER`).
"""

import secrets
import sys

import numpy as np
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

TRAINING_IMAGES = 1000  # of 1,797; the others are held out
LARGEST_TURN = 12.0  # degrees
LARGEST_SHIFT = 0.4  # pixels
LARGEST_SCALING = 0.08
NOISE = 1.5  # standard deviation; pixels go from 0 to 16


def warped(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return an image of shape (8, 8) seen a little differently."""
    turn = np.deg2rad(random.uniform(-LARGEST_TURN, LARGEST_TURN))
    scale = 1 + random.uniform(-LARGEST_SCALING, LARGEST_SCALING)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([3.5, 3.5])
    offset = centre - matrix @ centre + random.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2)
    return affine_transform(image, matrix, offset, order=1) + random.normal(0, NOISE, image.shape)


def main() -> None:
    """Write train.npz and test.npz, which the genome sees, and labels.npz, which only score.py sees."""
    secret = int(sys.argv[1]) if sys.argv[1:] else secrets.randbits(63)
    random = np.random.default_rng(secret)
    digits = load_digits()
    order = random.permutation(len(digits.target))
    images = np.stack([warped(image, random).ravel() for image in digits.images[order]])
    images = images[:, random.permutation(images.shape[1])].astype(np.float32)
    labels = digits.target[order]
    np.savez("train.npz", images=images[:TRAINING_IMAGES], labels=labels[:TRAINING_IMAGES])
    np.savez("test.npz", images=images[TRAINING_IMAGES:])
    np.savez("labels.npz", labels=labels[TRAINING_IMAGES:], secret=secret)
    print(f"{TRAINING_IMAGES} images to train on, {len(labels) - TRAINING_IMAGES} held out")


if __name__ == "__main__":
    main()
