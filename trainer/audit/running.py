"""Evaluates the audit's genomes as a search would, with a tiny budget."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from trainer.audit.specimens import Specimen
from trainer.evaluation import Budget, Clock, Evaluation, Job
from trainer.local import SupervisorProcess
from trainer.settings import Limits, Settings


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One genome's verdict.

    Attributes:
        sandbox: the level of isolation that it ran under.
        surprise: why the verdict is wrong; empty where it is right.
    """

    specimen: Specimen
    seed: int
    sandbox: str
    verdict: Evaluation
    surprise: str


def audit_settings(corpus: Path, device: str, device_id: str = "", sandbox: str = "auto") -> Settings:
    """Return settings under which each genome takes some seconds at most."""
    return Settings(
        corpus=corpus,
        device=device,
        device_id=device_id,
        budget=Budget(0.5, Clock.CPU if device == "cpu" else Clock.WALL, setup_seconds=120.0, score_seconds=15.0),
        sequence_length=32,
        score_tokens=2048,
        limits=Limits(memory_mib=1536.0 if device == "cpu" else 8192.0, output_mib=8.0, disk_mib=160.0, processes=40),
        sandbox=sandbox,
    )


def run_audit(
    settings: Settings, specimens: Sequence[Specimen], seeds: Sequence[int] = (0,), supervisors: int = 1
) -> Generator[AuditResult]:
    """Yield the verdict on every genome with every seed, in the order given; each supervisor evaluates one at a time.

    Raises:
        MachineError: a supervisor did not start.
    """
    with ExitStack() as open_until_done:
        idle: SimpleQueue[SupervisorProcess] = SimpleQueue()
        for _ in range(supervisors):
            idle.put(open_until_done.enter_context(SupervisorProcess(settings)))

        def evaluate(task: tuple[Specimen, int]) -> AuditResult:
            supervisor = idle.get()
            try:
                return _judged(*task, supervisor)
            finally:
                idle.put(supervisor)

        threads = open_until_done.enter_context(ThreadPoolExecutor(supervisors))
        yield from threads.map(evaluate, [(specimen, seed) for specimen in specimens for seed in seeds])


def _judged(specimen: Specimen, seed: int, supervisor: SupervisorProcess) -> AuditResult:
    verdict = supervisor.evaluate(Job(specimen.source, seed, specimen.splits))
    right = specimen.right(verdict, supervisor.sandbox)
    expected = " or ".join(specimen.expected)
    surprise = "" if right else f"expected {expected}, got {verdict.status}: {verdict.reason}"
    return AuditResult(specimen, seed, supervisor.sandbox, verdict, surprise)
