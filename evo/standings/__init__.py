"""What is known of a run, worked out once from the store's results in their order.

Where `evo.search` has a file of nearly the same name (confirmation, replication, lessons), that one acts on what is
known here.

standings       all of it, result by result
plan            how the budget is divided
archive         the hall of fame and the fronts
rungs           successive halving: the rungs of smaller budgets
replication     how often individuals ran with further seeds
incumbent       the best on split S that holds on the holdout split G
confirmations   which are the finalists, how they rank, and what was confirmed of them
gains           what was confirmed: gains over generation 0, members of a front
effects         what each individual gained on its own parents, corrected for the drift of devices
differences     whether one mean is better than another beyond noise
individuals     what is known of each individual and each operator
paired_noise    the noise of a difference between individuals that share their seeds
device_classes  results of unequal devices, on the scale of one class
sentinels       whether a device still measures what it measured
exploration     when a stalled search explores
calibration     what language models expected of their ideas, beside what was measured
outages         how long the service of a language model was away
stand_ins       which models answered in the place of others
lessons         what the run has taught, as of any proposal
texts           texts that change while a run goes on: what the user told the model, as of any proposal
usage           what a run has used of its workers and of money
summary         what all this amounts to
"""
