"""Walk-forward validation of a forecaster of daily demand."""
import argparse

import numpy as np


def load_series(length=420):
    t = np.arange(length)
    rng = np.random.RandomState(8)
    return 50 + 0.05 * t + 8 * np.sin(2 * np.pi * t / 7) + 5 * np.sin(2 * np.pi * t / 91) + rng.normal(0, 2.0, length)


class Forecaster:
    def __init__(self, lags=5, ridge=1.0, window=90):
        self.lags = lags
        self.ridge = ridge
        self.window = window

    def fit(self, history):
        recent = history[-self.window :]
        rows = [recent[i - self.lags : i] for i in range(self.lags, len(recent))]
        A = np.c_[np.ones(len(rows)), np.array(rows)]
        b = recent[self.lags :]
        self.coef = np.linalg.solve(A.T @ A + self.ridge * np.eye(A.shape[1]), A.T @ b)
        return self

    def predict(self, history, horizon):
        past = list(history[-self.lags :])
        out = []
        for _ in range(horizon):
            value = float(np.r_[1.0, past[-self.lags :]] @ self.coef)
            past.append(value)
            out.append(value)
        return np.array(out)


def walk_forward(series, start, step, horizon, args):
    errors = []
    for end in range(start, len(series) - horizon + 1, step):
        model = Forecaster(args.lags, args.ridge, args.window).fit(series[:end])
        forecast = model.predict(series[:end], horizon)
        errors.append(np.abs(forecast - series[end : end + horizon]).mean())
    return float(np.mean(errors))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lags", type=int, default=5)
    parser.add_argument("--ridge", type=float, default=1.0)
    parser.add_argument("--window", type=int, default=90)
    parser.add_argument("--start", type=int, default=300)
    args = parser.parse_args()
    series = load_series()
    mae = walk_forward(series, args.start, 14, 14, args)
    print(f"[result] walk-forward MAE: {mae:.4f}")


if __name__ == "__main__":
    main()
