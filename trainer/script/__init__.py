"""Script tasks: any program whose files evolve, run as a whole in the sandbox.

supervisor   read it first: it runs the command, and afterwards the trusted scoring if there is one
settings     what it is told
programs     finds the programs that the task names, and what compilers need beside them
frozen       the files that every genome is given and none may change
secrets      the files and values that none is ever given
imports      whether the program runs the files that evolve, or an installed copy of them
seeds        gives every run another seed
readings     reads the objectives: from what is printed, from JSON, CSV and JSON Lines; a new format goes here
numbers      what a printed number stands for
left         keeps the files with numbers that a run leaves
compiled     what generation 0 compiled, a copy for every candidate
"""

from trainer.script.frozen import Frozen, freeze
from trainer.script.programs import find_program, without_environment
from trainer.script.seeds import SeedPlace, with_seed
from trainer.script.settings import Reading, ScriptSettings

__all__ = [
    "Frozen",
    "Reading",
    "ScriptSettings",
    "SeedPlace",
    "find_program",
    "freeze",
    "with_seed",
    "without_environment",
]
