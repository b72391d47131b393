"""Evolutionary search over training scripts: `evo.run`, `evo.Search` and the command `evo`.

    import evo
    run = evo.run("train.py", budget=60, pop=8, gens=10)    # as the command `evo run`
    print(run.best, run.gain)

Rooms, each of which imports only from those below it (checked by import-linter):

    commands/                           the command line; `commands/views/` prints and draws
    assistants/                         for coding agents: tools over MCP, a skill
    api/                                the Python interface, which this module hands on
    dashboard/                          the live page of runs
    followers/                          processes beside a driver: trackers, notifications
    compare/                            experiments: ways of searching under equal budgets
    report/                             the report of a run, one HTML file
    project/                            what `evo init` finds out about a project, and writes
    scales/                             ladders: winners of small scales seed the search at larger ones
    studies/                            after a run: what carries a gain, whether it transfers
    runs/                               one run on disk: start, resume, view, check, apply
    search/                             what is done next; `search/search.py` is the journey of a candidate
    steering/                           what users ask of a run, as part of its journal
    lineage/                            the family tree in git
    standings/                          what is known so far, worked out once for every view
    workers/                            where evaluations run
    store/                              SQLite, the authority on a run
    config/                             what the user asks for, and what it comes to on this machine
    errors, text, files                 the root of user errors; cleaning of untrusted text; files replaced at once

Nothing here imports torch: only the processes that train or score do. The names below are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evo.api.ask_tell import Candidate, Search, WaitingForResults
    from evo.api.driving import SearchEnded
    from evo.api.reading import Individual, Run, open_run
    from evo.api.running import ladder, resume, run
    from evo.runs.status import RunStatus
    from evo.scales.standing import LadderState
    from evo.search.events import Event, Finished, NewBest, Proposed, Refused, Started, Stopped
    from evo.standings.gains import Gain
    from evo.store import Purpose
    from trainer.errors import EvoError, MachineError, UsageError
    from trainer.evaluation import Status

__all__ = [
    "Candidate",
    "Event",
    "EvoError",
    "Finished",
    "Gain",
    "Individual",
    "LadderState",
    "MachineError",
    "NewBest",
    "Proposed",
    "Purpose",
    "Refused",
    "Run",
    "RunStatus",
    "Search",
    "SearchEnded",
    "Started",
    "Status",
    "Stopped",
    "UsageError",
    "WaitingForResults",
    "ladder",
    "open_run",
    "resume",
    "run",
]

_MODULES = {
    "evo.api.ask_tell": ("Candidate", "Search", "WaitingForResults"),
    "evo.api.driving": ("SearchEnded",),
    "evo.api.reading": ("Individual", "Run", "open_run"),
    "evo.api.running": ("ladder", "resume", "run"),
    "evo.runs.status": ("RunStatus",),
    "evo.scales.standing": ("LadderState",),
    "evo.search.events": ("Event", "Finished", "NewBest", "Proposed", "Refused", "Started", "Stopped"),
    "evo.standings.gains": ("Gain",),
    "evo.store": ("Purpose",),
    "trainer.errors": ("EvoError", "MachineError", "UsageError"),
    "trainer.evaluation": ("Status",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
