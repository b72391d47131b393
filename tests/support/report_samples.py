"""Reports of made-up runs, for tests of the page that shows them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from evo.report.data import EvaluationRow, LineStep, RunReport
from evo.standings.differences import Difference
from evo.standings.gains import Gain
from evo.standings.individuals import OperatorResults, Standing
from evo.standings.lessons import Lessons
from evo.standings.outages import Outages
from evo.standings.plan import Confirmed
from evo.standings.standings import Lead
from evo.standings.summary import Summary
from evo.store import Spending, Work
from trainer.evaluation import Status
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES as OBJECTIVES

BPB, SPEED = OBJECTIVES["val_bpb"], OBJECTIVES["tokens_per_second"]
_OBJECTIVES = (BPB, SPEED, OBJECTIVES["peak_memory_mib"], OBJECTIVES["parameters"])
SIGMA = 0.0012
_STARTED = datetime(2026, 11, 20, 21, 4, tzinfo=UTC).timestamp()

_OPERATORS = {
    "llm_mutation": "Warm the learning rate up over the first steps and decay it to zero linearly: the budget is too "
    "short for a long plateau, and the last tenth of a decay is worth most.",
    "llm_crossover": "Take the rotary attention of the first parent and the squared ReLU of the second.",
    "random_mutation": "LEARNING_RATE 0.003 → 0.0042",
    "merge_crossover": "Three-way merge over the common ancestor.",
}

SOURCE = '''"""A small language model."""

import torch
from torch import nn

DEPTH = 4
WIDTH = 128
LEARNING_RATE = 3e-3
BATCH_TOKENS = 4096


class Block(nn.Module):
    """Attention, then a feed-forward layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.feed_forward(self.norm(x))


def build_model(task):
    return nn.Sequential(*[Block(WIDTH) for _ in range(DEPTH)])


def train(model, task):
    tokens = task.train_tokens()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    while task.seconds_left() > 0:
        optimizer.zero_grad()
        loss = model(tokens[:BATCH_TOKENS]).mean()
        loss.backward()
        optimizer.step()
'''


def sample_run(offspring: int = 60, *, population: int = 16, seed: int = 0, **changes: Any) -> RunReport:
    """Return the report of a simulated (μ+1) run; `changes` replace fields of it or of its summary."""
    simulation = _Simulation(offspring, population, seed)
    return changed(RunReport(**simulation.fields(), summary=simulation.summary()), **changes)


def changed(report: RunReport, **changes: Any) -> RunReport:
    """Return a report with other fields of it or of its summary; `best` and `front` are given by their ids."""
    own = {name: changes.pop(name) for name in [*changes] if name in RunReport.__dataclass_fields__}
    report = replace(report, **own)
    if "front" in changes:
        changes["front"] = tuple(report.by_id[one] for one in changes["front"])
    if "best" in changes:
        changes["best"] = None if changes["best"] is None else report.by_id[changes["best"]]
    return replace(report, summary=replace(report.summary, **changes))


def bare_run(**changes: Any) -> RunReport:
    """Return the report of a run that has evaluated nothing yet; `changes` replace fields of it."""
    fields = {
        "individuals": (Standing(0, (), "seed", "generation 0", None),),
        "evaluations": (),
        "statuses": {},
        "leads": (),
        "gains": {},
        "best": None,
        "front": (),
        "knee": None,
        "hypervolume": (),
        "best_line": (),
        "operators": (),
        "gain": None,
        "noise": {},
        "state": "Running.",
        "spending": Spending(),
    }
    return sample_run(0, **{**fields, **changes})


def gains_over_generation_0(individuals: Iterable[Standing], sigma: float | None) -> dict[int, Difference]:
    """Return what the standings of a run with these individuals would say."""
    measured = {one.id: one for one in individuals if one.objectives}
    zero = measured.pop(0, None)
    if zero is None:
        return {}
    base = zero.objectives["val_bpb"]
    return {
        one.id: Difference.of(base - one.objectives["val_bpb"], base, sigma, one.replicates, zero.replicates)
        for one in measured.values()
    }


def confirmed(individual: int, own: float, base: float, noise: float = 0.01, seeds: int = 3) -> Gain:
    """Return the confirmed gain of an individual in a minimised objective."""
    return Gain(individual, base - own, own, base, noise, 2 * noise, seeds, is_behind=False)


class _Simulation:
    """Offspring are their parent plus luck; one in nine fails, one in forty is far worse."""

    def __init__(self, offspring: int, population_size: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.population_size = population_size
        self.rows = {0: Standing(0, (), "seed", "generation 0", None)}
        self.sources = {0: SOURCE}
        self.evaluations: list[EvaluationRow] = []
        self.truth: dict[int, tuple[float, float]] = {0: (1.98, 52_000.0)}
        for run_seed in range(3):
            self.evaluate(0, run_seed)
        self.population = [0]
        for number in range(1, offspring + 1):
            self.breed(number)

    def bpb(self, number: int) -> float:
        return self.rows[number].objectives["val_bpb"]

    def evaluate(self, number: int, seed: int) -> None:
        bpb, speed = self.truth[number]
        measured = {
            "val_bpb": bpb + self.random.gauss(0, SIGMA),
            "tokens_per_second": speed * self.random.gauss(1, 0.01),
            "peak_memory_mib": 640.0 + number % 37,
            "parameters": 1_200_000.0 + 1_000 * (number % 91),
        }
        self.evaluations.append(EvaluationRow(len(self.evaluations) + 1, number, seed, Status.OK, "cpu", measured))
        result_number = defaultdict(list)
        for row in self.evaluations:
            if row.individual == number:
                for name, value in row.objectives.items():
                    result_number[name].append(value)
        means = {name: fmean(values) for name, values in result_number.items()}
        replicates = len(result_number["val_bpb"])
        self.rows[number] = replace(self.rows[number], status=Status.OK, objectives=means, replicates=replicates)

    def fail(self, number: int) -> None:
        status = self.random.choice([Status.CRASHED, Status.OUT_OF_MEMORY, Status.TIMED_OUT, Status.DIVERGED])
        reason = "RuntimeError: shapes (4, 128) and (64, 128) cannot be multiplied"
        row = EvaluationRow(len(self.evaluations) + 1, number, 0, status, "cpu", reason=reason)
        self.evaluations.append(row)
        self.rows[number] = replace(self.rows[number], status=status)

    def breed(self, number: int) -> None:
        operator = self.random.choice(list(_OPERATORS))
        arity = min(2 if "crossover" in operator else 1, len(self.population))
        rivals = self.random.sample(self.population, min(2 * arity, len(self.population)))
        parents = tuple(sorted(rivals, key=self.bpb)[:arity])
        self.rows[number] = Standing(number, parents, operator, _OPERATORS[operator], None)
        self.sources[number] = self.mutated(self.sources[parents[0]], number)
        if self.random.random() < 1 / 9:
            self.fail(number)
            return
        bpb, speed = min(self.truth[parent] for parent in parents)
        worse = 3.0 if self.random.random() < 1 / 40 else 0.0
        step = self.random.gauss(0.004, 0.011)
        self.truth[number] = (max(bpb + step, 1.6) + worse, speed * self.random.gauss(1 - step, 0.08))
        self.evaluate(number, 0)
        self.population = sorted([*self.population, number], key=self.bpb)[: self.population_size]
        if self.population[0] == number:
            self.evaluate(number, 1)

    def front(self, scored: list[Standing]) -> tuple[int, ...]:
        front, fastest = [], 0.0
        for row in sorted(scored, key=lambda row: (row.objectives["val_bpb"], -row.objectives["tokens_per_second"])):
            if row.objectives["tokens_per_second"] > fastest:
                fastest = row.objectives["tokens_per_second"]
                front.append(row.id)
        return tuple(front)

    def leads(self) -> list[Lead]:
        leads: list[Lead] = []
        for row in self.evaluations:
            value = row.objectives.get("val_bpb")
            if value is not None and (not leads or value < leads[-1].value):
                leads.append(Lead(row.number, row.individual, value))
        return leads

    def mutated(self, source: str, number: int) -> str:
        lines = source.splitlines(keepends=True)
        at = self.random.choice([index for index, line in enumerate(lines) if line.strip() == "optimizer.step()"])
        lines.insert(at, f"        loss = loss * {1 + number / 1000:.3f}  # tried by {number}\n")
        return "".join(lines).replace("LEARNING_RATE = 3e-3", f"LEARNING_RATE = {number}e-4")

    def line(self, number: int) -> tuple[int, ...]:
        parents = self.rows[number].parents
        return (*(self.line(parents[0]) if parents else ()), number)

    def best(self) -> Standing:
        return min((row for row in self.rows.values() if row.objectives), key=lambda row: row.objectives["val_bpb"])

    def summary(self) -> Summary:
        best, count = self.best(), len(self.evaluations)
        front = self.front([row for row in self.rows.values() if row.objectives])
        return Summary(
            result_number=count,
            spent=float(count),
            budget=count,
            rungs=(),
            statuses=dict(sorted(Counter(row.status.value for row in self.evaluations).items())),
            objectives=_OBJECTIVES,
            confirmed=Confirmed.ON_TEXT,
            generation_zero=self.rows[0],
            best=best,
            gain=confirmed(best.id, 1.6021, 1.9814, 0.0011),
            unconfirmed_gain=None,
            noise={"val_bpb": SIGMA, "tokens_per_second": 430.0},
            is_unreplicated=False,
            front_objectives=(BPB.name, SPEED.name),
            front=tuple(self.rows[one] for one in front),
            knee=front[len(front) // 2],
            hypervolume=tuple((number, number / count) for number in range(1, 90, 7)),
            confirmed_front=(),
            text_objective=None,
            population=(),
            work=Work(worker_seconds=5 * 3600 + 2 * 60.0),
            spending=Spending(calls=3, cost_usd=14.37),
            spending_by_model={},
            calibration=(),
            stand_ins=(),
            outages=Outages(),
            lessons=Lessons(),
        )

    def fields(self) -> dict[str, Any]:
        scored = [row for row in self.rows.values() if row.objectives]
        best = self.best().id
        return {
            "name": "speeches-16x40",
            "task": "language model on the State of the Union messages",
            "state": "Complete.",
            "started": _STARTED,
            "wall_seconds": 5 * 3600 + 12 * 60.0,
            "run_seed": 7,
            "generation_size": self.population_size,
            "train_seconds": 30.0,
            "clock": "cpu",
            "devices": ("cpu (2 cores)",),
            "sandbox_levels": ("bubblewrap",),
            "self_reported": False,
            "claim": "",
            "objectives": _OBJECTIVES,
            "individuals": tuple(self.rows.values()),
            "evaluations": tuple(self.evaluations),
            "leads": tuple(self.leads()),
            "gains": gains_over_generation_0(scored, SIGMA),
            "front_objectives": (BPB, SPEED),
            "best_line": tuple(LineStep(number, self.sources[number]) for number in self.line(best)),
            "operators": tuple(
                OperatorResults(name, 200, 50, 40, 10, 7, 7.18 if name.startswith("llm") else 0.0)
                for name in _OPERATORS
            ),
            "confirmed_split": "G",
            "starts": (
                (
                    datetime(2026, 11, 20, 21, 4, tzinfo=UTC).timestamp(),
                    "cpu (2 cores) with Python 3.11.2, torch 2.13.0",
                ),
            ),
            "out_of_service": (),
            "device_classes": (),
            "drifts": (),
            "refused": {"smoke": 4, "no_offspring": 1},
            "versions": {"evo": "1.0", "torch": "2.13.0", "Python": "3.11.2"},
        }
