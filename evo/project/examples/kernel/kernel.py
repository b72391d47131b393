"""All-pairs shortest paths by the method of Floyd (1962) and Warshall (1962). This file evolves."""

import numpy as np

ROWS_AT_ONCE = 1  # rows of the matrix that are relaxed together


def shortest_paths(lengths: np.ndarray) -> np.ndarray:
    """Return the length of the shortest path between every two nodes, shape and type like `lengths`.

    Args:
        lengths: shape (nodes, nodes), float64: of the edge from the row's node to the column's, positive; 0 on the
            diagonal; inf where there is no edge. The array may be overwritten.
    """
    paths = lengths.copy()
    nodes = len(paths)
    for via in range(nodes):
        for first in range(0, nodes, ROWS_AT_ONCE):
            rows = paths[first : first + ROWS_AT_ONCE]
            detours = rows[:, via : via + 1] + paths[via]
            shorter = detours < rows
            rows[shorter] = detours[shorter]
    return paths
