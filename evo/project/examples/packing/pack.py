"""Pack 26 circles into the unit square, the sum of their radii as large as possible. This file evolves.

Points repel one another and the border while their steps shrink; then circles around them do, until none overlap.
"""

import os
from pathlib import Path

import numpy as np

CIRCLES = 26  # as many as score.py wants
RESTARTS = 3
STEPS = 120
FIRST_STEP = 0.05  # sides of the square
SHRINKING = 0.98  # of the steps
POWER = 2.0  # with which repulsion falls with the distance
BORDER = 0.3  # repulsion of the border, of that of a point


def relaxed(random: np.random.Generator) -> np.ndarray:
    """Return points that keep away from one another, shape (CIRCLES, 2)."""
    points = random.uniform(0.05, 0.95, (CIRCLES, 2))
    step = FIRST_STEP
    for _ in range(STEPS):
        away = points[:, None] - points[None]
        distances = np.maximum(np.linalg.norm(away, axis=2), 1e-6)
        forces = (away / distances[..., None] ** (POWER + 1)).sum(axis=1)
        forces += BORDER * (1 / np.maximum(points, 1e-6) ** POWER - 1 / np.maximum(1 - points, 1e-6) ** POWER)
        points += step * forces / np.linalg.norm(forces, axis=1, keepdims=True).max()
        points = points.clip(0.01, 0.99)
        step *= SHRINKING
    return points


def radii(points: np.ndarray) -> np.ndarray:
    """Return the radii of circles around points that neither overlap nor leave the square, shape (CIRCLES,)."""
    found = np.minimum(points, 1 - points).min(axis=1)
    pairs = [(np.linalg.norm(points[i] - points[j]), i, j) for i in range(CIRCLES) for j in range(i)]
    for distance, i, j in sorted(pairs):
        excess = (found[i] + found[j]) / distance
        if excess > 1:
            found[i] /= excess
            found[j] /= excess
    return found


def main() -> None:
    """Write the best of some packings."""
    random = np.random.default_rng(int(os.environ.get("EVO_SEED", "0")))
    packings = [np.column_stack((points, radii(points))) for points in (relaxed(random) for _ in range(RESTARTS))]
    np.save(Path(os.environ.get("EVO_ARTIFACTS", "."), "circles.npy"), max(packings, key=lambda one: one[:, 2].sum()))


if __name__ == "__main__":
    main()
