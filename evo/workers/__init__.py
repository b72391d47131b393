"""Where evaluations run. `Evaluator` is the contract that the search sees; one module a kind of workplace.

local      supervisors on this machine, one a worker
external   a program outside the search
"""

from evo.workers.evaluator import Evaluator, Slot
from evo.workers.local import LocalEvaluator

__all__ = ["Evaluator", "LocalEvaluator", "Slot"]
