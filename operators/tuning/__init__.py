"""Tuning of the constants of one structure, from all that was measured of it.

tuning              the operator: chooses the structure and the method
thompson            Thompson sampling, from a Gaussian process
gaussian_process    its model
tpe                 the tree-structured Parzen estimator and CMA-ES, of Optuna
"""
