"""The configuration: what is refused, how it is said, and that it survives its own file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from evo.config.config import Config
from evo.config.options import new_run_config
from evo.config.reading import load_config, located, overlaid, parse_config
from evo.config.resolution import resolve
from trainer.errors import ConfigError


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        parse_config(data, "run.toml")
    message = str(raised.value)
    assert message.startswith("run.toml: `")
    assert "\n" not in message
    return message


def test_a_name_that_is_no_utf_8_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match=r"must be UTF-8, but this one is not: program = .*caf\\udce9\.md"):
        resolve(
            overlaid(
                Config(),
                {"llm": {"program": "caf\udce9.md"}, "workers": {"devices": ["cpu"], "sandbox": "process-group"}},
            ),
            {},
        )


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("search", "pop", 0, "greater than 0"),
        ("search", "pop", True, "integer"),
        ("search", "gens", "40", "integer"),
        ("search", "gens", 2.0, "integer"),
        ("search", "seed", 2**40, "4000000"),
        ("search", "seed", -1, "0"),
        ("search", "objectives", [], "name one objective or several"),
        ("search", "objectives", ["val_bpb", "val_bpb"], "each once"),
        ("search", "front", ["val_bpp"], "did you mean 'val_bpb'?"),
        ("search", "schedule", "steady", "'asynchronous' or 'generational'"),
        ("budget", "train_seconds", float("nan"), "finite"),
        ("budget", "train_seconds", float("inf"), "finite"),
        ("budget", "train_seconds", 0, "greater than 0"),
        ("budget", "train_seconds", "30", "number"),
        ("budget", "clock", "sundial", "'wall' or 'cpu'"),
        ("budget", "min_throughput", 1.5, "less than 1"),
        ("fidelity", "rungs", [0.5], "ascending shares of the budget that end in 1.0, but they were [0.5]"),
        ("fidelity", "rungs", [0.5, 0.25, 1.0], "ascending"),
        ("fidelity", "rungs", [0.0, 1.0], "greater than 0"),
        ("fidelity", "calibrate", 3, "greater than or equal to 8"),
        ("noise", "confirm_fraction", 1.0, "less than 1"),
        ("noise", "baseline_replicates", 0, "greater than 0"),
        ("operators", "weights", {"random": -1.0}, "positive weight"),
        ("operators", "adaptive", 1, "boolean."),
        ("operators", "tuning_method", ["gp"], "'trust_region'"),
        ("llm", "model", "", "at least 1 character"),
        ("agent", "command", ["agent", "{promt}"], "did you mean {prompt}?"),
        ("llm", "models", ["haiku"], "should be a table."),
        ("operators", "weights", {"random": float("nan")}, "positive weight"),
        ("workers", "memory_mib", -1, "greater than 0"),
        ("llm", "max_cost_usd", 0, "greater than 0"),
        ("task", "vocab_size", 256, "257"),
        ("diversity", "islands", 0, "greater than 0"),
        ("diversity", "islands", 9, "at most 8"),
        ("diversity", "similarity", 1.5, "less than or equal to 1"),
        ("diversity", "bins", 1, "greater than or equal to 2"),
        ("diversity", "explore_after", -1, "greater than or equal to 0"),
        ("diversity", "descriptors", ["depth", "depth"], "name each descriptor once"),
        ("diversity", "descriptors", ["optimiser"], "did you mean 'optimizer'?"),
        ("diversity", "descriptors", ["zzz"], "no constant in capitals; expected one of branch, depth"),
    ],
)
def test_wrong_values_are_named_with_what_was_expected(section: str, key: str, value: object, words: str) -> None:
    message = refusal({section: {key: value}})
    assert f"{section}.{key}" in message
    assert words in message


def test_unknown_keys_come_with_a_suggestion() -> None:
    assert "did you mean 'gens'?" in refusal({"search": {"gen": 3}})
    assert "did you mean 'search'?" in refusal({"serach": {}})
    assert "expected one of" in refusal({"search": {"zzz": 3}})


def test_a_section_must_be_one() -> None:
    assert refusal({"search": 3}) == "run.toml: `search` was 3: input should be a table."


def test_flags_are_called_by_their_names() -> None:
    with pytest.raises(ConfigError, match=r"^--budget was -1\.0: input should be greater than 0\.$"):
        load_config(None, {"budget": {"train_seconds": -1.0}})
    with pytest.raises(ConfigError, match=r"^--baseline-replicates was 0"):
        load_config(None, {"noise": {"baseline_replicates": 0}})


def test_flags_go_before_the_file_and_absent_ones_do_not(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[search]\npop = 8\ngens = 9\nobjectives = ["tokens_per_second"]\n')
    config = load_config(path, {"search": {"pop": 4, "gens": None}})
    assert (config.search.pop, config.search.gens) == (4, 9)
    assert config.search.objectives == ("tokens_per_second",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[search\n", "TOML file in UTF-8"),
        (b"\xff\xfe", "TOML file in UTF-8"),
        (b"", "holds no setting"),
        (b"# [search]\n", "holds no setting"),
    ],
)
def test_a_file_that_is_no_toml_or_holds_no_setting(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_config(path)


@pytest.mark.parametrize("root", ["ring", "~nosuchuser/project"])
def test_a_root_that_leads_nowhere_is_left_to_what_reads_it(tmp_path: Path, root: str) -> None:
    (tmp_path / "ring").symlink_to("ring")
    table = {"kind": "script", "root": root, "genome": ["train.py"], "command": ["python", "train.py"]}
    agent = {"command": [f"{root}/agent", "{prompt}", root], "visible": [root]}
    found = located({"task": table, "agent": agent}, tmp_path)
    assert found["task"]["root"] == str(tmp_path / root)
    assert found["agent"] == {
        "command": [str(tmp_path / root / "agent"), "{prompt}", root],
        "visible": [str(tmp_path / root)],
    }


def test_a_project_file_that_is_none_is_not_taken_for_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evo.toml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        new_run_config("", None, {})


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "missing.toml")


def test_it_survives_its_own_file() -> None:
    config = overlaid(
        Config(),
        {
            "task": {"genome": 'a "path"\\with ünïcode'},
            "operators": {"weights": {"random": 1 / 3}},
            "workers": {"devices": ["0", "1"]},
        },
    )
    assert parse_config(tomllib.loads(config.to_toml())) == config


def test_the_front_follows_several_objectives_of_selection() -> None:
    names = ["peak_memory_mib", "val_bpb", "parameters"]
    assert overlaid(Config(), {"search": {"objectives": names}}).search.front == tuple(names)
    assert Config().search.front == ("val_bpb", "tokens_per_second")
    assert overlaid(Config(), {"search": {"objectives": ["parameters"]}}).search.front == Config().search.front
    own = parse_config({"search": {"front": names[:2]}}, "test")
    assert overlaid(own, {"search": {"objectives": names}}).search.front == tuple(names[:2])
