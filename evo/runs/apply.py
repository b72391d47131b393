"""An individual's genome as a commit on a branch of its own, in the repository that generation 0 came from.

Everything is done beside the work tree: objects are written, a tree is put together in an index of its own, and one
ref is moved. HEAD, the index and the files of the work tree stay as they are, dirty or not, and no hook runs.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evo.runs.lifecycle import Viewed
from evo.runs.repository import SHORT, CommittedFile, Repository
from evo.standings.individuals import Standing
from evo.standings.plan import Confirmed
from evo.store import IndividualRecord, mean_objectives
from evo.text import sha256, visible
from trainer import genome
from trainer.errors import UsageError, counted
from trainer.evaluation import Status

_SUBJECT_LENGTH = 72
_IDEA_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Applied:
    """Where an individual is now.

    Attributes:
        commit: hexadecimal name.
        parent: of the commit.
        is_new: whether the commit was made now; otherwise the branch had it already.
    """

    repository: Path
    branch: str
    commit: str
    parent: str
    is_new: bool


def apply_individual(viewed: Viewed, record: IndividualRecord) -> Applied:
    """Commit an individual on the run's branch: on top of it, or on HEAD where it does not exist yet.

    Raises:
        UsageError: there is no repository, it has no commit, the branch is checked out, or what is committed there is
            not of this run.
        MachineError: git is missing or fails.
    """
    folder, names = _origin(viewed, record)
    repository = Repository.around(folder)
    branch = f"evo/{_ref_word(viewed.folder.path.resolve().name)}"
    tip = repository.commit(f"refs/heads/{branch}")
    head = repository.commit("HEAD")
    if head is None:
        raise UsageError(f"{repository.top} has no commit yet. Commit {' and '.join(names)} first.")
    repository.refuse_checked_out(branch)
    committed = {name: repository.file(tip or head, name) for name in names}
    _refuse_foreign(viewed, repository, committed, tip, head)
    ours = genome.split(viewed.store.source(record.id), names)
    if all(ours[name] == committed[name].source for name in names):
        if tip is None:
            raise UsageError(f"Individual {record.id} is what HEAD has: there is nothing to apply.")
        return Applied(repository.top, branch, tip, repository.commit(f"{tip}^") or "", is_new=False)
    files = {name: file.holding(ours[name]) for name, file in committed.items()}
    tree = repository.tree(tip or head, files)
    made = repository.commit_tree(tree, tip or head, message(viewed, record))
    repository.move(branch, made, tip, f"evo apply: individual {record.id}")
    return Applied(repository.top, branch, made, tip or head, is_new=True)


def message(viewed: Viewed, record: IndividualRecord) -> str:
    """Return the commit message of an individual: its idea, its gain, both its and generation 0's values, trailers."""
    idea = " ".join(visible(record.idea).split())
    subject = idea if len(idea) <= _SUBJECT_LENGTH else f"{idea[: _SUBJECT_LENGTH - 1].rstrip()}…"
    paragraphs = [subject or f"Individual {record.id}"]
    if subject != idea:
        paragraphs.append(textwrap.fill(idea[:_IDEA_LENGTH], _SUBJECT_LENGTH))
    gain = f"{_gain(viewed, record)}{_broken(viewed, record)}"
    paragraphs += [textwrap.fill(gain, _SUBJECT_LENGTH), "\n".join(_values(viewed, record))]
    run = " ".join(visible(viewed.folder.path.resolve().name).split())
    operator = " ".join(visible(record.operator).split())
    paragraphs.append(f"Evo-Run: {run}\nEvo-Individual: {record.id}\nEvo-Operator: {operator}")
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _gain(viewed: Viewed, record: IndividualRecord) -> str:
    standings = viewed.standings
    gain = standings.gain(record.id)
    if gain is None:
        statuses = Counter(one.status for one in viewed.store.outcomes_of(record.id))
        ended = ", ".join(f"{count} {status}" for status, count in statuses.items()) or "none yet"
        if standings.is_unreplicated:
            return (
                f"Gain over generation 0: not replicated, since every seed gives the same run (evaluations: {ended})."
            )
        return f"Gain over generation 0: not confirmed (evaluations: {ended})."
    objective = standings.objectives[0]
    text = " on held-out text" if standings.plan.confirmed is Confirmed.ON_TEXT else ""
    seeds = f"{counted(gain.seeds, 'training seed')}{text} that selection never used"
    verdict = "beyond noise" if gain.is_real else "within noise"
    number, low, high = objective.interval(gain.value, 0.0 if gain.is_exact else gain.margin, signed=True)
    value = f"{number} {objective.unit}".rstrip()
    if gain.is_exact:
        return f"Gain over generation 0 in {objective.label}: {value}, exact, since every run gives the same."
    interval = f"95% interval {low} to {high}"
    return f"Gain over generation 0 in {objective.label}: {value}, {interval}, with {seeds}; {verdict}."


def _broken(viewed: Viewed, record: IndividualRecord) -> str:
    broken = Standing.of(record, viewed.standings).broken
    return f" Infeasible: it breaks {' and '.join(broken)}." if broken else ""


def _values(viewed: Viewed, record: IndividualRecord) -> Iterator[str]:
    """Return a table of the means in the run."""
    own, zero = (_means(viewed, individual) for individual in (record.id, 0))
    shared = own.keys() & zero.keys()
    objectives = [one for one in viewed.config.task.measured.values() if one.name in shared]
    rows = [(one.label, one.unit, one.format(zero[one.name]), one.format(own[one.name])) for one in objectives]
    if not rows:
        return
    width = max(len(label) for label, *_ in rows)
    yield f"{'mean in the run':<{width}}  {'generation 0':>14}  {f'individual {record.id}':>14}"
    for label, unit, before, after in rows:
        yield f"{label:<{width}}  {before:>14}  {after:>14}  {unit}".rstrip()


def _means(viewed: Viewed, individual: int) -> dict[str, float]:
    return mean_objectives([one for one in viewed.store.outcomes_of(individual) if one.status is Status.OK])


def _origin(viewed: Viewed, record: IndividualRecord) -> tuple[Path, tuple[str, ...]]:
    """Return the folder that the genome's files came from, and their names in it."""
    task, script = viewed.config.task, viewed.config.script
    if script is not None:
        folder, names = script.folder, script.genome_files
    else:
        if task.genome in genome.BUILT_IN:
            raise UsageError(
                "This run began with the built-in genome, which is in no repository of yours. Take the file with: "
                f"{_export(viewed, record)}"
            )
        path = Path(str(task.genome))
        folder, names = path.parent, (path.name,)
    if not folder.is_dir():
        raise UsageError(
            f"This run began with {' and '.join(names)} in {folder}, but there is no such folder here. Go to where the "
            f"run was started, or take the file with: {_export(viewed, record)}"
        )
    return folder, names


def _export(viewed: Viewed, record: IndividualRecord) -> str:
    return f"evo export {shlex.quote(str(viewed.folder.path))} {record.id}"


def _refuse_foreign(
    viewed: Viewed, repository: Repository, committed: Mapping[str, CommittedFile], tip: str | None, head: str
) -> None:
    """Refuse to commit on anything but generation 0 or, on the run's branch, an individual of the run.

    On other files the commit would undo changes made in between.
    """
    there = genome.join({name: file.source for name, file in committed.items()})
    if tip is None:
        zero = viewed.store.source(0)
        if there == zero:
            return
        begun = genome.split(zero, tuple(committed))
        changed = [name for name, file in committed.items() if file.source != begun[name]]
        is_waiting = all(repository.work_tree_source(name) == text for name, text in begun.items())
        advice = "Your work tree has it: commit it first." if is_waiting else "Check out the commit that has it."
        raise UsageError(
            f"{' and '.join(changed)} in HEAD ({head[:SHORT]}) is not what this run began with, so that a commit on it "
            f"would undo other changes. {advice}"
        )
    if sha256(there) not in {record.genome_sha256 for record in viewed.store.individuals()}:
        raise UsageError(
            f"{' and '.join(committed)} on the run's branch ({tip[:SHORT]}) is of no individual of this run, so that a "
            "commit on it would undo other changes. Rename that branch, or take the file with `evo export`."
        )


def _ref_word(name: str) -> str:
    """Return a run folder's name in characters that git takes in a branch."""
    word = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")
    return word or "run"
