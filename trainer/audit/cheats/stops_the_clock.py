"""Replaces the clocks that tell it how long it trains.

Its own clock stands still; the supervisor's does not.
"""

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    time.monotonic = time.process_time = time.time = time.perf_counter = lambda: 0.0
    task.train_tokens()
    while task.seconds_left() >= 0:
        model.table.weight.detach().sum()
