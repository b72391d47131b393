"""What is measured at the scales of a ladder beside its runs, and what runs and measurements have cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from evo.runs import lifecycle as runs
from evo.runs.folder import RunFolder
from evo.runs.materials import Materials
from evo.scales.budget import Unit
from evo.scales.definition import Definition
from evo.scales.folder import LadderFolder, LadderOutcome
from evo.scales.promotion import program_at
from evo.scales.standing import run_seconds
from evo.scales.view import View
from evo.standings.usage import Prices
from evo.store import Store
from evo.studies.batch import Trial, conditions, measure, study_seeds
from evo.studies.comparison import PairedGain, Sample, gain_over, noise_between
from evo.studies.measurement_cache import MeasurementCache
from evo.workers import Evaluator
from trainer.evaluation import Status

_SHORTEST_SECONDS = 1e-3

Evaluators = Callable[[int], Evaluator]
"""Makes what evaluates at a scale, by its number."""


class Bench:
    """Measures individuals of a ladder's runs at its scales, each program with every seed once.

    Scales are numbered from 0, from small to large; values are of the first objective.

    Evaluators are the workers of the configurations unless others are given.
    """

    def __init__(
        self,
        definition: Definition,
        folder: LadderFolder,
        materials: Sequence[Materials],
        view: View,
        evaluators: Evaluators | None = None,
    ) -> None:
        self._scales = definition.scales
        self._seed_count = definition.ladder.seeds
        self._final_seeds = 1 if self._scales[-1].config.task.is_deterministic else definition.ladder.final_seeds
        self._objective = definition.objective
        self._folder = folder
        self._materials = materials
        self._view = view
        self._evaluators = evaluators
        self._caches = [
            MeasurementCache(folder.measured(number, one.name), conditions(one.config, own))
            for number, (one, own) in enumerate(zip(self._scales, materials, strict=True))
        ]

    def run(self, number: int) -> RunFolder:
        """Return the folder of the run of a scale."""
        return self._folder.run(number, self._scales[number].name)

    def has_run(self, number: int) -> bool:
        """Return whether the run of a scale has begun."""
        run = self.run(number)
        return run.store.exists() and not run.is_half_made()

    def evaluator(self, number: int) -> Evaluator | None:
        """Return what evaluates at a scale; None for the workers of its configuration."""
        return self._evaluators(number) if self._evaluators else None

    # Individuals of one scale at another

    def programs(self, number: int, target: int, individuals: Sequence[int]) -> dict[int, str]:
        """Return individuals of one scale as programs of another, as far as they can be one there, in their order."""
        if not individuals:
            return {}
        with runs.view(self.run(number).path) as viewed:
            found = {one: program_at(self._scales[target], viewed.store.source(one), one) for one in individuals}
        return {one: program for one, program in found.items() if program is not None}

    def measure(self, number: int, target: int, individuals: Sequence[int]) -> bool:
        """Measure individuals of one scale at another; return whether all are."""
        small, large = self._scales[number].name, self._scales[target].name
        programs = self.programs(number, target, individuals)
        labels = {f"#{one} of {small}": program for one, program in programs.items()}
        return self._measure(target, labels, f"individuals of {small} at {large}", self._seeds(target))

    def measure_generation_zero(self, number: int) -> bool:
        """Measure generation 0 at a scale; return whether that is complete."""
        scale = self._scales[number]
        return self._measure(
            number, {"generation 0": scale.generation_zero}, f"generation 0 at {scale.name}", self._seeds(number)
        )

    def generation_zero(self, number: int) -> Sample:
        """Return what generation 0 measured at a scale."""
        return self._sample(number, self._scales[number].generation_zero)

    def values(self, number: int, target: int, individuals: Sequence[int]) -> dict[int, float | None]:
        """Return what individuals of one scale measured at another; None for those that fail or cannot be one there."""
        programs = self.programs(number, target, individuals)
        return {
            one: self._sample(target, programs[one]).mean(self._objective) if one in programs else None
            for one in individuals
        }

    def gain(self, number: int, individuals: Sequence[int]) -> float | None:
        """Return the best gain of individuals of a scale over generation 0 at the largest; None where none is known."""
        last, objective = len(self._scales) - 1, self._objective
        base, found = self.generation_zero(last).values(objective), []
        for program in self.programs(number, last, individuals).values():
            own = self._sample(last, program).values(objective)
            differences = [objective.weight * (own[seed] - base[seed]) for seed in own.keys() & base.keys()]
            if differences:
                found.append(math.fsum(differences) / len(differences))
        return max(found, default=None)

    def _seeds(self, number: int) -> list[int]:
        return study_seeds(self._scales[number].config, self._seed_count)

    def _sample(self, number: int, program: str) -> Sample:
        return Sample.of(self._caches[number], program, self._seeds(number))

    def _measure(self, number: int, programs: Mapping[str, str], what: str, seeds: Sequence[int]) -> bool:
        scale, cache = self._scales[number], self._caches[number]
        trials = [Trial(label, program, seed) for seed in seeds for label, program in programs.items()]
        if all(cache.get(trial.program, trial.seed) is not None for trial in trials):
            return True
        watcher = self._view.study(scale.config, self._objective, what, cache)
        return measure(scale.config, self._materials[number], trials, cache, watcher, evaluator=self.evaluator(number))

    # The end

    @property
    def final_evaluations(self) -> int:
        """How many evaluations at the largest scale the outcome takes."""
        return 2 * self._final_seeds

    def outcome(self) -> LadderOutcome | None:
        """Measure what the best at the largest scale gains, with seeds that nothing else uses; None if interrupted."""
        last = len(self._scales) - 1
        scale, evaluations = self._scales[last], self.spent_evaluations(last)
        with runs.view(self.run(last).path) as viewed:
            best = viewed.standings.best()
            chosen = 0 if best is None else best.id
            program = viewed.store.source(chosen)
        seeds = study_seeds(scale.config, self._seed_count + self._final_seeds)[self._seed_count :]
        labels = {"generation 0": scale.generation_zero} | ({f"#{chosen}": program} if chosen else {})
        if not self._measure(last, labels, f"the best at {scale.name}", seeds):
            return None
        base, own = (Sample.of(self._caches[last], one, seeds) for one in (scale.generation_zero, program))
        is_exact = scale.config.task.is_deterministic
        noise = noise_between(base, [own], self._objective, is_exact=is_exact)
        gain = gain_over(own, base, self._objective, noise) if chosen else PairedGain(None, None, None, 0)
        means = (own.mean(self._objective), base.mean(self._objective))
        return LadderOutcome(chosen, evaluations, *means, gain, is_exact)

    # What was spent

    def unit(self, number: int) -> Unit:
        """Return what a generation at a scale takes, by what was measured so far."""
        scale = self._scales[number]
        return Unit(scale.config.search.pop, max(_SHORTEST_SECONDS, self._evaluation_seconds(number)))

    def spent_evaluations(self, number: int) -> int:
        """Return the evaluations that the run of a scale has spent."""
        if not self.has_run(number):
            return 0
        with Store.read(self.run(number).store) as store:
            return math.ceil(store.spent())

    def run_seconds(self, number: int) -> float:
        """Return the seconds of all devices together that the run of a scale has taken."""
        if not self.has_run(number):
            return 0.0
        scale = self._scales[number]
        with Store.read(self.run(number).store) as store:
            return run_seconds(store, scale.config, scale.evaluation_seconds)

    def spent_seconds(self) -> float:
        """Return the same of the whole ladder, with what was measured beside the runs."""
        return math.fsum(self.run_seconds(number) + self._studied(number) for number in range(len(self._scales)))

    def _studied(self, number: int) -> float:
        measured, each = self._caches[number].measured(), self._scales[number].evaluation_seconds
        if each is not None:
            return each * len(measured)
        return self._prices(number).gpu_seconds(math.fsum(one.seconds for one in measured))

    def _evaluation_seconds(self, number: int) -> float:
        named = self._scales[number].evaluation_seconds
        if named is not None:
            return named
        if evaluations := self.spent_evaluations(number):
            return self.run_seconds(number) / evaluations
        told = [one.seconds for one in self._caches[number].measured() if one.status is Status.OK]
        return self._prices(number).gpu_seconds(math.fsum(told)) / max(1, len(told))

    def _prices(self, number: int) -> Prices:
        return Prices.of(self._scales[number].config)
