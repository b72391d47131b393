"""A moving-average strategy on a simulated price, judged by its Sharpe ratio on later days."""

import random
import statistics

FAST = 5
SLOW = 30
THRESHOLD = 0.001
COST = 0.0005  # of each trade; must not be changed
HOLDOUT_DAYS = 300


def make_prices(days, seed):
    source = random.Random(seed)
    price, drift, prices = 100.0, 0.0, []
    for _ in range(days):
        drift = 0.95 * drift + source.gauss(0, 0.002)
        price *= 1 + drift + source.gauss(0, 0.01)
        prices.append(price)
    return prices


def signal(history):
    if len(history) < SLOW:
        return 0.0
    fast = sum(history[-FAST:]) / FAST
    slow = sum(history[-SLOW:]) / SLOW
    if fast > slow * (1 + THRESHOLD):
        return 1.0
    if fast < slow * (1 - THRESHOLD):
        return -1.0
    return 0.0


def backtest(prices, first):
    position, returns = 0.0, []
    for day in range(first, len(prices) - 1):
        wanted = signal(prices[max(0, day - 100) : day + 1])
        gain = wanted * (prices[day + 1] / prices[day] - 1) - COST * abs(wanted - position)
        position = wanted
        returns.append(gain)
    return returns


def sharpe_ratio(returns):
    spread = statistics.pstdev(returns)
    return 0.0 if spread == 0 else statistics.fmean(returns) / spread * 252**0.5


def main():
    prices = make_prices(900, 11)
    returns = backtest(prices, len(prices) - HOLDOUT_DAYS)
    sharpe = sharpe_ratio(returns)
    print(f"trades in {len(returns)} days")
    print(f"sharpe: {sharpe:.4f}")


if __name__ == "__main__":
    main()
