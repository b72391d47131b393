"""A pole on a cart (Barto, Sutton & Anderson, 1983), many at a time, with noise in what is seen. Do not modify."""

import numpy as np

GRAVITY = 9.8  # m/s²
CART_MASS, POLE_MASS = 1.0, 0.1  # kg
HALF_LENGTH = 0.5  # m
FORCE = 10.0  # N, to the right or to the left
STEP_SECONDS = 0.02
LONGEST = 500  # steps
WIDEST = 2.4  # m from the middle
STEEPEST = 0.21  # rad from upright
START = np.array([1.0, 0.5, 0.12, 0.5])  # the largest position, speed, angle and turning speed at the start
SEEN_NOISE = np.array([0.05, 0.1, 0.01, 0.1])  # standard deviation of what the policy sees of them


def balance(weights: np.ndarray, poles: int, random: np.random.Generator) -> np.ndarray:
    """Return for how many steps each of some poles stays up under each of some policies, shape (policies, poles).

    Args:
        weights: shape (policies, 4): the force is to the right where their product with what is seen is positive.
        poles: how many are tried; all policies have the same starts.
        random: of starts and noise.
    """
    state = np.repeat(random.uniform(-START, START, (1, poles, 4)), len(weights), axis=0)
    steps, is_up = np.zeros(state.shape[:2]), np.ones(state.shape[:2], dtype=bool)
    for _ in range(LONGEST):
        seen = state + SEEN_NOISE * random.standard_normal((1, poles, 4))
        force = np.where(np.einsum("ijk,ik->ij", seen, weights) > 0, FORCE, -FORCE)
        state = _moved(state, force)
        is_up &= (np.abs(state[..., 0]) < WIDEST) & (np.abs(state[..., 2]) < STEEPEST)
        steps += is_up
        if not is_up.any():
            break
    return steps


def _moved(state: np.ndarray, force: np.ndarray) -> np.ndarray:
    _, speed, angle, turning = np.moveaxis(state, -1, 0)
    sine, cosine, mass = np.sin(angle), np.cos(angle), CART_MASS + POLE_MASS
    push = (force + POLE_MASS * HALF_LENGTH * turning**2 * sine) / mass
    turned = (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cosine**2 / mass))
    moved = push - POLE_MASS * HALF_LENGTH * turned * cosine / mass
    changes = np.stack([speed, moved, turning, turned], axis=-1)
    return state + STEP_SECONDS * np.clip(changes, -1e3, 1e3)
