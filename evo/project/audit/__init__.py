"""The audit of scripts: small programs as `evo init` meets them, with edits that cheat and edits that are honest.

scripts/      the programs, each runs in well under a second
cases.toml    the edits, and what each tries
running       finds what is protected, asks the gate, and evaluates where only a run can tell

What `trainer.audit` is to the built-in task.
"""

from evo.project.audit.running import Case, Verdict, load_cases, run_cases

__all__ = ["Case", "Verdict", "load_cases", "run_cases"]
