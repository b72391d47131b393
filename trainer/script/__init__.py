"""Script tasks: any program whose files evolve, run as a whole in the sandbox.

Read `supervisor` first: it runs the command, and afterwards the trusted scoring if there is one. `settings` is its
input, `frozen` the files that every genome is given and none may change, `secrets` what none is ever given, `readings`
reads the objectives, `seeds` gives every run another seed, `left` keeps the files with numbers that a run leaves.
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
