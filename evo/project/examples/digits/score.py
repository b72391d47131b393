"""Score the predictions that a candidate left: the only program that sees the held-out labels. Do not modify.

It runs nothing of the candidate's: predictions.npy is read as plain numbers.
"""

import os
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    """Print the share of the held-out images that were labelled right."""
    labels = np.load("labels.npz")["labels"]
    try:
        predictions = np.load(Path(os.environ.get("EVO_ARTIFACTS", "."), "predictions.npy"), allow_pickle=False)
    except (OSError, ValueError) as error:
        sys.exit(f"predictions.npy must be an array of {len(labels)} integers, but it cannot be read: {error}")
    if predictions.shape != labels.shape or predictions.dtype.kind not in "iu":
        sys.exit(
            f"predictions.npy must be an array of {len(labels)} integers, "
            f"but it was one of {predictions.dtype} and shape {predictions.shape}."
        )
    print(f"accuracy: {np.mean(predictions == labels):.4f}")


if __name__ == "__main__":
    main()
