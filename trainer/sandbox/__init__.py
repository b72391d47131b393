"""How candidate processes are confined: the strongest level that this machine offers, found by trying.

Read `levels` first, then the three of them: `bubblewrap`, `landlock` with `seccomp`, and `floor`. `view` says what a
candidate may see, `environment` what its variables are, `choice` which level it gets.
"""

from trainer.sandbox.choice import Survey, choose_level, choose_sandbox, describe, survey
from trainer.sandbox.environment import candidate_environment, python_command, trusted_environment
from trainer.sandbox.levels import Level, Sandbox

__all__ = [
    "Level",
    "Sandbox",
    "Survey",
    "candidate_environment",
    "choose_level",
    "choose_sandbox",
    "describe",
    "python_command",
    "survey",
    "trusted_environment",
]
