"""The statistics of an experiment, on plain arrays.

results         the outcomes of runs, as the tests take them
rank_tests      exact signed ranks and rank sums, Holm's correction
effect_sizes    means, interquartile means, intervals by bootstrap
power           how many runs a claim needs
curves          anytime curves and expected runtimes
attainment      attainment surfaces and hypervolume of fronts
"""
