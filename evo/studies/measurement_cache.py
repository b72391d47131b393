"""The measurements of a study, kept beside the run so that a repeated command resumes instead of paying twice.

The run's store is the record of its search and stays as it is; a cache can be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from evo.files import read_text, replace_file
from evo.standings.plan import CONFIRMED_OBJECTIVE
from evo.text import sha256
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Split, Status


@dataclass(frozen=True, slots=True)
class Measurement:
    """One evaluation of a study.

    Attributes:
        objectives: by name, empty unless `status` is OK; bits per byte are those of the split that selection never saw.
        reason: why it failed.
        seconds: wall seconds of the worker.
    """

    status: Status
    objectives: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0

    @classmethod
    def of(cls, evaluation: Evaluation, held_out: Split = Split.HOLDOUT) -> Self:
        """Return what a study keeps of a verdict: bits per byte on the split that selection never saw."""
        objectives = dict(evaluation.objectives)
        if evaluation.status is Status.OK and held_out in evaluation.split_bpb:
            objectives[CONFIRMED_OBJECTIVE] = evaluation.split_bpb[held_out]
        return cls(evaluation.status, objectives, evaluation.reason, evaluation.timings.total_seconds)


class MeasurementCache:
    """Measurements by program and seed, in a file that is never seen half written.

    The file keeps what was measured under other conditions, for a study that comes back to them.

    Attributes:
        others: how many measurements it has from under other conditions.
    """

    def __init__(self, path: Path, conditions: Mapping[str, Any], *, read_only: bool = False) -> None:
        """Read what there is.

        Args:
            path: of the file, which need not exist.
            conditions: everything beside program and seed that decides what an evaluation measures, as JSON has it.
            read_only: leave the file as it is; another process may be writing it.

        Raises:
            MachineError: the file cannot be read or written.
        """
        self.path = path
        self._own = sha256(json.dumps(conditions, sort_keys=True))
        self._conditions: dict[str, Any] = {}
        self._measured: dict[tuple[str, str, int], Measurement] = {}
        self._read()
        self._conditions[self._own] = conditions
        self.others = sum(under != self._own for under, *_ in self._measured)
        if not read_only:
            self._write()  # before anything is paid for

    def get(self, program: str, seed: int) -> Measurement | None:
        """Return what was measured of a program with a seed, None before that."""
        return self._measured.get((self._own, sha256(program), seed))

    def measured(self) -> list[Measurement]:
        """Return everything that was measured under these conditions."""
        return [one for (under, *_), one in self._measured.items() if under == self._own]

    def add(self, program: str, seed: int, measurement: Measurement) -> None:
        """Keep a measurement; what the infrastructure lost is known until the process ends."""
        self._measured[self._own, sha256(program), seed] = measurement
        self._write()

    def _read(self) -> None:
        try:
            data = json.loads(read_text(self.path))
            self._conditions = dict(data["conditions"])
            for entry in data["measurements"]:
                measurement = Measurement(
                    Status(entry["status"]), entry["objectives"], entry["reason"], entry.get("seconds", 0.0)
                )
                self._measured[entry["conditions"], entry["program"], entry["seed"]] = measurement
        except FileNotFoundError:
            return
        except OSError as error:
            raise MachineError(f"{self.path} was expected to be readable, but it is not: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise MachineError(
                f"{self.path} was expected to hold what was measured before, but it is damaged. Delete it."
            ) from error

    def _write(self) -> None:
        entries = [
            {"conditions": conditions, "program": program, "seed": seed, **asdict(one)}
            for (conditions, program, seed), one in self._measured.items()
            if one.status is not Status.LOST  # to be tried again
        ]
        content = json.dumps({"conditions": self._conditions, "measurements": entries}, indent=1)
        try:
            replace_file(self.path, content, durable=True)
        except OSError as error:
            raise MachineError(
                f"Measurements could not be kept in {self.path}: {error.strerror}. Make room, or "
                "copy the run to a folder that you can write."
            ) from error
