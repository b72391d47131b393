"""One device's supervisor, `python -m trainer.supervisor DESCRIPTOR`: it holds the clock, the limits and the pipes.

supervisor      carries out one evaluation after another
service         the loop that serves the driver, shared with `trainer.script`
crew            the spare processes: started ahead, used once
watch           waits for a candidate's messages and ends it at a limit
clock           the training clock: wall time, or CPU time of the process tree
throughput      ends a training far slower than its reference
live            the curve of the training under way, for views of the run
divergence      ends a training whose loss is not a number or explodes
measurements    what becomes of a recorded training
process_tree    the candidate's processes: what they use, and their end
"""
