"""Score the circles that a candidate left: it is the trusted program of this task. Do not modify.

It runs nothing of the candidate's: circles.npy is read as plain numbers, centres and radii, shape (26, 3).
"""

import os
import sys
from pathlib import Path

import numpy as np

CIRCLES = 26


def main() -> None:
    """Print the sum of the radii; fail if circles overlap or leave the unit square."""
    try:
        circles = np.load(Path(os.environ.get("EVO_ARTIFACTS", "."), "circles.npy"), allow_pickle=False)
    except (OSError, ValueError) as error:
        sys.exit(f"circles.npy must be an array of shape ({CIRCLES}, 3), but it cannot be read: {error}")
    if circles.shape != (CIRCLES, 3) or circles.dtype != np.float64 or not np.isfinite(circles).all():
        sys.exit(f"circles.npy must hold finite numbers in the shape ({CIRCLES}, 3).")
    centres, radii = circles[:, :2], circles[:, 2]
    if (radii < 0).any():
        sys.exit("A radius is negative.")
    if (centres - radii[:, None] < 0).any() or (centres + radii[:, None] > 1).any():
        sys.exit("A circle leaves the unit square.")
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    overlaps = radii[:, None] + radii[None] - distances
    np.fill_diagonal(overlaps, 0.0)
    # Rounding is forgiven, and taken off: of numbers near 1 it is some 1e-16.
    if overlaps.max() > 1e-12:
        sys.exit(f"Two circles overlap by {overlaps.max():.3g}.")
    print(f"sum_of_radii: {radii.sum():.6f}")


if __name__ == "__main__":
    main()
