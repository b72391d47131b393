"""Deterministic replay: whether the journal of a run leads to its individuals once more.

What an individual is follows from the run's configuration and seed, the number of its proposal, generation 0, and what
the store keeps of the run's course: the results that the population had seen when the proposal began, in their order;
which individuals had been admitted by then; the replies of language models; the verdicts of smoke runs; and what users
asked of it (`evo.steering`). The clock and the number of workers
decide only when a proposal begins and in which order results come. Both are recorded, so that a replay leads to the
same individuals whether 1 or 16 workers made them.

Nothing is evaluated, sent or written. The search is rebuilt, given the recorded results, and begins the recorded
proposals at their recorded points. It decides again on survivors, parents, operators, drafts and the verdicts of the
gate; the first decision that differs is reported.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from evo.config.reading import parse_as
from evo.config.resolved import StoredConfig
from evo.lineage.writer import FamilyTree
from evo.runs.assemble import build_search, recorded_operators
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import read_config
from evo.runs.provenance import (
    installed_versions,
    newest_of_another_reading,
    newest_of_other_operators,
    read_starts,
)
from evo.search.breeding import Draft
from evo.search.observer import Observer
from evo.search.search import SEED, Search
from evo.standings.outages import drawn_locally
from evo.steering.actions import INJECTED
from evo.store import MEASURED_AGAIN, UNAVAILABLE, ProposalRecord, ProposalState, SmokeRun, Store
from evo.store.connection import open_for_reading
from evo.store.journal import StoredJournal
from evo.workers import Slot
from operators.proposal import Exchange, MeasureAgain, NoOffspring, Proposal, Refused
from operators.registry import needs_llm
from populations.diversity import normal_form
from trainer.errors import counted
from trainer.evaluation import Evaluation, Job

_LINE_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """The first decision that a replay takes otherwise.

    Attributes:
        proposal: its number, which is also that of its individual.
        what: operator, parents, verdict, idea, or source with the line.
        recorded: what the run did.
        replayed: what the replay does.
        programs: those whose versions differ from the run's; empty where none does.
    """

    proposal: int
    what: str
    recorded: str
    replayed: str
    programs: str = ""

    def __str__(self) -> str:
        """Return one sentence."""
        found = f"proposal {self.proposal}: {self.what} was {self.recorded}, but the replay comes to {self.replayed}"
        return f"{found} ({self.programs})" if self.programs else found


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay.

    Attributes:
        proposals: begun once more.
        individuals: derived once more, each the same.
        unrecorded: further offspring that cannot be derived, of a version with other classical operators, one that
            read replies otherwise, or one that did not record which individuals existed when they began.
        difference: the first one, where the replay ends; None where there is none.
        injected: individuals that users wrote, seed genomes among them, which follow from nothing.
    """

    proposals: int
    individuals: int
    unrecorded: int
    difference: Difference | None
    injected: int = 0

    def __str__(self) -> str:
        """Return what was replayed in one sentence."""
        injected = f"; {self.injected} were injected by a user" if self.injected else ""
        unrecorded = f"; {self.unrecorded} of an older version were left out" if self.unrecorded else ""
        others = unrecorded + injected
        until = " until they differ" if self.difference else ""
        replayed, same = counted(self.proposals, "proposal"), counted(self.individuals, "individual")
        return f"{replayed} replayed{until}, {same} came out the same{others}"


def replay_run(path: Path) -> Replay:
    """Replay the run in the folder `path`, be it live, killed or finished.

    Raises:
        RunFolderError: there is no run at `path`.
        StoreError: its store cannot be read.
    """
    folder = RunFolder.open(path)
    with _Recorded(folder.store, open_for_reading(folder.store)) as store:
        return asyncio.run(_Replaying(store, _phases(folder, store)).result())


@dataclass(frozen=True, slots=True)
class _Phase:
    """The proposals after the one called `after` were begun under a configuration."""

    after: int
    config: StoredConfig


def _phases(folder: RunFolder, store: Store) -> list[_Phase]:
    """Return the configurations that the run was driven with, in their order."""
    phases = [
        _Phase(
            event.payload.get("newest_proposal") or 0, parse_as(StoredConfig, tomllib.loads(event.payload["config"]))
        )
        for event in store.events("configured")
    ]
    return phases or [_Phase(0, read_config(folder, StoredConfig))]


class _Unanswered(Exception):  # noqa: N818 - a verdict on the replay, not an error of the product
    """The replay asks a language model or a worker what the run did not ask, or was given no answer to."""


class _RecordedJournal(StoredJournal):
    """The recorded requests and replies; no new request is made."""

    def exchange(self, turn: int) -> Exchange:
        """Return the answered exchange journaled for `turn`; raise _Unanswered when there is none."""
        exchange = super().exchange(turn)
        if exchange is None:
            raise _Unanswered(f"a call {turn + 1} of the language model, of which there is no reply")
        return exchange


class _Recorded(Store):
    """The store of a run, opened for reading, as a search sees that does everything once more."""

    def begin_proposal(
        self, number: int, operator: str, parents: tuple[int, ...], result_number: int, repaired: int | None = None
    ) -> None:
        """Write nothing: the proposal was begun already, maybe otherwise."""

    def journal(self, number: int) -> StoredJournal:
        """Return what was asked and answered."""
        return _RecordedJournal(self.path, self._database, number)

    def smoke_run(self, number: int | None, source: str) -> SmokeRun:
        """Return what came of a smoke run; raise _Unanswered where the run made none."""
        run = super().smoke_run(number, source)
        if run is None:
            raise _Unanswered("a smoke run, of which there is no verdict")
        return run


class _NoWorkers:
    """Evaluates nothing (`evo.workers.Evaluator`)."""

    workers: Sequence[Slot] = ()

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate nothing."""
        raise NotImplementedError("a replay evaluates nothing")

    def retire(self, slot: Slot) -> None:
        """End nothing."""

    async def close(self) -> None:
        """End nothing."""


class _Replaying:
    def __init__(self, store: Store, phases: Sequence[_Phase]) -> None:
        self._store = store
        self._phases = phases
        starts = read_starts(store)
        (self._device_kind, *_) = starts[0].devices[0].split() if starts else ("cpu",)
        self._programs = _changed(starts[-1].versions) if starts else ""
        self._local = drawn_locally(store)
        self._newest_other = newest_of_other_operators(starts)
        self._newest_otherwise_read = newest_of_another_reading(starts)
        self._proposals = self._individuals = self._unrecorded = self._injected = 0

    async def result(self) -> Replay:
        difference = await self._first_difference()
        return Replay(self._proposals, self._individuals, self._unrecorded, difference, self._injected)

    async def _first_difference(self) -> Difference | None:
        for search, records in self._searches():
            outcomes = self._store.outcomes()
            for record in records:
                while (
                    search.standings.result_number < record.result_number
                    and (outcome := next(outcomes, None)) is not None
                ):
                    search.recall(outcome)
                difference = await self._compare(search, record)
                if difference is not None:
                    return difference
        return None

    def _searches(self) -> Iterator[tuple[Search, Iterator[ProposalRecord]]]:
        """Yield for each configuration a search that was told nothing yet, and what was proposed under it."""
        ends = [phase.after for phase in self._phases[1:]] + [self._store.last_proposal_number() or 0]
        for phase, end in zip(self._phases, ends, strict=True):
            operators = recorded_operators(phase.config, self._device_kind)
            search = build_search(
                phase.config, self._store, FamilyTree(), _NoWorkers(), operators, Observer(), self._device_kind
            )
            numbers = range(phase.after + 1, end + 1)
            yield search, map(self._store.proposal, numbers)

    async def _compare(self, search: Search, record: ProposalRecord) -> Difference | None:
        """Return in what the search differs from the record of a proposal."""
        if record.operator in (INJECTED, SEED):
            self._injected += 1
            return None
        if record.newest_evaluation is None:
            self._unrecorded += 1
            return None
        result_number = search.standings.result_number
        if result_number != record.result_number:
            return self._difference(
                record, "the begin point", f"result {record.result_number}", f"result {result_number}"
            )
        draft = search.breeder.begin(record.number, is_local=record.number in self._local)
        self._proposals += 1
        if draft.operator.name != record.operator:
            return self._difference(record, "the operator", record.operator, draft.operator.name)
        if draft.parents != record.parents:
            return self._difference(record, "the choice of parents", _listed(record.parents), _listed(draft.parents))
        if record.state is ProposalState.OPEN or record.kind == "operator_gone":
            return None
        is_of_reply = needs_llm(record.operator)
        if record.number <= self._newest_other and not is_of_reply:
            self._unrecorded += 1
            return None
        difference = await self._compare_outcome(search, draft, record)
        if difference is not None and is_of_reply and record.number <= self._newest_otherwise_read:
            self._unrecorded += 1
            return None
        return difference

    async def _compare_outcome(self, search: Search, draft: Draft, record: ProposalRecord) -> Difference | None:
        try:
            return self._compare_offspring(record, await search.breeder.propose(draft))
        except Refused as refusal:
            return self._compare_verdict(record, refusal.kind, str(refusal))
        except MeasureAgain as request:
            return self._compare_request(record, request)
        except NoOffspring as nothing:
            return self._compare_verdict(record, nothing.kind, str(nothing))
        except _Unanswered as call:
            # A service that does not accept a prompt leaves a request without a reply, and no offspring.
            return (
                None
                if record.kind in ("no_offspring", UNAVAILABLE)
                else self._difference(record, *_verdict(record), str(call))
            )

    def _compare_offspring(self, record: ProposalRecord, proposal: Proposal) -> Difference | None:
        if record.state is ProposalState.REFUSED:
            if record.kind == "duplicate" and self._store.known(normal_form(proposal.source)) is not None:
                return None  # of an individual that was admitted while this one was being made
            return self._difference(record, *_verdict(record), "an individual")
        recorded = self._store.source(record.number)
        if proposal.source != recorded:
            return self._difference(record, *_first_line(recorded, proposal.source))
        idea = self._store.individual(record.number).idea
        if proposal.idea.encode("utf-8", "replace").decode() != idea:
            return self._difference(record, "the idea", repr(idea), repr(proposal.idea))
        self._individuals += 1
        return None

    def _compare_request(self, record: ProposalRecord, request: MeasureAgain) -> Difference | None:
        if record.kind == MEASURED_AGAIN and record.reason == str(request):
            return None
        if record.kind == "duplicate":
            return None  # another proposal had asked for the same meanwhile
        return self._difference(record, *_verdict(record), f"nothing ({MEASURED_AGAIN}: {request})")

    def _compare_verdict(self, record: ProposalRecord, kind: str, reason: str) -> Difference | None:
        if record.kind in (kind, UNAVAILABLE):
            return None
        return self._difference(record, *_verdict(record), f"nothing ({kind}: {reason})")

    def _difference(self, record: ProposalRecord, what: str, recorded: str, replayed: str) -> Difference:
        return Difference(record.number, what, recorded, replayed, self._programs)


def _verdict(record: ProposalRecord) -> tuple[str, str]:
    if record.state is ProposalState.ADMITTED:
        return "the outcome", "an individual"
    return "the outcome", f"nothing ({record.kind}: {record.reason})"


def _listed(parents: tuple[int, ...]) -> str:
    return " and ".join(f"#{parent}" for parent in parents)


def _first_line(recorded: str, replayed: str) -> tuple[str, str, str]:
    """Return where two sources begin to differ, and the line of each there."""
    lines = zip_longest(recorded.split("\n"), replayed.split("\n"))
    number, (was, comes) = next((n, pair) for n, pair in enumerate(lines, start=1) if pair[0] != pair[1])
    return f"line {number} of the source", _quoted(was), _quoted(comes)


def _quoted(line: str | None) -> str:
    return "absent" if line is None else f"`{line[:_LINE_CHARACTERS].strip()}`"


def _changed(versions: Mapping[str, str]) -> str:
    """Return in words which programs have other versions here than a driver found."""
    here = installed_versions()
    changed = [
        f"{name} {here.get(name, 'absent')} instead of {then}"
        for name, then in versions.items()
        if here.get(name) != then
    ]
    return ", ".join(changed)
