"""Where evaluations run. `Evaluator` is the contract that the search sees; each implementation has a file.

local      supervisors on this machine, one per worker
external   a program outside the search
pool       which workers are free and fit, and what to do about lost evaluations
"""

from evo.workers.evaluator import Evaluator, Slot
from evo.workers.local import LocalEvaluator

__all__ = ["Evaluator", "LocalEvaluator", "Slot"]
