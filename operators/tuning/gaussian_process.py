"""Gaussian-process regression of noisy scores (Rasmussen and Williams, 2006, algorithm 2.1).

The kernel is s² exp(-Σ rᵢ δᵢ), one relevance r for each dimension: δ is the squared distance of two numbers, and of two
choices whether they differ. Relevances, signal and noise are those of the highest posterior density under broad priors.
Lower scores are better, and where nothing alike was measured the worst is expected: among dozens of constants most
places are far from all that is known, and few of them are any good.

A search has some hundred rows and fits it again for every offspring, which takes some 20 ms here. Optuna's sampler by
Gaussian processes takes 0.4 s for the same number of rows; scikit-learn's has no kernel for choices.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize

Array = npt.NDArray[np.float64]

_FITTED_ROWS = 80
"""From which relevances and noise are estimated; more tell little of ten numbers, and take longer."""
_ITERATIONS = 12
_RELEVANCE, _SIGNAL, _NOISE = math.log(0.5), 0.0, math.log(0.2)
"""Centres of the priors, for scores of about unit variance; logarithms, as all parameters here."""
_PRIOR_DEVIATION = 1.5
_BOUNDS = (-6.0, 4.0)
_JITTER = 1e-6


class GaussianProcess:
    """What is believed of any row after some were measured.

    Args:
        is_number: of each column, whether it holds numbers in [0, 1], not choices; shape (dimensions,).
        rows: what was measured, the most interesting first; shape (rows, dimensions).
        scores: mean of the measurements of each row, with about unit variance; shape (rows,).
        looks: how many measurements these are; shape (rows,).
    """

    def __init__(self, is_number: npt.NDArray[np.bool_], rows: Array, scores: Array, looks: Array) -> None:
        self._is_number = is_number
        self._rows = rows
        self._mean = float(scores.max())
        half = _FITTED_ROWS // 2
        spread = np.linspace(half, len(rows) - 1, half).astype(int)
        chosen = np.arange(len(rows)) if len(rows) <= _FITTED_ROWS else np.r_[:half, spread]
        distances = self._distances(rows[chosen], rows[chosen])
        self._parameters = _fitted(distances, scores[chosen] - self._mean, looks[chosen])
        self._factor = np.linalg.cholesky(self._kernel(rows, rows) + np.diag(self._noise / looks + _JITTER))
        self._weights = cho_solve((self._factor, True), scores - self._mean)

    def mean(self, rows: Array) -> Array:
        """Return the expected score of each row."""
        expected: Array = self._mean + self._kernel(rows, self._rows) @ self._weights
        return expected

    def sample(self, rows: Array, normal: Array) -> Array:
        """Return scores of rows drawn together from what is believed of them, noise excluded.

        Args:
            rows: shape (rows, dimensions).
            normal: independent standard normal numbers, the source of chance; shape (rows,).
        """
        known = solve_triangular(self._factor, self._kernel(self._rows, rows), lower=True)
        covariance = self._kernel(rows, rows) - known.T @ known + _JITTER * np.eye(len(rows))
        drawn: Array = self.mean(rows) + np.linalg.cholesky(covariance) @ normal
        return drawn

    @property
    def _noise(self) -> float:
        return math.exp(self._parameters[-1])

    def _kernel(self, first: Array, second: Array) -> Array:
        *relevances, signal, _ = np.exp(self._parameters)
        kernel: Array = signal * np.exp(-np.tensordot(relevances, self._distances(first, second), 1))
        return kernel

    def _distances(self, first: Array, second: Array) -> Array:
        """Return δ of all pairs, shape (dimensions, first, second)."""
        apart = first.T[:, :, None] - second.T[:, None, :]
        return np.where(self._is_number[:, None, None], apart**2, apart != 0)


def _fitted(distances: Array, scores: Array, looks: Array) -> Array:
    """Return the logarithms of relevances, signal and noise, shape (dimensions + 2,)."""
    dimensions, rows, _ = distances.shape
    centres = np.r_[np.full(dimensions, _RELEVANCE), _SIGNAL, _NOISE]

    def energy(parameters: Array) -> tuple[float, Array]:
        """Return the negative logarithm of the posterior density, up to a constant, and its gradient."""
        *relevances, signal, noise = np.exp(parameters)
        kernel = signal * np.exp(-np.tensordot(relevances, distances, 1))
        factor = np.linalg.cholesky(kernel + np.diag(noise / looks + _JITTER))
        inverse = cho_solve((factor, True), np.eye(rows))
        weights = inverse @ scores
        slope = 0.5 * (inverse - np.outer(weights, weights))
        weighted = slope * kernel
        from_prior = (parameters - centres) / _PRIOR_DEVIATION
        by_relevance = -np.tensordot(distances, weighted, 2) * relevances
        gradient = np.r_[by_relevance, weighted.sum(), (np.diag(slope) / looks).sum() * noise]
        value = 0.5 * (scores @ weights + from_prior @ from_prior) + np.log(np.diag(factor)).sum()
        return float(value), gradient + from_prior / _PRIOR_DEVIATION

    found = minimize(
        energy,
        centres,
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(centres),
        options={"maxiter": _ITERATIONS},
    )
    parameters: Array = found.x
    return parameters
