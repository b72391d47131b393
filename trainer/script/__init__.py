"""Script tasks: any program whose files evolve, run as a whole in the sandbox.

Read `supervisor` first: it runs the command, and afterwards the trusted scoring if there is one. `settings` is its
input, `frozen` the files that every genome is given and none may change, `secrets` what none is ever given, `readings`
reads the objectives.
"""

from trainer.script.frozen import Frozen, freeze
from trainer.script.programs import find_program
from trainer.script.settings import Reading, ScriptSettings

__all__ = ["Frozen", "Reading", "ScriptSettings", "find_program", "freeze"]
