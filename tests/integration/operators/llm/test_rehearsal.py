"""The scripted Messages API, which other tests rely on, as the genuine SDK and the operators see it."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import anthropic
import pytest
from llm_requests import PROGRAM, FileJournal, Scene, request_for

from operators.gate import SourceGate, language_model_contract
from operators.llm import LLMSettings
from operators.llm.edits import revise
from operators.llm.rehearsal import MessagesServer, model, say, scripted_model

SEED = (files("trainer") / "seed" / "train.py").read_text(encoding="utf-8")


def body(source: str, *later: str) -> dict[str, object]:
    messages = [{"role": "user", "content": f"Change this:\n\n```python\n{source.rstrip()}\n```\n"}]
    return {"messages": [*messages, *({"role": "user", "content": text} for text in later)]}


@pytest.mark.parametrize("source", [PROGRAM, SEED], ids=["small", "seed"])
def test_the_scripted_model_changes_one_constant_of_the_program(source: str) -> None:
    revised = revise(source, scripted_model(body(source)))

    changed = [(old, new) for old, new in zip(source.split("\n"), revised.split("\n"), strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0][0].split("=")[0] == changed[0][1].split("=")[0]
    SourceGate(language_model_contract, {}.get).check(revised)


def test_the_scripted_model_repeats_itself_only_for_the_same_conversation() -> None:
    assert scripted_model(body(SEED)) == scripted_model(body(SEED))
    assert len({scripted_model(body(SEED, f"no {number}")) for number in range(10)}) > 5


def test_both_ways_of_answering_give_the_same_message() -> None:
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    with (
        MessagesServer(fallback=say("Good day.", thinking="Hm.", cache_read_tokens=3)) as server,
        anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as sdk,
    ):
        whole = sdk.messages.create(**request)
        with sdk.messages.stream(**request) as stream:
            streamed = stream.get_final_message()

    assert streamed.usage == whole.usage
    assert [block.type for block in streamed.content] == [block.type for block in whole.content] == ["thinking", "text"]
    assert streamed.content[1].text == whole.content[1].text == "Good day."
    assert streamed.stop_reason == whole.stop_reason == "end_turn"


def test_latency_is_kept() -> None:
    with MessagesServer(fallback=model(lambda _: "Good day.", latency_seconds=0.2)) as server:
        started = time.monotonic()
        with anthropic.Anthropic(base_url=server.url, api_key="none") as sdk:
            sdk.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])
        assert time.monotonic() - started >= 0.2


def test_the_command_serves_operators(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("evo")), "rehearse", "--port", "0"]
    with subprocess.Popen([*command, "--latency", "0.01"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            [proposal] = Scene(LLMSettings(base_url=url)).propose(request_for(FileJournal(tmp_path)))
        finally:
            process.terminate()

    assert proposal.source != PROGRAM
    assert "should lower the loss" in proposal.idea
