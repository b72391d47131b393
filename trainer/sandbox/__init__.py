"""How candidate processes are confined: the strongest level that this machine offers, found by trying.

levels        read it first: what a level is; a new one is a file like the next three, and an entry in `choice`
bubblewrap    namespaces: a view of the files, and no network
landlock      the kernel's own rules on files and connections, without namespaces
floor         process groups and limits alone
seccomp       the filter of system calls, at every level
view          what a candidate may see
environment   its variables
choice        picks the strongest level that holds, by running `attempts` inside each
"""

from trainer.sandbox.choice import Survey, choose_level, choose_sandbox, describe, survey
from trainer.sandbox.environment import candidate_environment, python_command, trusted_environment
from trainer.sandbox.levels import CONFINED, Access, Command, Level, Sandbox
from trainer.sandbox.view import program_folders

__all__ = [
    "CONFINED",
    "Access",
    "Command",
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
