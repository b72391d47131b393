"""Learns a linear policy by random search over its weights (Mania, Guy & Recht, 2018). This file evolves."""

import os

import numpy as np
from cartpole import balance

UPDATES = 6
DIRECTIONS = 2  # range: 1 to 32; that are tried for each update, both ways
BEST = 1  # range: 1 to 32; of them that count
POLES = 2  # range: 1 to 32; for each policy that is tried
EXPLORATION = 0.02  # range: 0.001 to 2, log; standard deviation of the weights that are tried
STEP_SIZE = 0.01  # range: 0.001 to 2, log


def learn(random: np.random.Generator) -> np.ndarray:
    """Return the weights of the policy, shape (4,)."""
    weights = np.zeros(4)
    for _ in range(UPDATES):
        directions = random.standard_normal((DIRECTIONS, 4))
        tried = np.concatenate([weights + EXPLORATION * directions, weights - EXPLORATION * directions])
        returns = balance(tried, POLES, random).mean(axis=1).reshape(2, DIRECTIONS)  # one way, and the other
        chosen = np.argsort(-returns.max(axis=0))[:BEST]
        spread = returns[:, chosen].std() or 1.0
        differences = returns[0, chosen] - returns[1, chosen]
        weights = weights + STEP_SIZE / (len(chosen) * spread) * differences @ directions[chosen]
    return weights


if __name__ == "__main__":
    np.save("policy.npy", learn(np.random.default_rng(int(os.environ.get("EVO_SEED", "0")))))
