"""How candidate processes are confined: the strongest level that this machine offers, found by trying.

Read `levels` first, then the three of them: `bubblewrap`, `landlock` and `floor`; the filter of `seccomp` holds at all
of them. `view` lists what a candidate may see, `environment` its variables, and `choice` picks the level.
"""

from trainer.sandbox.choice import Survey, choose_level, choose_sandbox, describe, survey
from trainer.sandbox.environment import candidate_environment, python_command, trusted_environment
from trainer.sandbox.levels import CONFINED, Access, Level, Sandbox
from trainer.sandbox.view import program_folders

__all__ = [
    "CONFINED",
    "Access",
    "Level",
    "Sandbox",
    "Survey",
    "candidate_environment",
    "choose_level",
    "choose_sandbox",
    "describe",
    "program_folders",
    "python_command",
    "survey",
    "trusted_environment",
]
