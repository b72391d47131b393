"""Small pieces of a run for the tests of the store, the lineage and the checks."""

from __future__ import annotations

from pathlib import Path

from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.store import EvaluationRequest, Purpose, Store
from operators.proposal import Exchange
from trainer.evaluation import Clock, CurvePoint, Evaluation, Split, Status, Timings

SEARCH = EvaluationRequest(seed=1, splits=(Split.SELECTION,), purpose=Purpose.SEARCH)


def source_of(number: int) -> str:
    return f"WIDTH = {number}\n\n\ndef build_model(task):\n    return None  # é\n"


def verdict(bpb: float = 1.5, *, status: Status = Status.OK, seed: int = 1, log_tail: str = "step 1") -> Evaluation:
    is_ok = status is Status.OK
    return Evaluation(
        status=status,
        seed=seed,
        device="cpu",
        clock=Clock.CPU,
        sandbox="none",
        objectives={"val_bpb": bpb, "tokens_per_second": 1e5} if is_ok else {},
        split_bpb={"S": bpb} if is_ok else {},
        reason="" if is_ok else "it raised ValueError",
        log_tail=log_tail,
        curve=(CurvePoint(0.1, 1, 7.5), CurvePoint(0.2, 2, 6.25)),
        timings=Timings(10.0, 10.5, 1.0, 12.0),
    )


def exchange(cost_usd: float | None = 0.25) -> Exchange:
    return Exchange(
        request={"model": "m", "messages": [{"role": "user", "content": "improve it"}]},
        reply={"content": [{"type": "text", "text": "a lone surrogate \ud800 and é"}]},
        model="m",
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=7,
        cache_write_tokens=3,
        cost_usd=cost_usd,
        latency_seconds=1.5,
    )


def admit(
    store: Store,
    number: int,
    parents: tuple[int, ...] = (),
    *,
    idea: str = "try a new width",
    evaluations: tuple[EvaluationRequest, ...] = (SEARCH,),
) -> tuple[int, ...]:
    operator = "random_mutation" if parents else "seed"
    store.begin_proposal(number, operator, parents, result_number=store.last_result_number())
    source = source_of(number)
    return store.admit(number, source=source, normal_form=source.strip(), idea=idea, evaluations=evaluations)


def evaluate(store: Store, evaluation: int, result: Evaluation | None = None) -> int | None:
    return store.finish(evaluation, store.launch(evaluation, "cpu"), result or verdict())


def grow(store: Store, lineage: Lineage | None, numbers: range) -> None:
    """Admit and evaluate individuals; from the third on every second one has two parents."""
    for number in numbers:
        parents = (number - 1, number - 2) if number >= 2 and number % 2 == 0 else (number - 1,) if number else ()
        for evaluation in admit(store, number, parents):
            evaluate(store, evaluation, verdict(1.5 - number / 1000))
        if lineage is not None:
            lineage.project(store.individual(number), store.source(number))


def make_run(path: Path, individuals: int = 0) -> RunFolder:
    """Make a finished run."""
    folder = RunFolder.create(path)
    with Store.create(folder.store) as store:
        lineage = Lineage.open(folder.lineage)
        folder.seal('[run]\nname = "sample"\n')
        grow(store, lineage, range(individuals))
        lineage.project_notes(store)
        if individuals:
            lineage.set_best(individuals - 1)
    return folder
