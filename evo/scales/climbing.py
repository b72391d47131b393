"""What is missing of a ladder, one step after the other.

Generation 0 is tried at every scale, the largest first, before anything else is paid for. Then round by round: a search
at each scale from small to large, whose winners are measured at the next scale beside a spread of others and go on into
its population. Every decision is in the journal before anything acts on it, and runs and measurements keep what was
paid for; so what was interrupted anywhere goes on from there.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence

from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs import lifecycle as runs
from evo.runs.generation_zero import Programs
from evo.scales.bench import Bench
from evo.scales.budget import Account, Spell, Unit, allotted, first_round_seconds, largest_alone, round_count, shares
from evo.scales.definition import Definition
from evo.scales.folder import Compared, LadderFolder, Round, Step
from evo.scales.promotion import chosen
from evo.scales.standing import agreements, transfers
from evo.scales.view import View
from evo.search.stopping import Stopped, StopReason
from evo.standings.plan import make_plan
from evo.standings.usage import SECONDS_AN_HOUR
from evo.steering.actions import Action, Verb
from evo.steering.inbox import Inbox
from evo.store import Store
from evo.text import sha256
from trainer.errors import ConfigError, GenomeError

_SLACK = 1.25
"""How far the seconds of a search may exceed what its evaluations were expected to take."""
_FINAL = frozenset((StopReason.NO_OFFSPRING, StopReason.COST_LIMIT))
"""Endings other than by rule after which the ladder goes on all the same."""
_WHO = "evo ladder"
_INTERRUPTED = "interrupted"


class Climbing:
    """Carries out what is missing of a ladder.

    The caller holds the lock of the folder.

    Attributes:
        halted: why it is not complete; empty where it is.
    """

    def __init__(self, definition: Definition, folder: LadderFolder, bench: Bench, view: View) -> None:
        self._ladder = definition.ladder
        self._scales = definition.scales
        self._names = [one.name for one in definition.scales]
        self._last = len(definition.scales) - 1
        self._folder = folder
        self._bench = bench
        self._view = view
        self._rounds = folder.rounds()
        self.halted = ""

    def run(self) -> bool:
        """Do what is missing; return whether all of it is done.

        Raises:
            GenomeError: generation 0 fails at a scale.
            ConfigError: the seconds do not pay for a generation at each scale.
            MachineError: a device, a disk or a worker failed.
        """
        if not self._try_generation_zero():
            return False
        while True:
            if not self._rounds or len(self._rounds[-1].steps) == len(self._scales):
                coming = self._next_round()
                if coming is None:
                    return self._judge()
                self._rounds.append(coming)
                self._keep()
            if not self._climb(self._rounds[-1]):
                return False

    def _try_generation_zero(self) -> bool:
        """Measure generation 0 at every scale, the largest first; return whether that is complete."""
        for number in reversed(range(len(self._scales))):
            if not self._bench.measure_generation_zero(number):
                return self._interrupted()
            sample = self._bench.generation_zero(number)
            if sample.has_failed:
                status = next(iter(sample.measurements.values())).status
                raise GenomeError(
                    f"Generation 0 must train and be scored at every scale before anything is searched, but at "
                    f"{self._names[number]} it ended {status}: {sample.reason}"
                )
        return True

    def _judge(self) -> bool:
        """Measure what the best at the largest scale gains, unless that is known; return whether it is."""
        known = self._folder.outcome
        if known is None or known.evaluations != self._bench.spent_evaluations(self._last):
            outcome = self._bench.outcome()
            if outcome is None:
                return self._interrupted()
            self._folder.keep_outcome(outcome)
        return True

    def _keep(self) -> None:
        self._folder.keep(self._rounds)

    def _interrupted(self) -> bool:
        self.halted = _INTERRUPTED
        return False

    # Rounds

    def _next_round(self) -> Round | None:
        """Return what the next round gives each scale; None where nothing is left that pays for a generation."""
        units = [self._bench.unit(number) for number in range(len(self._scales))]
        spent, reserve = self._bench.spent_seconds(), self._reserve_seconds(units, is_first=not self._rounds)
        if self._rounds and spent <= self._rounds[-1].spent_seconds:  # no search has anything more to try
            return None
        coming = self._coming_rounds(units, spent)
        left = self._ladder.total_seconds - self._bench.final_evaluations * units[-1].seconds - spent
        parts = shares(self._accounts(), self._ladder.floor)
        evaluations = allotted(left / coming - reserve, parts, units)
        if not any(evaluations):  # too little for a round, but perhaps enough for a generation
            coming, evaluations = 1, allotted(left - reserve, parts, units)
        if coming == 1 and not evaluations[-1]:  # what small scales find would not come to anything
            evaluations = allotted(left, largest_alone(units), units)
        if not any(evaluations):
            return None
        given = dict(zip(self._names, evaluations, strict=True))
        done = map(self._bench.spent_evaluations, range(len(self._scales)))
        self._view.round_begun(len(self._rounds) + 1, coming, given, left)
        return Round(
            spent_seconds=spent,
            shares=dict(zip(self._names, parts, strict=True)),
            until={name: before + given[name] for name, before in zip(self._names, done, strict=True)},
            limits={
                one.name: self._bench.run_seconds(number) + _SLACK * given[one.name] * units[number].seconds
                for number, one in enumerate(self._scales)
                if one.evaluation_seconds is None
            },
        )

    def _coming_rounds(self, units: Sequence[Unit], spent: float) -> int:
        """Return in how many rounds what is left is spent.

        Raises:
            ConfigError: not even the first one reaches all scales.
        """
        total, reserve = self._ladder.total_seconds, self._reserve_seconds(units, is_first=True)
        final = self._bench.final_evaluations * units[-1].seconds
        before = self._rounds[0].spent_seconds if self._rounds else spent
        planned = round_count(total - before - final, self._ladder.rounds, units, reserve)
        if self._rounds:
            return max(1, round(planned * (total - spent) / total))
        if not planned:
            least = math.ceil(spent + final + first_round_seconds(units, reserve))
            raise ConfigError(
                f"`ladder.total_seconds` is {total:g}, but a generation at each of {len(units)} scales, the comparison "
                f"between them and the end take {least}: a generation at {self._names[-1]} is "
                f"{units[-1].evaluations} evaluations of {units[-1].seconds:.3g} s. Give more, or a smaller "
                "`search.pop`."
            )
        return planned

    def _reserve_seconds(self, units: Sequence[Unit], *, is_first: bool) -> float:
        """Return what the comparisons of a round take: more of them in the first one."""
        count = self._ladder.compare if is_first else self._ladder.promote
        pairs = math.fsum(units[number].seconds + units[number + 1].seconds for number in range(self._last))
        return self._ladder.seeds * (count * pairs + self._last * units[-1].seconds)

    def _accounts(self) -> list[Account]:
        carried = transfers(agreements(self._names, self._rounds))
        spells = [
            [Spell(one.steps[name].seconds, one.steps[name].raised) for one in self._rounds] for name in self._names
        ]
        return [Account(own, transfer) for own, transfer in zip(spells, carried, strict=True)]

    def _climb(self, one: Round) -> bool:
        """Do what is missing of a round; return whether that is complete."""
        for number, name in enumerate(self._names):
            if name in one.steps:
                continue
            if name not in one.searched and not self._search(one, number):
                return False
            if not self._compare(one, number):
                return self._interrupted()
            self._conclude(one, number)
        return True

    # One scale in one round

    def _search(self, one: Round, number: int) -> bool:
        """Start or resume the run of a scale; return whether it ended with what the round gives it."""
        name, reason = self._names[number], "nothing was left to do"
        if one.until[name] > self._bench.spent_evaluations(number):
            stopped = self._driven(number, self._config(one, number))
            if not (stopped.stop_reason.is_by_rule or stopped.stop_reason in _FINAL):
                self.halted = stopped.reason
                return False
            reason = stopped.reason
        one.searched[name] = reason
        self._keep()
        return True

    def _config(self, one: Round, number: int) -> ResolvedConfig:
        """Return the configuration with which the run of a scale is driven in a round."""
        scale = self._scales[number]
        limit = one.limits.get(scale.name)
        return scale.config.with_search(
            gens=math.ceil(one.until[scale.name] / scale.config.search.pop),
            max_gpu_hours=None if limit is None else limit / SECONDS_AN_HOUR,
        )

    def _driven(self, number: int, config: ResolvedConfig) -> Stopped:
        """Drive the run of a scale, with what wins at the one below in its population."""
        scale, run, evaluator = self._scales[number], self._bench.run(number), self._bench.evaluator(number)
        arriving = self._arriving(number)
        if run.is_half_made():  # nothing was evaluated
            shutil.rmtree(run.path)
        with self._view.search(config, run.path) as (observer, progress):
            if not run.store.exists():
                plan = make_plan(config)
                room = max(0, plan.search_end - plan.baseline - 1)
                programs = Programs(scale.generation_zero, [*scale.seed_genomes, *arriving.values()][:room])
                return runs.start(config, run.path, observer, progress, evaluator, programs)
            inbox = Inbox(run.steering)
            for order, (label, program) in enumerate(arriving.items()):
                inbox.send(_injection(label, program, order))

            def changed(_: Config) -> ResolvedConfig:
                return config

            return runs.resume(run.path, observer, changed, progress=progress, evaluator=evaluator)

    def _arriving(self, number: int) -> dict[str, str]:
        """Return the programs that the scale below sends to the run of this one, by what they are called, newest first.

        Only those that ended OK at this scale and that the run does not have yet.
        """
        if not number:
            return {}
        below, has = self._names[number - 1], set[str]()
        sent = [one.compared[below] for one in reversed(self._rounds) if below in one.compared]
        arriving = [one for each in sent for one in each.promoted if str(one) in each.values]
        if self._bench.has_run(number):
            with Store.read(self._bench.run(number).store) as store:
                has = {record.genome_sha256 for record in store.individuals()}
        programs = self._bench.programs(number - 1, number, arriving)
        return {f"#{one} of {below}": text for one, text in programs.items() if sha256(text) not in has}

    def _compare(self, one: Round, number: int) -> bool:
        """Measure individuals here and at the next scale, and the best at the largest one; return whether all are."""
        name = self._names[number]
        if name not in one.compared:
            one.compared[name] = self._choose(number)
            self._keep()
        compared = one.compared[name]
        individuals = [*compared.promoted, *compared.others]
        neighbours = (number, number + 1) if number < self._last else ()
        return all(self._bench.measure(number, target, individuals) for target in neighbours) and self._bench.measure(
            number, self._last, self._best_of(number, compared)
        )

    def _best_of(self, number: int, compared: Compared) -> Sequence[int]:
        """Return the individuals that show what a scale has brought: all that are measured at the largest anyway."""
        return compared.promoted if number + 1 == self._last else compared.promoted[:1]

    def _choose(self, number: int) -> Compared:
        """Return the individuals that go on from a scale, and those that are compared with them."""
        if not self._bench.has_run(number):
            return Compared([], [])
        name = self._names[number]
        before = [one.compared[name] for one in self._rounds if name in one.compared]
        known = {id_ for each in before for id_ in (*each.promoted, *each.others)}
        with runs.view(self._bench.run(number).path) as viewed:
            if number == self._last:
                best = viewed.standings.best()
                return Compared([best.id] if best is not None and best.id else [], [])
            compare = self._ladder.compare if len(known) < self._ladder.compare else 0
            return chosen(viewed, known, self._ladder.promote, compare)

    def _conclude(self, one: Round, number: int) -> None:
        """Record what the measurements of a step have shown."""
        name = self._names[number]
        compared = one.compared[name]
        if number < self._last:
            self._record_pairs(number, compared)
        gain = self._bench.gain(number, self._best_of(number, compared))
        known = [step.gain for each in self._rounds for step in each.steps.values() if step.gain is not None]
        raised = 0.0 if gain is None else max(0.0, gain - max([0.0, *known]))
        before = one.spent_seconds + math.fsum(step.seconds for step in one.steps.values())
        one.steps[name] = Step(max(0.0, self._bench.spent_seconds() - before), gain, raised)
        self._keep()

    def _record_pairs(self, number: int, compared: Compared) -> None:
        individuals = [*compared.promoted, *compared.others]
        here, there = (self._bench.values(number, target, individuals) for target in (number, number + 1))
        compared.values = {
            str(one): (own, other)
            for one in individuals
            if (own := here[one]) is not None and (other := there[one]) is not None
        }
        compared.failed = [one for one in individuals if there[one] is None]


def _injection(label: str, program: str, order: int) -> Action:
    """Return the request that adds a program to a run: the same one, however often it is made."""
    identity = sha256(program)[:16]
    return Action(Verb.INJECT, id=identity, who=_WHO, at=float(order), individual=0, text=program, idea=label)
