"""Exponential smoothing of a seasonal series, with flags; leaves its metrics in a JSON file."""

import argparse
import json
import math
import random
import time

LEVEL_RATE = 0.3
TREND_RATE = 0.05
SEASON_RATE = 0.2
PERIOD = 12

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=3)
parser.add_argument("--time-budget", type=float, default=5.0, help="seconds")
parser.add_argument("--passes", type=int, default=3)


def make_series(seed, length=240):
    source = random.Random(seed)
    return [0.02 * t + math.sin(2 * math.pi * t / PERIOD) + source.gauss(0, 0.1) for t in range(length)]


class Forecaster:
    def __init__(self):
        self.level, self.trend, self.season = 0.0, 0.0, [0.0] * PERIOD

    def predict(self, t):
        return self.level + self.trend + self.season[t % PERIOD]

    def update(self, t, value):
        before = self.level
        self.level = LEVEL_RATE * (value - self.season[t % PERIOD]) + (1 - LEVEL_RATE) * (self.level + self.trend)
        self.trend = TREND_RATE * (self.level - before) + (1 - TREND_RATE) * self.trend
        self.season[t % PERIOD] = SEASON_RATE * (value - self.level) + (1 - SEASON_RATE) * self.season[t % PERIOD]


class Evaluator:
    def __init__(self, series, first):
        self.series, self.first = series, first

    def mean_absolute_error(self, forecaster):
        total = 0.0
        for t in range(self.first, len(self.series)):
            total += abs(forecaster.predict(t) - self.series[t])
            forecaster.update(t, self.series[t])
        return total / (len(self.series) - self.first)


def main():
    args = parser.parse_args()
    start = time.monotonic()
    series = make_series(args.seed)
    forecaster = Forecaster()
    for _ in range(args.passes):
        for t in range(180):
            forecaster.update(t, series[t])
        if time.monotonic() - start > args.time_budget:
            break
    evaluator = Evaluator(series, 180)
    val_mae = evaluator.mean_absolute_error(forecaster)
    with open("metrics.json", "w") as file:
        json.dump({"val_mae": float(val_mae), "passes": args.passes}, file)


if __name__ == "__main__":
    main()
