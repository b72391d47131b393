"""An evaluator that scores genomes by their constants instead of training them, for searches that take no time."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, field
from functools import cached_property

from evo.workers.evaluator import Slot
from operators.source.constants import find_constants
from trainer.evaluation import Clock, CurvePoint, Evaluation, Job, Split, Status, Timings

SIGMA_BPB = 0.002
_FAILURES = (Status.CRASHED, Status.OUT_OF_MEMORY, Status.DIVERGED, Status.TIMED_OUT)


@dataclass
class StandInEvaluator:
    """Every numeric constant has an optimum somewhere beside its value in generation 0; noise depends on the seed.

    Equal genomes and seeds get equal answers, whatever else they are scored on. One program in `one_in` fails; the
    first job of all is lost once.
    """

    generation_zero: str
    slots: int = 2
    one_in: int = 10
    _lost: bool = field(default=False, init=False)

    @cached_property
    def workers(self) -> tuple[Slot, ...]:
        return tuple(Slot(f"stand-in/{number}") for number in range(self.slots))

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        await asyncio.sleep(0)
        if not self._lost:
            self._lost = True
            return self._failed(job, Status.LOST, "the worker was gone")
        program = random.Random(job.genome)
        if job.genome != self.generation_zero and program.random() < 1 / self.one_in:
            status = program.choice(_FAILURES)
            return self._failed(job, status, f"RuntimeError: <b>{status}</b> & more")
        try:
            return self._scored(job, program)
        except (SyntaxError, ValueError) as error:
            return self._failed(job, Status.CRASHED, f"{type(error).__name__}: {error}")

    def retire(self, slot: Slot) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to end."""

    def _scored(self, job: Job, program: random.Random) -> Evaluation:
        moved = self._distance(job.genome)
        noise = random.Random(f"{job.genome}:{job.seed}")
        bpb = {"S": 1.6 + 0.05 * moved + program.gauss(0, 0.002) + noise.gauss(0, SIGMA_BPB)}
        if Split.HOLDOUT in job.splits or (job.holdout_below is not None and bpb["S"] < job.holdout_below):
            bpb["G"] = 1.61 + 0.05 * moved + self._holdout_noise(job)
        seconds = noise.uniform(9.5, 10)
        objectives = {
            "val_bpb": bpb["S"],
            "tokens_per_second": 40_000 * math.exp(program.gauss(0, 0.1) + 0.02 * moved) + noise.gauss(0, 300),
            "train_seconds": seconds,
            "peak_memory_mib": 400.0 + program.randrange(50),
            "parameters": 1_000_000.0,
            "code_lines": float(len(job.genome.splitlines())),
        }
        return Evaluation(
            status=Status.OK,
            seed=job.seed,
            device="stand-in",
            clock=Clock.CPU,
            sandbox="none",
            objectives=objectives,
            split_bpb=bpb,
            curve=(CurvePoint(0.5, 1, 7.5), CurvePoint(9.0, 40, 5.5)),
            timings=Timings(seconds, seconds + 0.3, 1.0, seconds + 2.0),
        )

    def _failed(self, job: Job, status: Status, reason: str) -> Evaluation:
        return Evaluation(status, job.seed, "stand-in", Clock.CPU, "none", reason=reason, timings=Timings(1, 1, 0, 2))

    def _holdout_noise(self, job: Job) -> float:
        program, noise = random.Random(f"{job.genome}:G"), random.Random(f"{job.genome}:{job.seed}:G")
        return program.gauss(0, 0.002) + noise.gauss(0, SIGMA_BPB)

    def _distance(self, genome: str) -> float:
        """Return the mean squared distance of the constants from their optima, on a logarithmic scale."""
        original = find_constants(self.generation_zero)
        squares = [0.0]
        for name, constant in find_constants(genome).items():
            start = original[name].value if name in original else None
            if isinstance(start, int | float) and isinstance(constant.value, int | float) and start and constant.value:
                optimum = random.Random(name).uniform(-3, 3)
                squares.append(min((math.log(abs(constant.value / start)) - optimum) ** 2, 30.0))
        return sum(squares) / len(squares)
