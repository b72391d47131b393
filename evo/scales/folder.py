"""The folder of a ladder: an ordinary run folder for each scale, what was measured beside them, and a journal.

begun.json              the definition, and what it stood for on this machine, when the ladder began
lock                    held by `evo ladder` as long as it works here
1-SMALL/, 2-LARGE/      the runs, as `evo run` makes them
measured-1-SMALL.json   what individuals measured at a scale with seeds that no search uses (`evo.studies`)
outcome.json            what the best at the largest scale gained, measured at the end
journal.json            rounds: what each scale was given, which individuals were compared, what that showed
ladder.md, ladder.json  the report
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evo.runs.folder import RunFolder
from evo.studies.comparison import PairedGain
from evo.studies.folder import BEGUN, StudyFolder

_JOURNAL = "journal.json"
_OUTCOME = "outcome.json"


@dataclass(frozen=True, slots=True)
class LadderOutcome:
    """What the best individual at the largest scale gained over generation 0, measured at the end.

    Attributes:
        individual: of the run of that scale; 0 where nothing better than generation 0 was found.
        evaluations: of that run before it.
        value: mean; None where no seed ended OK.
        generation_zero: likewise.
        gain: over the seeds that both ended OK with.
        is_exact: whether there is no noise, by the task's own word.
    """

    individual: int
    evaluations: float
    value: float | None
    generation_zero: float | None
    gain: PairedGain
    is_exact: bool


@dataclass(slots=True)
class Compared:
    """Individuals of a scale that are measured there and at the next one.

    Attributes:
        promoted: ids of those that go on, the best first.
        others: ids of a spread of those that do not.
        values: of those that ended OK at both scales, by id; empty until they were measured.
        failed: ids of those that did not at the next scale.
    """

    promoted: list[int]
    others: list[int]
    values: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Step:
    """What the search at one scale and its comparisons did in one round.

    Attributes:
        gain: of its best at the largest scale over generation 0 there; None where that is not known.
        raised: by how much that raised the best known.
    """

    seconds: float
    gain: float | None
    raised: float


@dataclass(slots=True)
class Round:
    """One round, by the names of the scales.

    Attributes:
        spent_seconds: of the whole ladder before it.
        shares: of its seconds.
        until: evaluations that the run of a scale has in total after it.
        limits: seconds of all devices together that this run has in total after it; none where they are not measured.
        searched: how the search of a scale ended.
        compared: by the smaller of two scales.
        steps: what came of it; complete once every scale has one.
    """

    spent_seconds: float
    shares: dict[str, float]
    until: dict[str, int]
    limits: dict[str, float] = field(default_factory=dict)
    searched: dict[str, str] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Round:
        """Return the round that the journal has."""
        compared = {
            name: Compared(**{**one, "values": {id_: tuple(pair) for id_, pair in one["values"].items()}})
            for name, one in data["compared"].items()
        }
        return cls(
            **{**data, "compared": compared, "steps": {name: Step(**one) for name, one in data["steps"].items()}}
        )


@dataclass(frozen=True, slots=True)
class LadderFolder(StudyFolder):
    """The paths of a ladder; scales are numbered from 0."""

    @classmethod
    def holds(cls, path: Path) -> bool:
        """Return whether there is a ladder at a path: its journal, or what it began with."""
        if (path / "evo.db").exists():
            return False
        begun = cls(path).begun if (path / BEGUN).is_file() else None
        return begun is not None and "ladder" in begun

    def run(self, number: int, name: str) -> RunFolder:
        """Return the folder of the run of a scale."""
        return RunFolder(self.path / f"{number + 1}-{name}")

    def measured(self, number: int, name: str) -> Path:
        """Return the file of what was measured at a scale beside its run."""
        return self.path / f"measured-{number + 1}-{name}.json"

    def rounds(self) -> list[Round]:
        """Return the rounds of the journal, the one under way last."""
        data = self.read(_JOURNAL) or {"rounds": []}
        return [Round.of(one) for one in data["rounds"]]

    @property
    def outcome(self) -> LadderOutcome | None:
        """What was measured at the end; None before that."""
        data = self.read(_OUTCOME)
        return None if data is None else LadderOutcome(**{**data, "gain": PairedGain(**data["gain"])})

    def keep_outcome(self, outcome: LadderOutcome) -> None:
        """Write what was measured at the end."""
        self.write(_OUTCOME, asdict(outcome))

    def keep(self, rounds: list[Round]) -> None:
        """Write the journal."""
        self.write(_JOURNAL, {"rounds": [asdict(one) for one in rounds]})
