"""Time and check kernel.py on random graphs: the command of this task. Do not modify.

Prints the median time of one call and the largest relative error. Every call gets a graph of its own, so that answers
cannot be remembered; they are checked by another method (Dijkstra 1959) from nodes that are drawn afterwards. The
kernel runs in this process and could forge both numbers: they are self-reported.
"""

import heapq
import os
import statistics
import sys
from time import perf_counter

import numpy as np

NODES = 240
EDGES_PER_NODE = 6
CALLS = 7
CHECKED_NODES = 20  # of each graph
LARGEST_ERROR = 1e6  # so that a path that was not found is an error like others, and not an infinite one


def random_graph(random: np.random.Generator) -> np.ndarray:
    """Return edge lengths, shape (NODES, NODES): random edges, and a ring so that every node can be reached."""
    lengths = np.full((NODES, NODES), np.inf)
    ring = random.permutation(NODES)
    lengths[ring, np.roll(ring, 1)] = random.uniform(1, 10, NODES)
    for _ in range(EDGES_PER_NODE - 1):
        lengths[ring, random.permutation(NODES)] = random.uniform(1, 10, NODES)
    np.fill_diagonal(lengths, 0)
    return lengths


def paths_from(start: int, lengths: np.ndarray) -> np.ndarray:
    """Return the lengths of the shortest paths from one node to all, shape (NODES,)."""
    edges = [[(int(node), float(row[node])) for node in np.flatnonzero(np.isfinite(row))] for row in lengths]
    paths = [float("inf")] * len(edges)
    queue = [(0.0, start)]
    while queue:
        length, node = heapq.heappop(queue)
        if length < paths[node]:
            paths[node] = length
            for neighbour, step in edges[node]:
                heapq.heappush(queue, (length + step, neighbour))
    return np.array(paths)


def error(answer: np.ndarray, lengths: np.ndarray, nodes: np.ndarray) -> float:
    """Return the largest relative error of the rows of `nodes`."""
    if not isinstance(answer, np.ndarray) or answer.shape != lengths.shape:
        sys.exit(f"shortest_paths must return an array of shape {lengths.shape}, but it returned {np.shape(answer)}.")
    expected = np.stack([paths_from(int(node), lengths) for node in nodes])
    errors = np.abs(answer[nodes] - expected) / np.maximum(expected, 1)
    return float(np.max(np.minimum(errors, LARGEST_ERROR)))  # nan where any is


def main() -> None:
    """Time all calls, then check all answers."""
    random = np.random.default_rng(int(os.environ.get("EVO_SEED", "0")))
    graphs = [random_graph(random) for _ in range(CALLS)]

    from kernel import shortest_paths  # not at the top: nothing of the genome runs before the graphs are made

    seconds, answers = [], []
    for graph in graphs:
        lengths = graph.copy()
        start = perf_counter()
        answers.append(shortest_paths(lengths))
        seconds.append(perf_counter() - start)
    errors = [
        error(answer, graph, np.random.default_rng().permutation(NODES)[:CHECKED_NODES])
        for answer, graph in zip(answers, graphs, strict=True)
    ]
    print(f"seconds: {statistics.median(seconds):.6f}")
    print(f"max_error: {np.max(errors):.3e}")  # nan where any is


if __name__ == "__main__":
    main()
