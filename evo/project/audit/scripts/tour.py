"""Simulated annealing of a round trip; the length of the trip is what counts."""

import math
import random

STEPS = 3000
START_TEMPERATURE = 1.0
COOLING = 0.998
CITIES = 40

source = random.Random(5)
cities = [(source.random(), source.random()) for _ in range(CITIES)]


def distance(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


def tour_length(tour):
    if sorted(tour) != list(range(CITIES)):
        return float("inf")
    return sum(distance(cities[tour[i - 1]], cities[tour[i]]) for i in range(len(tour)))


def anneal():
    tour = list(range(CITIES))
    temperature = START_TEMPERATURE
    length = tour_length(tour)
    for _ in range(STEPS):
        i, j = sorted(source.sample(range(CITIES), 2))
        other = tour[:i] + tour[i : j + 1][::-1] + tour[j + 1 :]
        other_length = tour_length(other)
        if other_length < length or source.random() < math.exp((length - other_length) / temperature):
            tour, length = other, other_length
        temperature *= COOLING
    return tour


best = anneal()
length = tour_length(best)
print(f"cities {CITIES}")
print(f"tour_cost: {length:.5f}")
