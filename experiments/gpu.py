"""What has to be seen on a GPU, in parts of at most nine minutes each, printed as it goes and recorded.

    python -m experiments.gpu                         # every part, one after the other
    python -m experiments.gpu --part training cheats  # some of them
    python -m experiments.gpu --quick                 # small sizes, no record: whether the program works, on a CPU too

Only `trainer`, `experiments` and what they import are needed: PyTorch, numpy, psutil, safetensors, tiktoken and a
prepared or embedded corpus. On a machine without a GPU the parts run on its CPU and say so.
"""

from __future__ import annotations

import argparse
import re
import statistics
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from experiments import scoring_cost
from experiments.recording import write_record
from trainer.audit import CHEATS, HONEST, AuditResult, audit_settings, load_specimens, run_audit
from trainer.corpus import Corpus, prepare
from trainer.errors import EvoError
from trainer.evaluation import Budget, Clock, Evaluation, Job, Status
from trainer.genome import built_in
from trainer.local import SupervisorProcess
from trainer.machine.devices import Device, GpuMemory, discover
from trainer.sandbox import Level
from trainer.settings import Limits, Settings

_PART_SECONDS = 540.0
_AT_ONCE = 24  # genomes of the audit between two looks at the clock
_AUDIT_VOCAB_SIZE = 512
_MATRIX = 8192

_TELLS = """
_train = train

def train(model, task):
    import torch
    print("CUDA", torch.cuda.is_available(), "on", task.device)
    _train(model, task)
"""

_COMPILED = """
_build = build_model

def build_model(task):
    import torch
    model = _build(task)
    model.compile()
    return model
"""

_HOG = """
def train(model, task):
    import torch
    kept = []
    while True:
        kept.append(torch.ones(2**28, device=task.device))
"""

_LEAVES = """
_train = train

def train(model, task):
    import subprocess, sys
    holds = "import sys, time, torch; kept = torch.ones(2**28, device=sys.argv[1]); print(1); time.sleep(600)"
    command = [sys.executable, "-u", "-c", holds, str(task.device)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    _train(model, task)
"""


@dataclass(frozen=True)
class Bench:
    """One machine and its sizes.

    Attributes:
        device: the first that there is.
        is_quick: whether everything is small.
    """

    device: Device
    is_quick: bool

    @property
    def is_gpu(self) -> bool:
        """Whether there is a GPU."""
        return self.device.kind == "cuda"

    def corpus(self) -> Corpus:
        """Return the corpus of GPU runs, with 8,192 tokens in its vocabulary; a small one else."""
        return prepare(vocab_size=scoring_cost.GPU_VOCAB_SIZE if self.is_gpu and not self.is_quick else 512)

    def settings(self, train_seconds: float, sandbox: str = "auto", corpus: Corpus | None = None) -> Settings:
        """Return the settings of a worker as runs have them on a GPU."""
        small = not self.is_gpu or self.is_quick
        return Settings(
            corpus=(corpus or self.corpus()).folder,
            device=self.device.kind,
            device_id=self.device.id,
            budget=Budget(min(train_seconds, 1.0) if self.is_quick else train_seconds, Clock.WALL),
            sequence_length=128 if small else 1024,
            score_tokens=8192 if small else 524_288,
            limits=Limits(memory_mib=4096.0 if small else 32_768.0),
            sandbox=sandbox,
        )

    def used_mib(self) -> float:
        """Return the memory in use on the GPU, MiB; 0 without one."""
        return GpuMemory(self.device.id).device_mib() if self.is_gpu else 0.0


def training(bench: Bench) -> Iterator[str]:
    """Train generation 0 for 60 and 300 s.

    Model FLOP/s are 6 for each parameter and token (Kaplan et al. 2020), attention left out, and embeddings, which
    multiply nothing, counted: compare them with the measured rate of one large matrix product in bfloat16.
    """
    peak = _matrix_flops(bench)
    yield f"A product of matrices in bfloat16, {_MATRIX} wide at most: {peak / 1e12:.1f} TFLOP/s.\n"
    heads = "val_bpb | parameters N | training tokens/s | 6 N FLOP/s of that product's | outside s | scoring s"
    yield f"| budget s | {heads} |"
    yield "|---|---|---|---|---|---|---|"
    for seconds in (0.5, 1.0) if bench.is_quick else (60.0, 300.0):
        with SupervisorProcess(bench.settings(seconds)) as supervisor:
            one = supervisor.evaluate(Job(built_in(""), seed=0))
        if one.status is not Status.OK:
            yield f"| {seconds:g} | {_outcome(one)} | | | | | |"
            continue
        tokens, parameters = one.train_tokens_per_second or 0.0, one.objectives["parameters"]
        share = 6 * parameters * tokens / peak
        yield (
            f"| {seconds:g} | {one.objectives['val_bpb']:.4f} | {parameters:,.0f} | {tokens:,.0f} | {share:.1%} "
            f"| {one.timings.outside_seconds:.2f} | {one.timings.score_seconds:.2f} |"
        )


def sandbox(bench: Bench) -> Iterator[str]:
    """Pass the device through at each level of the sandbox, and meet its memory limit."""
    yield "| level | generation 0 | takes memory without end |"
    yield "|---|---|---|"
    for level in Level:
        try:
            with SupervisorProcess(bench.settings(2.0, level)) as supervisor:
                told, hog = (supervisor.evaluate(Job(built_in("") + text, 0)) for text in (_TELLS, _HOG))
        except EvoError as error:
            yield f"| {level} | cannot be had here: {error} | |"
            continue
        seen = re.search(r"CUDA .*", told.log_tail)
        yield f"| {level} | {_outcome(told)}; {seen[0] if seen else 'printed nothing'} | {_outcome(hog)} |"


def compilation(bench: Bench) -> Iterator[str]:
    """Compile the whole model, three times over: what a candidate pays, and whether a cache helps the next one."""
    with SupervisorProcess(bench.settings(10.0)) as supervisor:
        for number in range(1, 2 if bench.is_quick else 4):
            one = supervisor.evaluate(Job(built_in("") + _COMPILED, 0))
            yield f"- evaluation {number}: {_outcome(one)}; {one.timings.outside_seconds:.1f} s outside the budget"


def memory(bench: Bench) -> Iterator[str]:
    """Run out of memory, and leave a process behind that holds some: the next candidate must not feel it."""
    before = bench.used_mib()
    with SupervisorProcess(bench.settings(2.0)) as supervisor:
        for name, text in (("takes all", _HOG), ("leaves a process", _LEAVES), ("generation 0 afterwards", "")):
            one = supervisor.evaluate(Job(built_in("") + text, 0))
            yield f"- {name}: {_outcome(one)}; {bench.used_mib() - before:+,.0f} MiB in use on the GPU afterwards"


def population(bench: Bench) -> Iterator[str]:
    """Evaluate a population of 8 that differ in one learning rate, one after the other."""
    began, outside = time.monotonic(), []
    with SupervisorProcess(bench.settings(20.0)) as supervisor:
        for place in range(2 if bench.is_quick else 8):
            rate = 0.01 * 1.3**place
            source, changed = re.subn(r"^MUON_LR = [\d.]+", f"MUON_LR = {rate:.4f}", built_in(""), flags=re.MULTILINE)
            if changed != 1:
                raise RuntimeError("generation 0 has no constant MUON_LR any more")
            one = supervisor.evaluate(Job(source, 0))
            outside.append(one.timings.outside_seconds)
            yield f"- MUON_LR {rate:.4f}: {_outcome(one)}; {one.timings.outside_seconds:.2f} s outside"
    yield f"\nMedian outside the budget {statistics.median(outside):.2f} s; all in {time.monotonic() - began:.0f} s."


def slots(bench: Bench) -> Iterator[str]:
    """Evaluate generation 0 alone, then two at once on the same device: how much they disturb one another."""
    settings = bench.settings(20.0)
    with ExitStack() as until_done:
        both = [until_done.enter_context(SupervisorProcess(settings)) for _ in range(2)]
        alone = both[0].evaluate(Job(built_in(""), 0))
        with ThreadPoolExecutor(2) as threads:
            together = list(threads.map(lambda one: one.evaluate(Job(built_in(""), 0)), both))
    for name, one in (("alone", alone), *(("beside the other", one) for one in together)):
        yield f"- {name}: {_outcome(one)}; {one.train_tokens_per_second or 0:,.0f} training tokens/s"


def scoring(bench: Bench) -> Iterator[str]:
    """Measure what scoring and probes cost, and the tolerance of the probes in the precision of the device."""
    corpus = bench.corpus()
    yield scoring_cost.measure_with(bench.settings(10.0, corpus=corpus), corpus, 1 if bench.is_quick else 5)


def cheats(bench: Bench) -> Iterator[str]:
    """Try every cheat of the audit."""
    yield from _audit(bench, CHEATS)


def honest(bench: Bench) -> Iterator[str]:
    """Try every honest genome of the audit."""
    yield from _audit(bench, HONEST)


PARTS: dict[str, Callable[[Bench], Iterator[str]]] = {
    part.__name__: part for part in (training, sandbox, compilation, memory, population, slots, scoring, cheats, honest)
}


def _audit(bench: Bench, kind: str) -> Iterator[str]:
    corpus, specimens = prepare(vocab_size=_AUDIT_VOCAB_SIZE), load_specimens(kind)
    settings = audit_settings(corpus.folder, bench.device.kind, bench.device.id)
    if bench.is_quick:
        specimens = specimens[:2]
    began, done, wrong = time.monotonic(), 0, 0
    while done < len(specimens) and time.monotonic() - began < _PART_SECONDS - 120:
        results: list[AuditResult] = list(
            run_audit(settings, specimens[done : done + _AT_ONCE], supervisors=4 if bench.is_gpu else 1)
        )
        done += len(results)
        for result in results:
            if result.surprise:
                wrong += 1
                yield f"- {result.specimen.name}: {result.surprise}"
    yield f"\n{done} of {len(specimens)} tried at level {results[-1].sandbox}, {wrong} verdicts wrong."


def _matrix_flops(bench: Bench) -> float:
    """Return the FLOP/s of one large product of matrices in bfloat16 on this device."""
    size = _MATRIX if bench.is_gpu else 1024
    left = torch.randn(size, size, device=bench.device.kind, dtype=torch.bfloat16)
    repeats = 50 if bench.is_gpu else 3
    for _ in range(3):
        product = left @ left
    _wait(product)
    began = time.perf_counter()
    for _ in range(repeats):
        product = left @ left
    _wait(product)
    return 2 * size**3 * repeats / (time.perf_counter() - began)


def _wait(product: torch.Tensor) -> None:
    float(product[0, 0])  # a copy to the host waits for the device


def _outcome(one: Evaluation) -> str:
    if one.status is Status.OK:
        return f"ok, {one.objectives['val_bpb']:.4f} bpb"
    return f"{one.status}: {textwrap.shorten(one.reason, 160)}"


def main(parts: list[str], *, quick: bool) -> None:
    """Run parts and print what they say; record it unless it is `quick`."""
    bench = Bench(discover()[0], quick)
    lines = [f"Device: {bench.device.name}, torch {torch.__version__}."]
    print(lines[0], flush=True)
    for name in parts:
        began = time.monotonic()
        lines.append(f"\n## {name}\n")
        print(lines[-1], flush=True)
        for line in PARTS[name](bench):
            lines.append(line)
            print(line, flush=True)
        lines.append(f"\n({time.monotonic() - began:.0f} s)")
        print(lines[-1], flush=True)
    if not quick:
        print(write_record("-".join(("gpu", *(parts if len(parts) < len(PARTS) else ()))), "\n".join(lines)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, no record")
    arguments = parser.parse_args()
    main(arguments.part, quick=arguments.quick)
