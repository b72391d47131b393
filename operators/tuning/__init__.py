"""Tuning of the constants of one structure, from all that was measured of it.

tuning              the operator: chooses the structure and the method
trust_region        moves of the best points, chosen by a Gaussian process
gaussian_process    its model
tpe                 the tree-structured Parzen estimator of Optuna
"""
