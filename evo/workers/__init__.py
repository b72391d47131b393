"""Where evaluations run. `Evaluator` is the contract that the search sees; each implementation has a file.

evaluator  the contract: slots, and a coroutine that turns a job into an evaluation
local      supervisors on this machine, one per worker
ray        actors on the nodes of a Ray cluster, which may join and leave
external   a program outside the search
pool       which workers are free and fit, and what to do about lost evaluations
"""

from evo.workers.evaluator import Build, ElasticEvaluator, Evaluator, Slot
from evo.workers.local import LocalEvaluator

__all__ = ["Build", "ElasticEvaluator", "Evaluator", "LocalEvaluator", "Slot"]
