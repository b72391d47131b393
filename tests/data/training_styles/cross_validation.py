"""Digits with a scikit-learn pipeline, judged by cross-validation."""
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_COMPONENTS = 12
C = 0.02
MAX_ITER = 60
FOLDS = 4

X, y = load_digits(return_X_y=True)
X, y = X[:500], y[:500]

model = make_pipeline(
    StandardScaler(),
    PCA(n_components=N_COMPONENTS, random_state=0),
    LogisticRegression(C=C, max_iter=MAX_ITER),
)
cv = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=0)
scores = cross_val_score(model, X, y, cv=cv, scoring="accuracy")
print("fold scores:", np.round(scores, 3))
print(f"cv_accuracy: {scores.mean():.4f}")
