"""`evo doctor --llm` asks the language model once and says what it found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command_line import evo

from evo.config.config import LLMConfig
from evo.runs import doctor
from evo.runs.doctor import Finding, State, examine_language_models
from operators.llm.rehearsal import Behaviour, MessagesServer, say, status

KEY = "sk-1234567890abcdef"


def examined(behaviour: Behaviour, provider: str = "anthropic") -> tuple[Finding, MessagesServer]:
    with MessagesServer(behaviour) as server:
        base_url = server.url + ("/v1" if provider == "openai" else "")
        llm = LLMConfig.model_validate({"provider": provider, "base_url": base_url})
        name = provider.upper()
        environment = {f"{name}_API_KEY": KEY, f"{name}_BASE_URL": base_url}
        (finding,) = examine_language_models(llm, environment)
        return finding, server


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_model_that_answers(provider: str) -> None:
    if provider == "openai":
        pytest.importorskip("openai")
    finding, server = examined(say("Ready."), provider)
    assert finding.state is State.OK
    assert "answered in" in finding.found
    assert "1,000 tokens in, 100 out for $0.003000; none of the prompt cached" in finding.found
    assert len(server.requests) == 1
    assert server.requests[0].headers["authorization"].endswith(KEY)


def test_what_is_cached_is_told() -> None:
    finding, server = examined(say("Ready.", input_tokens=20, cache_write_tokens=2_000))
    assert "20 tokens in, 2,000 written to cache, 100 out" in finding.found
    assert "cache_control" in server.requests[0].body["system"][0]


def test_a_model_that_does_not() -> None:
    finding, _ = examined(status(401, f"invalid key {KEY}"))
    assert finding.state is State.MISSING
    assert "invalid key [key]. Check the API key." in finding.advice
    assert "resume" not in finding.advice


def test_a_server_that_counts_no_tokens() -> None:
    finding, _ = examined(say("Ready.", input_tokens=0, output_tokens=0))
    assert finding.state is State.NOTE
    assert "estimated from the length" in finding.advice


def test_the_oldest_versions_are_those_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    assert f"torch>={'.'.join(map(str, doctor.OLDEST_TORCH))}" in project["dependencies"]
    assert project["requires-python"] == f">={'.'.join(map(str, doctor.OLDEST_PYTHON))}"


def test_the_models_of_the_project_are_called_by_default(tmp_path: Path) -> None:
    with MessagesServer(say("Ready.")) as server:
        text = f'[llm]\nmodel = "mine"\nbase_url = "{server.url}"\n'
        (tmp_path / "evo.toml").write_text(text, encoding="utf-8")
        assert f"! mine            {server.url} answered in" in evo("doctor", "--llm", cwd=tmp_path).stdout
    assert [received.body["model"] for received in server.requests] == ["mine"]


@pytest.mark.parametrize(
    ("environment", "state", "said"),
    [
        ({}, State.NOTE, "no API key, no base URL"),
        ({"ANTHROPIC_API_KEY": "k"}, State.OK, "ANTHROPIC_API_KEY is set"),
        ({"OPENAI_API_KEY": "k"}, State.NOTE, 'OPENAI_API_KEY is set say provider = "openai"'),
        ({"OPENAI_BASE_URL": "localhost:8000"}, State.MISSING, "Did you mean http://localhost:8000?"),
    ],
)
def test_what_would_reach_a_model_is_told_without_a_call(environment: dict[str, str], state: State, said: str) -> None:
    finding = doctor.found_language_model(environment)
    assert finding.state is state
    assert said in f"{finding.found} {finding.advice}"


def test_every_model_is_called_once() -> None:
    with MessagesServer(say("Ready."), fallback=status(404)) as server:
        models = [{"name": "claude-haiku-5-5", "effort": "low"}, {"name": "gone"}]
        llm = LLMConfig.model_validate({"base_url": server.url, "models": models})
        works, is_gone = examine_language_models(llm, {})
        assert [received.body["model"] for received in server.requests] == ["claude-haiku-5-5", "gone"]
    assert (works.subject, works.state) == ("claude-haiku-5-5", State.OK)
    assert (is_gone.subject, is_gone.state) == ("gone", State.MISSING)
