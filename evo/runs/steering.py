"""Asking something of a run from outside its driver, be it live or not."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from evo.runs.folder import RunFolder
from evo.runs.generation_zero import gate_of, read_source
from evo.runs.lifecycle import Viewed, view
from evo.steering.actions import Action, Verb
from evo.steering.inbox import Inbox
from evo.steering.journal import EVENT, Steered
from evo.steering.rules import objection, remark
from evo.store import Store
from operators.gate import clean_source
from operators.proposal import Refused
from trainer.errors import UsageError, counted
from trainer.genome import join

_TAKING_UP_SECONDS = 5.0
_LOOKING_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.

    Attributes:
        steered: what the driver recorded; None while it has not taken the request up.
        is_driven: whether a driver works on the run.
        remark: why it will have no effect; empty where it has one.
    """

    action: Action
    steered: Steered | None
    is_driven: bool
    remark: str = ""

    def __str__(self) -> str:
        """Return it in a sentence."""
        return f"{self._fate()}; {self.remark}" if self.remark else self._fate()

    def _fate(self) -> str:
        if self.steered is None and self.action.verb is Verb.STOP and not self.is_driven:
            return "the run has ended"
        if self.steered is None:
            when = (
                "its driver takes it up when it can"
                if self.is_driven
                else "it is taken up first when the run is resumed"
            )
            return f"left for the run: {self.action}; {when}"
        if self.steered.refused:
            return f"refused: {self.steered.refused}"
        became = "" if self.steered.individual is None else f", which became #{self.steered.individual}"
        return f"taken up: {self.action}{became}"


def ask(path: Path, action: Action, patience_seconds: float = _TAKING_UP_SECONDS) -> Answer:
    """Ask something of a run, and wait a moment for its driver to take it up.

    Raises:
        RunFolderError: there is no run at `path`, or its folder cannot be written.
        UsageError: the run cannot do it; nothing was written.
    """
    with view(path) as viewed:
        refuse_impossible(viewed, action)
        said = remark(action, viewed.config.operators.weights or ())
    folder = RunFolder.open(path)
    if action.verb is Verb.STOP and folder.driver() is None:
        raise UsageError(f"No driver works on {path}, so there is nothing to stop.")
    inbox = Inbox(folder.steering)
    inbox.send(action)
    answer = _answer(folder, action, patience_seconds)
    if action.verb is Verb.STOP and answer.steered is None and not answer.is_driven:
        inbox.remove([action])  # the driver ended before it saw it, for another request to stop perhaps
    return replace(answer, remark=said)


def refuse_impossible(viewed: Viewed, action: Action) -> None:
    """Raise UsageError where a run cannot do what is asked."""
    if action.verb is Verb.INJECT:
        judge(viewed, action.text)
    operators = viewed.config.operators.weights
    if found := objection(action, viewed.store, viewed.standings, operators):
        raise UsageError(f"{viewed.folder.path} cannot do this: {found}.")


def judge(viewed: Viewed, source: str) -> None:
    """Raise UsageError, with the gate's reason, unless a program may become an individual of a run."""
    try:
        gate_of(viewed.config, lambda: viewed.store.source(0), viewed.store.known).check(source)
    except Refused as refusal:
        raise UsageError(f"The program is refused ({refusal.kind}): {refusal}.") from None


def read_program(viewed: Viewed, path: Path) -> str:
    """Return the program in a file, or that of several files in a folder, as the genome of a run.

    Raises:
        GenomeError: a file cannot be read, is empty, or is no UTF-8 text.
    """
    if path.is_dir():
        return join({name: read_source(path / name) for name in viewed.config.task.genome_files})
    return as_genome(viewed, read_source(path))


def generations_of(viewed: Viewed, evaluations: int) -> int:
    """Return how many generations of a run so many evaluations are; raise UsageError unless they are whole ones."""
    pop = viewed.config.search.pop
    if evaluations < pop or evaluations % pop:
        below = max(pop, evaluations // pop * pop)
        raise UsageError(
            f"The budget of {viewed.folder.path} is whole generations of {counted(pop, 'evaluation')}, not "
            f"{evaluations}. Give {below} or {below + pop}."
        )
    return evaluations // pop


def as_genome(viewed: Viewed, text: str) -> str:
    """Return the program that a user wrote as the genome of a run: of one file its content, of several all of them."""
    names, source = viewed.config.task.genome_files, clean_source(text)
    return join({names[0]: source}) if len(names) == 1 else source


def _answer(folder: RunFolder, action: Action, patience_seconds: float) -> Answer:
    deadline = time.monotonic() + patience_seconds
    with Store.read(folder.store) as store:
        while True:
            is_driven = folder.driver() is not None  # asked first: what a driver that ends took up is in the store
            found = next((one for one in map(Steered.of, store.events(EVENT)) if one.action.id == action.id), None)
            if found is not None or not is_driven or time.monotonic() > deadline:
                return Answer(action, found, is_driven)
            time.sleep(_LOOKING_SECONDS)
