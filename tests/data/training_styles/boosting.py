"""Boosting by a library, which measures on held-out rows while it trains."""
import numpy as np
import xgboost as xgb


def load_data():
    r = np.random.RandomState(2)
    x = r.rand(1500, 6)
    return x, 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + r.randn(1500)


def main(rounds=40, patience=5):
    x, y = load_data()
    cut = 1000
    dtrain = xgb.DMatrix(x[:cut], label=y[:cut])
    dval = xgb.DMatrix(x[cut:], label=y[cut:])
    params = {"eta": 0.1, "max_depth": 3, "nthread": 1}
    booster = xgb.train(
        params, dtrain, rounds, evals=[(dtrain, "train"), (dval, "val")], early_stopping_rounds=patience
    )
    print(f"val_rmse: {booster.best_score:.5f}")


if __name__ == "__main__":
    main()
