"""Searches that draw lessons: what prompts tell of them, what the user edits, what happens when a call fails."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from paced_evaluator import PacedEvaluator
from rich.console import Console
from searches import GENOME, searched

from evo.commands.views.status import print_status
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.report.loading import load_report
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.lifecycle import view
from evo.runs.replay import replay_run
from evo.runs.status import read_status
from evo.search.stopping import StopReason
from evo.standings.lessons import LESSONS, Lessons
from evo.standings.summary import summarize
from evo.store import Store
from evo.workers import Slot
from operators.llm.rehearsal import Behaviour, MessagesServer, Responder, model, say, scripted_model, status
from trainer.evaluation import Evaluation, Job

LESSON = "the rate matters"


def is_about_lessons(body: Any) -> bool:
    return "list of lessons" in str(body["system"])


def behaving(about_lessons: Behaviour) -> Behaviour:
    """Return a model that makes offspring as scripted, and lessons in some way."""

    def answer(responder: Responder) -> None:
        (about_lessons if is_about_lessons(responder.body) else model(scripted_model))(responder)

    return answer


TEACHING = behaving(say(f"- #0: nothing\n- #1 #2 #3 #4 #5: {LESSON}\n"))


def search(path: Path, server: MessagesServer, evaluator: PacedEvaluator | None = None, **changes: Any) -> StopReason:
    data = {
        # What mends a crash goes on with an earlier conversation.
        "search": {"pop": 3, "gens": changes.pop("gens", 6), "repair_crashes": False},
        "operators": {"weights": changes.pop("weights", {"llm_mutation": 1.0})},
        "llm": {"base_url": server.url, "max_tokens": 8192, "lessons_every": 4, "patience_seconds": 0.3, **changes},
    }
    config = resolve(parse_config(data, "test"), {})
    stopped = searched(path, config, evaluator or PacedEvaluator(GENOME), build_operators(config, spent(path)))
    return stopped.stop_reason


def spent(path: Path) -> float:
    if not path.exists():
        return 0.0
    with Store.read(RunFolder(path).store) as store:
        return store.spending().cost_usd


def lessons_of(path: Path) -> Lessons:
    with view(path) as viewed:
        return summarize(viewed.config, viewed.store, viewed.standings).lessons


def prompts(server: MessagesServer) -> list[Any]:
    """Return what conversations about offspring began with, without their repairs."""
    bodies = [one.body for one in server.requests if not is_about_lessons(one.body)]
    return [body["messages"][0]["content"] for body in bodies if len(body["messages"]) == 1]


def test_lessons_are_drawn_told_counted_and_replayed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server) is StopReason.COMPLETE
        asked = sum(is_about_lessons(one.body) for one in server.requests)
        assert asked >= 2
        with Store.read(RunFolder(path).store) as store:
            assert store.spending().calls == len(server.requests)
            (total,) = store.spending_by_model().values()
            assert total.cost_usd == pytest.approx(store.spending().cost_usd)
            assert sum(payment.cost_usd or 0.0 for payment in store.payments()) == pytest.approx(total.cost_usd)
        told = [content for content in prompts(server) if LESSON in str(content)]
    assert told
    for content in told:
        *shared, task = content
        assert LESSON in task["text"], "it stands behind what the cache holds"
        assert LESSON not in str(shared)
    (line,) = lessons_of(path).lines
    assert line.endswith(f": {LESSON}")
    assert line in RunFolder(path).lessons.read_text()
    assert check_run(path) == []
    assert replay_run(path).difference is None
    console = Console(file=io.StringIO(), width=200)
    with view(path) as viewed:
        print_status(console, read_status(viewed))
        assert load_report(viewed).summary.lessons.lines == (line,)
    assert "1 line in lessons.md, drawn after result" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fault", "why"),
    [(say("", stop_reason="refusal"), "refused"), (status(400), "400"), (say("I have no idea."), "named none")],
    ids=["refusal", "prompt refused", "no list"],
)
def test_a_call_that_fails_never_stops_the_search(fault: Behaviour, why: str, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=behaving(fault)) as server:
        assert search(path, server) is StopReason.COMPLETE
        asked = sum(is_about_lessons(one.body) for one in server.requests)
    assert 1 <= asked <= 4, "it is asked again only after further results"
    found = lessons_of(path)
    assert found.lines == ()
    assert why in found.problem


def test_an_outage_leaves_the_search_to_other_operators(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=behaving(status(503))) as server:
        weights = {"llm_mutation": 1.0, "random": 1.0}
        assert search(path, server, weights=weights) is StopReason.COMPLETE
    assert replay_run(path).difference is None


def test_no_call_is_made_when_lessons_are_off(tmp_path: Path) -> None:
    with MessagesServer(fallback=TEACHING) as server:
        assert search(tmp_path / "run", server, lessons_every=0) is StopReason.COMPLETE
        assert not any(is_about_lessons(one.body) for one in server.requests)


def test_an_edit_is_taken_up_at_once_and_notes_stay(tmp_path: Path) -> None:
    path = tmp_path / "run"
    note = "Never touch the tokenizer."

    class Editing(PacedEvaluator):
        async def verdict(self, slot: Slot, job: Job) -> Evaluation:
            if len(self.evaluated) == 5:
                RunFolder(path).lessons.write_text(f"# Mine\n\n{note}\n\n<!-- hidden -->\n")
            return await super().verdict(slot, job)

    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, Editing(GENOME)) is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        prompts = {one.number: str([turn.request for turn in store.exchanges(one.number)]) for one in store.proposals()}
        (edit, *_) = [event.payload for event in store.events(LESSONS) if note in (event.payload["text"] or "")]
    told = {number for number, prompt in prompts.items() if note in prompt}
    assert told == {number for number in prompts if number > edit["newest_proposal"]} != set()
    assert not any("hidden" in prompt for prompt in prompts.values())
    assert note in lessons_of(path).lines
    assert note in RunFolder(path).lessons.read_text()


def test_an_edit_of_a_stopped_run_is_taken_up_and_a_file_left_behind_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=4) is StopReason.COMPLETE
    file = RunFolder(path).lessons
    newest = file.read_text()
    file.unlink()  # as if the driver had been killed before it was written
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=5, lessons_every=0) is StopReason.COMPLETE
        assert file.read_text() == newest
        assert LESSON in str(prompts(server)[0])
    file.write_text("- mine\n")
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=6, lessons_every=0) is StopReason.COMPLETE
        assert "“mine”" in str(prompts(server)[0])
        assert LESSON not in str(prompts(server)[0])
    with Store.read(RunFolder(path).store) as store:
        assert [event.payload["text"] for event in store.events(LESSONS)][-1] == "- mine\n"


def test_a_file_that_is_no_text_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=4) is StopReason.COMPLETE
        before = lessons_of(path).lines
        RunFolder(path).lessons.write_bytes(b"\xff\xfe\xff")
        assert search(path, server, gens=5, lessons_every=0) is StopReason.COMPLETE
    assert lessons_of(path).lines == before


def test_a_call_that_a_kill_cut_off_is_made_again_word_for_word(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=4) is StopReason.COMPLETE
        (asked, *_) = [one.body for one in server.requests if is_about_lessons(one.body)]
    with Store.open(RunFolder(path).store) as store:
        journal = store.lessons_journal(12)
        assert journal.exchange(0) is None
        kept = {name: value for name, value in asked.items() if name != "stream"}
        journal.record_request(0, {**kept, "system": [{"type": "text", "text": "the list of lessons, cut off"}]})
    with MessagesServer(fallback=TEACHING) as server:
        assert search(path, server, gens=6) is StopReason.COMPLETE
        again = [str(one.body["system"]) for one in server.requests if is_about_lessons(one.body)]
    assert "cut off" in again[0]
