"""What the user writes into program.md while a run goes on reaches the next prompt."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from paced_evaluator import PacedEvaluator
from searches import GENOME, Notes, StopsAt, opened, searched

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.replay import replay_run
from evo.search.stopping import StopReason
from evo.standings.texts import INSTRUCTIONS
from evo.store import Store
from evo.workers import Slot
from operators.llm.rehearsal import MessagesServer
from trainer.evaluation import Evaluation, Job

BEFORE, AFTER = "Prefer simple changes.", "Never touch the tokenizer."


class Editing(PacedEvaluator):
    """Does something with the instructions when so many evaluations are done."""

    def __init__(self, at: int, edit: Callable[[], object], slots: int = 1) -> None:
        super().__init__(GENOME, slots)
        self._at, self._edit = at, edit

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if len(self.evaluated) == self._at:
            self._edit()
        return await super().verdict(slot, job)


def write(file: Path, text: str | bytes, age_seconds: float) -> None:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    then = time.time() - age_seconds
    os.utime(file, (then, then))


def configured(server: MessagesServer, file: Path, gens: int = 5) -> Config:
    data = {
        # What mends a crash goes on with an earlier conversation.
        "search": {"pop": 3, "gens": gens, "repair_crashes": False},
        "operators": {"weights": {"llm_mutation": 1.0}},
        "workers": {"devices": ["cpu"]},
        "llm": {"base_url": server.url, "program": str(file), "lessons_every": 0},
    }
    return resolve(parse_config(data, "test"), {})


def told(server: MessagesServer) -> list[str]:
    """Return for each first prompt of a proposal which instructions it holds; a repair keeps those it began with."""
    openings = [received.body for received in server.requests if len(received.body["messages"]) == 1]
    systems = [str(body["system"]) for body in openings]
    return ["".join(name for name, text in (("b", BEFORE), ("a", AFTER)) if text in system) for system in systems]


def test_an_edit_reaches_the_next_prompt_and_is_recorded(tmp_path: Path) -> None:
    path, file = tmp_path / "run", tmp_path / "program.md"
    write(file, BEFORE, 7200.0)
    with MessagesServer() as server:
        config = configured(server, file)
        evaluator = Editing(5, lambda: write(file, AFTER, 3600.0))
        assert searched(path, config, evaluator, build_operators(config)).stop_reason is StopReason.COMPLETE
    assert check_run(path) == []
    assert replay_run(path).difference is None
    with Store.read(RunFolder(path).store) as store:
        events = [event.payload for event in store.events(INSTRUCTIONS)]
        by_proposal = [BEFORE in str(store.exchanges(one.number)[0].request) for one in store.proposals() if one.number]
    assert [event["text"] for event in events] == [BEFORE, AFTER]
    since = events[1]["newest_proposal"]
    assert 0 < since < len(by_proposal)
    assert by_proposal == [True] * since + [False] * (len(by_proposal) - since)


def test_a_proposal_that_is_made_again_is_told_what_held_when_it_began(tmp_path: Path) -> None:
    path, file = tmp_path / "run", tmp_path / "program.md"
    write(file, BEFORE, 7200.0)
    with MessagesServer() as server:
        config, observer = configured(server, file), StopsAt(5)
        with opened(path, config, PacedEvaluator(GENOME, 1), build_operators(config), observer) as (search, store):
            observer.search = search
            assert asyncio.run(search.run()).stop_reason is StopReason.INTERRUPTED
            begun = {one.number for one in store.open_proposals()}
        write(file, AFTER, 3600.0)
        assert searched(path, config, PacedEvaluator(GENOME, 1), build_operators(config)).stop_reason == "complete"
    with Store.read(RunFolder(path).store) as store:
        for one in store.proposals():
            if one.number and (exchanges := store.exchanges(one.number)):
                assert (BEFORE in str(exchanges[0].request)) == (one.number <= max(begun, default=one.number))
    assert replay_run(path).difference is None


def test_a_file_that_vanishes_or_breaks_ends_nothing(tmp_path: Path) -> None:
    for name, edit, noted in (
        ("gone", lambda file: file.unlink(), "is gone"),
        ("broken", lambda file: write(file, b"\xff\xfe\xff", 3600.0), "cannot be read as UTF-8"),
    ):
        path, file, notes = tmp_path / name, tmp_path / f"{name}.md", Notes()
        write(file, BEFORE, 7200.0)
        with MessagesServer() as server:
            config = configured(server, file)
            evaluator = Editing(5, lambda edit=edit, file=file: edit(file))  # type: ignore[misc]
            with opened(path, config, evaluator, build_operators(config), notes) as (search, _):
                assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            assert {*told(server)} == {"b"}
        assert len([line for line in notes.said if noted in line]) == 1
