"""A run to look at: objects and pandas DataFrames, read from its folder when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evo.config.options import as_path
from evo.config.resolved import StoredConfig
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed, read_config, view
from evo.standings.gains import Gain
from evo.standings.individuals import Standing, read_individuals
from trainer.errors import UsageError
from trainer.genome import unmarked

if TYPE_CHECKING:
    import pandas as pd

    from evo.runs.status import RunStatus

_OUTCOME_COLUMNS = (
    *("evaluation", "individual", "seed", "purpose", "budget_fraction", "status", "device", "attempt", "finished_at"),
)


def open_run(path: str | Path) -> Run:
    """Return a run to look at: live, killed or finished.

    Raises:
        RunFolderError: there is no run at `path`.
    """
    opened = Run(as_path("path", path))
    opened.status()
    return opened


@dataclass(frozen=True, slots=True)
class Individual:
    """One program of a run.

    Attributes:
        id: its number; 0 is generation 0.
        source: the whole program.
        parents: ids; none for generation 0, two after a crossover.
        operator: name of the operator that made it.
        idea: what was changed and why, in the operator's words.
        objectives: means by name over its evaluations of the whole budget that ended OK; empty before the first.
        evaluations: how many these are.
    """

    id: int
    source: str
    parents: tuple[int, ...]
    operator: str
    idea: str
    objectives: Mapping[str, float]
    evaluations: int

    def __repr__(self) -> str:
        measured = ", ".join(f"{name}={value:.6g}" for name, value in self.objectives.items())
        return f"Individual({self.id}, {measured or 'not measured'}, idea={self.idea!r})"


class Run:
    """A run on disk. Everything is read when it is asked for, so a live run shows its newest results.

    Attributes:
        path: the run's folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def best(self) -> Individual | None:
        """The best individual: by confirmed gain once the finalists were confirmed; None before any was measured."""
        with view(self.path) as viewed:
            best = viewed.standings.best()
            return None if best is None else _individual(viewed, best.id)

    @property
    def gain(self) -> Gain | None:
        """The confirmed gain of the best individual over generation 0, with its 95% interval; None before."""
        with view(self.path) as viewed:
            best = viewed.standings.best()
            return None if best is None else viewed.standings.gain(best.id)

    @property
    def front(self) -> list[Individual]:
        """The members of the Pareto front over `config.search.front`."""
        with view(self.path) as viewed:
            return [_individual(viewed, one) for one in viewed.standings.front()[0]]

    @property
    def noise(self) -> Mapping[str, float]:
        """Standard deviation of one evaluation by objective, from the replicates of generation 0; empty before two."""
        with view(self.path) as viewed:
            return viewed.standings.noise()

    @property
    def config(self) -> StoredConfig:
        """The resolved configuration that the run goes by."""
        return read_config(RunFolder.open(self.path), StoredConfig)

    def individual(self, id_: int) -> Individual:
        """Return an individual by its number; raise UsageError when there is none."""
        with view(self.path) as viewed:
            if all(record.id != id_ for record in viewed.store.individuals()):
                raise UsageError(f"There is no individual {id_!r} in {self.path}.")
            return _individual(viewed, id_)

    @property
    def individuals(self) -> pd.DataFrame:
        """All individuals, a row each.

        The index is the id; columns: parents (tuple), operator, idea, evaluations (that ended OK), status (of the
        newest result; None before one), and the mean of every objective.
        """
        import pandas as pd

        with view(self.path) as viewed:
            rows = [
                {
                    "id": one.id,
                    "parents": one.parents,
                    "operator": one.operator,
                    "idea": one.idea,
                    "evaluations": one.replicates,
                    "status": str(one.status) if one.status else None,
                    **{name: one.objectives.get(name) for name in viewed.config.task.measured},
                }
                for one in read_individuals(viewed.store, viewed.standings).values()
            ]
        return pd.DataFrame(rows).set_index("id")

    @property
    def evaluations(self) -> pd.DataFrame:
        """All accepted results in their order, a row each.

        The index is the result's number, from 1; columns: evaluation, individual, seed, purpose, budget_fraction,
        status, device, attempt, finished_at (seconds since 1970, UTC), and every objective that was measured.
        """
        import pandas as pd

        with view(self.path) as viewed:
            objectives = [*viewed.config.task.measured]
            rows = [
                [outcome.result_number, *(getattr(outcome, name) for name in _OUTCOME_COLUMNS)]
                + [outcome.objectives.get(name) for name in objectives]
                for outcome in viewed.store.outcomes()
            ]
        table = pd.DataFrame(rows, columns=["result", *_OUTCOME_COLUMNS, *objectives]).set_index("result")
        return table.astype({"purpose": str, "status": str})

    def status(self) -> RunStatus:
        """Return where the run stands: its state, what runs now, what failed and why, what was used."""
        from evo.runs.status import read_status

        with view(self.path) as viewed:
            return read_status(viewed)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one HTML file that opens without a network, and return its path.

        Args:
            out: the file; `report.html` in the run's folder by default.
        """
        from evo.report.writing import write_report

        with view(self.path) as viewed:
            return write_report(viewed, None if out is None else as_path("out", out))


def _individual(viewed: Viewed, id_: int) -> Individual:
    known = Standing.of(viewed.store.individual(id_), viewed.standings)
    objectives = {name: known.objectives[name] for name in viewed.config.task.measured if name in known.objectives}
    source = unmarked(viewed.store.source(id_))
    return Individual(id_, source, known.parents, known.operator, known.idea, objectives, known.replicates)
