"""A driver for the kill tests: it works on a run until it is killed, and prints every fact once it is acknowledged."""

from __future__ import annotations

import sys
from pathlib import Path

from run_samples import SEARCH, exchange, source_of, verdict

from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.store import Store


def acknowledge(*fact: object) -> None:
    print(*fact, flush=True)  # noqa: T201 - the test reads it


def propose(store: Store, number: int) -> None:
    parents = (number - 1, number - 2) if number >= 2 else (number - 1,) if number else ()
    store.begin_proposal(
        number, "llm_mutation" if parents else "seed", parents, result_number=store.last_result_number()
    )
    acknowledge("began", number)


def answer(store: Store, number: int) -> None:
    journal = store.journal(number)
    if journal.exchange(0) is None:
        journal.record_request(0, exchange().request)
        acknowledge("asked", number)
        journal.record_exchange(0, exchange())
        acknowledge("answered", number)


def admit(store: Store, lineage: Lineage, number: int) -> None:
    source = source_of(number) + "# padding\n" * 2000
    store.admit(number, source=source, normal_form=source, idea=f"idea {number}", evaluations=[SEARCH])
    acknowledge("admitted", number)
    lineage.project(store.individual(number), source)


def evaluate(store: Store) -> None:
    for queued in store.queued():
        attempt = store.launch(queued.id, "cpu")
        acknowledge("launched", queued.id, attempt)
        result_number = store.finish(queued.id, attempt, verdict(1 + queued.id / 1000))
        acknowledge("told", queued.id, result_number)


def work(path: Path) -> None:
    folder = RunFolder.open(path)
    with folder.lock(), Store.open(folder.store) as store:
        lineage = Lineage.open(folder.lineage)
        lineage.project_missing(store)
        acknowledge("resumed", store.release_all_running("the driver was killed"))
        for number in [proposal.number for proposal in store.open_proposals()]:
            answer(store, number)
            admit(store, lineage, number)
        evaluate(store)
        last = store.last_proposal_number()
        for number in range(0 if last is None else last + 1, 1_000_000):
            propose(store, number)
            answer(store, number)
            admit(store, lineage, number)
            evaluate(store)
            lineage.project_notes(store)
            lineage.set_best(number)


if __name__ == "__main__":
    work(Path(sys.argv[1]))
