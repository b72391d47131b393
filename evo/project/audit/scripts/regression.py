"""Ridge regression on random features of a table; a script without functions around the split."""

import numpy as np

SEED = 7
TEST_SIZE = 0.3
N_FEATURES = 40
BANDWIDTH = 0.6
RIDGE = 0.05

rng = np.random.default_rng(SEED)
X = rng.uniform(-2, 2, (400, 3))
y = np.sin(2 * X[:, 0]) * X[:, 1] + 0.3 * X[:, 2] ** 2 + rng.normal(0, 0.1, 400)

order = rng.permutation(len(X))
cut = int(len(X) * (1 - TEST_SIZE))
X_train, y_train = X[order[:cut]], y[order[:cut]]
X_valid, y_valid = X[order[cut:]], y[order[cut:]]


def features(x, frequencies, phases):
    return np.cos(BANDWIDTH * (x @ frequencies) + phases)


def rmse(predicted, expected):
    return float(np.sqrt(np.mean((predicted - expected) ** 2)))


frequencies = rng.normal(0, 1, (3, N_FEATURES))
phases = rng.uniform(0, 2 * np.pi, N_FEATURES)
A = features(X_train, frequencies, phases)
weights = np.linalg.solve(A.T @ A + RIDGE * np.eye(N_FEATURES), A.T @ y_train)

predictions = features(X_valid, frequencies, phases) @ weights
val_rmse = rmse(predictions, y_valid)
print("features:", N_FEATURES)
print(f"val_rmse: {val_rmse:.5f}")
