"""The output of the studies: one line a result while they run, and a table at their end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console

from evo.commands.views.terminal import (
    Remarks,
    literal,
    one_line,
    print_line,
    print_prose,
    print_table,
    print_whole,
    stderr_console,
    stdout_console,
)
from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.standings.plan import CONFIRMED_OBJECTIVE
from evo.store import IndividualRecord
from evo.studies.ablation import Ablation
from evo.studies.batch import Trial, Watcher
from evo.studies.comparison import PairedGain
from evo.studies.edits import Change
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.studies.promotion import Promotion
from evo.studies.scale import Scale
from evo.text import relative
from trainer.errors import counted
from trainer.evaluation import Status
from trainer.objectives import Objective, quantity


class Watch(Remarks, Watcher):
    """Shows every result of a study as one line on stderr; `what` is the study in words."""

    def __init__(self, config: ResolvedConfig, objective: Objective, what: str, cache: MeasurementCache) -> None:
        super().__init__()
        self._config = config
        self._objective = objective
        self._what = what
        self._cache = cache
        self._wanted = 0

    def begun(self, wanted: int, known: int) -> None:
        """Print the size of the study."""
        self._wanted, size = wanted, counted(wanted, "evaluation")
        before = f", {known} of them measured before" if known else ""
        workers = self._config.devices
        count = f"{counted(len(workers), 'worker')} on {literal(workers[0].name)}"
        self._say(f"[bold]{literal(self._what)}[/]: {size}{before}, {_each(self._config)}{count}")
        if self._cache.others:
            others, place = counted(self._cache.others, "evaluation"), literal(str(self._cache.path))
            self._say(f"[yellow]{others} in {place} had other settings and do not count[/]")

    def measured(self, trial: Trial, measurement: Measurement, left: int) -> None:
        """Show one result."""
        if measurement.status is Status.OK:
            mark, value = "[green]✓[/]", self._objective.format(measurement.objectives[self._objective.name])
            result = f"{self._objective.name} {value}"
        else:
            mark, result = "[red]✗[/]", f"[red]{measurement.status}[/]: {one_line(measurement.reason)}"
        number = self._wanted - left
        print_line(self._console, f"{number:>4} {mark} {literal(trial.label):<22} seed {trial.seed:<6} {result}")

    def stopping(self) -> None:
        """Say that the study stops."""
        self._say("[yellow]Stopping. Finished evaluations are kept; Ctrl-C again ends it at once.[/]")


def say_joined(finest: Change, change: Change, seeds: int) -> None:
    """Say that neighbouring edits were joined to meet the budget, if they were."""
    if len(change.edits) < len(finest.edits):
        needed = seeds * len(finest.programs)
        _warn(
            f"{len(finest.edits)} edits take {counted(needed, 'evaluation')}: neighbours are joined into "
            f"{len(change.edits)}. --evaluations {needed} measures each."
        )


def say_overridden(scale: Scale, sources: Mapping[int, str], files: Sequence[str]) -> None:
    """Say which individuals lose a part of their change to the scale, if any do."""
    for id_, source in sources.items():
        if lost := scale.overridden(sources[0], source, files):
            _warn(f"#{id_} differs from generation 0 in {literal(', '.join(lost))}, which --scale sets for all.")


def say_changed(frozen: Sequence[str]) -> None:
    """Say which frozen files differ from those of the run, if any do: they are part of the scale."""
    if frozen:
        _warn(f"{literal(', '.join(frozen))} changed since the run began: they count as part of the larger settings.")


def _warn(markup: str) -> None:
    print_prose(stderr_console(), f"[yellow]{markup}[/]")


def print_ablation(config: Config, record: IndividualRecord, result: Ablation) -> None:
    """Print both whole programs, what each edit does, and how to read that."""
    console, objective = stdout_console(), result.objective
    print_line(console, f"[bold]#{record.id}[/]  {one_line(record.idea)}")
    _print_values(console, objective, [("generation 0", result.base), (f"#{record.id}", result.individual)])
    print_whole(console, f"{'gain':<14}{_gain(result.whole)}\n")
    rows = [
        (
            str(number),
            f"+{part.edit.added} −{part.edit.removed}",
            _gain(part.alone, part.remarks[0]),
            _gain(part.left_out, part.remarks[1]),
            part.verdict.value,
            one_line(part.edit.title),
        )
        for number, part in enumerate(result.parts, start=1)
    ]
    header = ("", "lines", "gain alone", "loss left out", "verdict", "edit")
    print_table(console, header, rows, left=("verdict", "edit"))
    for number, part in enumerate(result.parts, start=1):
        for reason, how in zip(part.reasons, (f"edit {number} alone", f"without edit {number}"), strict=True):
            if reason:
                print_line(console, f"[red]{how}: {one_line(reason)}[/]")
    print_whole(console, f"\n{_reading(config, result)}")


def print_promotion(config: Config, result: Promotion) -> None:
    """Print every individual beside generation 0 at the scale, and how to read that."""
    console, objective = stdout_console(), result.objective
    _print_values(console, objective, [("generation 0", result.base)], result.base_remark)
    rows = [
        (
            f"#{one.contender.individual}",
            "-" if one.value is None else objective.format(one.value),
            _gain(one.gain, one.remark),
            _share(one.gain.mean, result.base, objective),
            _gain_in_run(one.contender.in_run, confirmed=one.contender.confirmed),
            _share(one.contender.share_in_run, math.copysign(1.0, result.base or 1.0), objective),
            one.verdict.value,
            one_line(one.contender.idea),
        )
        for one in result.promoted
    ]
    header = ("id", objective.name, "gain here", "", "gain in the run", "", "verdict", "idea")
    print_whole(console, "")
    print_table(console, header, rows, left=("verdict", "idea"))
    for name, reason in [
        ("generation 0", result.base_reason),
        *((f"#{one.contender.individual}", one.reason) for one in result.promoted),
    ]:
        if reason:
            print_line(console, f"[red]{name}: {one_line(reason)}[/]")
    print_whole(console, f"\n{_reading(config, result)}")


def _print_values(
    console: Console, objective: Objective, values: Sequence[tuple[str, float | None]], remark: str = ""
) -> None:
    for name, value in values:
        shown = "not measured" if value is None else f"{literal(objective.label)} {objective.format(value)}"
        print_whole(console, f"{name:<14}{shown}{f' [red]({literal(remark)})[/]' if remark else ''}")


def _gain(gain: PairedGain, remark: str = "") -> str:
    """Return a gain with its noise, or what came in its place."""
    aside = f" [red]({literal(remark)})[/]" if remark else ""
    if gain.mean is None:
        return f"[red]{literal(remark)}[/]" if remark else "-"
    return f"{quantity(gain.mean, gain.noise, signed=True)}{aside}"


def _gain_in_run(gain: PairedGain | None, *, confirmed: bool) -> str:
    if gain is None:
        return "not measured"
    return _gain(gain) if confirmed else f"{_gain(gain)}, not confirmed"


def _share(gain: float | None, base: float | None, objective: Objective) -> str:
    """Return a gain beside the value that it is over: `+2.1%`, `−3-fold`."""
    compared = relative(base + objective.weight * gain, base) if gain and base else ""
    return f"{'+' if gain and gain > 0 else '−'}{compared}" if compared else ""


def _each(config: Config) -> str:
    """Return how long one evaluation takes, as far as the configuration says."""
    if config.script is None:
        return f"{config.budget.train_seconds:g} s of training each, "
    seconds = config.script.fixed_seconds
    return f"about {seconds:g} s each, " if seconds else ""


def _reading(config: Config, result: Ablation | Promotion) -> str:
    """Return what the numbers mean."""
    objective, seeds = result.objective, len(result.seeds)
    is_held_out = objective.name == CONFIRMED_OBJECTIVE and config.script is None
    where = ", on the held-out split G" if is_held_out else ""
    unit = f" in {literal(objective.unit)}" if objective.unit else ""
    pairs = f"{counted(seeds, 'seed')} that the search did not use"
    noise = "their noise is unknown: "
    noise += "every seed gives the same run" if seeds > 1 else "--seeds 2 or more measures it"
    if config.task.is_deterministic:
        noise = 'they are exact, as `task.noise = "none"` says'
    elif result.paired_noise.degrees:
        noise = f"± is one standard error, and more than {result.paired_noise.quantile:.1f} of them are beyond noise"
    return f"[dim]Gains{unit}, positive is better, over {pairs}{where}; {noise}.[/]"
