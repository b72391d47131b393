"""What is known of a run, worked out once from the store's results in their order.

standings       all of it, result by result
plan            how the budget is divided
rungs           the ladder of smaller budgets
incumbent       the best on split S that holds on split G
gains           what was confirmed: gains over generation 0, members of a front
paired_noise    the noise of a difference between individuals that share their seeds
sentinels       whether a device still measures what it measured
exploration     when a stalled search explores
usage           what a run has used of its workers and of money
summary         what all this amounts to
"""
