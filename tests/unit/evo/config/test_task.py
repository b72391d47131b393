"""The `[task]` of a script: what is refused, in one line that names the key, and what is filled in."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from script_runs import write_files

from evo.config.options import new_run_config
from evo.config.reading import load_config, overlaid, parse_config
from evo.config.task import ScriptTask
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import frozen_texts, prepare_materials
from trainer.errors import ConfigError, GenomeError
from trainer.script import freeze

LOSS = {"direction": "minimize", "pattern": r"^loss: (\S+)"}
TASK: dict[str, Any] = {
    "kind": "script",
    "root": "/project",
    "genome": ["train.py"],
    "command": ["python", "train.py"],
    "objectives": {"loss": LOSS},
}


def task(**changes: Any) -> ScriptTask:
    script = parse_config({"task": TASK | changes}, "evo.toml").script
    assert script is not None
    return script


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        task(**changes)
    message = str(raised.value)
    assert message.startswith("evo.toml: `task")
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "scirpt"}, "`task.kind` must be 'language-model' or 'script', but it was 'scirpt'"),
        ({"genome": "../train.py"}, "`task.genome` must lie in the project, but '../train.py' does not"),
        ({"genome": "/train.py"}, "`task.genome` must lie in the project"),
        ({"genome": []}, "`task.genome` must name the files that evolve"),
        ({"genome": ["a.py", "./a.py"]}, "`task.genome` must name the files that evolve, each once"),
        ({"root": ""}, "`task.root` was '': string should have at least 1 character"),
        (
            {"command": "python train.py --seed={sed}"},
            "`task.command` has {sed} in it, which nothing fills in; did you mean {seed}?",
        ),
        ({"genome": 3}, "`task.genome` was 3: input should be a list"),
        ({"frozen": "."}, "`task.frozen` must name files or folders of the project"),
        ({"frozen": "../.."}, "or others as `../…` or `/…`, but '../..' is none of these"),
        ({"frozen": "/"}, "`task.frozen` must name files or folders"),
        ({"frozen": "/proc/self"}, "`task.frozen` must name files or folders"),
        ({"frozen": "~other/data"}, "`task.frozen` must name files or folders"),
        ({"frozen": "~/../data"}, "`task.frozen` must name files or folders of the project, of the home folder"),
        ({"seed": "SEED"}, "`task.seed` must say where seeds stand, as in train.py:SEED"),
        ({"seed": "other.py:SEED"}, "`task.seed` must stand in a file of `genome` or `frozen`"),
        ({"seed": "/x.py:SEED", "frozen": "/x.py"}, "`task.seed` must stand in a file of `genome` or `frozen`"),
        ({"noise": "no"}, "`task.noise` was 'no': input should be 'seeds' or 'none'"),
        ({"frozen": "./train.py"}, "`task.frozen` must leave out what evolves, but 'train.py' holds 'train.py'"),
        ({"frozen": "src", "genome": "src/a.py"}, "`task.frozen` must leave out what evolves, but 'src' holds"),
        ({"frozen": ["data", "data/x.npz"]}, "`task.frozen` must name each file once"),
        ({"frozen": ["data", "~/data"]}, "`task.frozen` must name each file once"),
        ({"held_out": "labels.npz"}, "`task.held_out` files are for `score`, but there is no `score` command"),
        (
            {"frozen": "data", "held_out": "data/labels.npz", "score": "python s.py"},
            "`task.held_out` must name each file once, but 'data/labels.npz' and 'data' of `frozen`",
        ),
        ({"held_out": "train.py", "score": "python s.py"}, "`task.held_out` must leave out what evolves"),
        ({"frozen": "artifacts/x", "score": "python s.py"}, "`task.frozen` must leave 'artifacts'"),
        ({"command": ""}, "`task.command` must be a program and its arguments, but it was empty"),
        ({"command": "python 'train.py"}, "`task.command` cannot be split into arguments: No closing quotation"),
        ({"command": "python train.py | tee log"}, "`task.command` is run without a shell, but has '|' in it"),
        ({"command": "./train.py"}, "`task.command` must run what evolves by its name in the working folder"),
        ({"command": ["python", "/project/train.py"]}, "`task.command` must run what evolves by its name"),
        ({"fixed_seconds": 0}, "`task.fixed_seconds` was 0: input should be greater than 0"),
        ({"wall_seconds": "30"}, "`task.wall_seconds` was '30': input should be a valid number"),
        ({"wall_seconds": float("inf")}, "`task.wall_seconds` was inf"),
        ({"fixed_seconds": 60, "wall_seconds": 60}, "`task.fixed_seconds` must be below `wall_seconds` (60)"),
        ({"environment": "ANTHROPIC_BASE_URL"}, "`task.environment` must not hand a secret to candidate code"),
        ({"environment": ["WANDB_MODE", "HF_TOKEN"]}, "candidate code, but it names HF_TOKEN"),
        ({"environment": "aws_secret_access_key"}, "`task.environment` must not hand a secret"),
        ({"environment": "DB_PASSWORD"}, "`task.environment` must not hand a secret"),
        ({"environment": "HOME"}, "`task.environment` must leave out what every command gets a value of its own for"),
        ({"environment": "EVO_SEED"}, "`task.environment` must leave out"),
        ({"gpus": -1}, "`task.gpus` was -1"),
        ({"gpus": True}, "`task.gpus` was True"),
        (
            {"constraints": "loss"},
            "`task.constraints` must read like `peak_vram_mb < 70000`, but it was 'loss'",
        ),
        ({"constraints": "loss < nan"}, "`task.constraints` must read like"),
        ({"constraints": "loss == 3"}, "`task.constraints` must read like"),
        ({"constraints": "vram < 3"}, "`task.constraints` must bound what is measured (loss, run_seconds,"),
        ({"objectives": {}}, "`task.objectives` must name one quantity at least"),
        ({"objectives": {"val-loss": LOSS}}, "`task.objectives` cannot have the name 'val-loss'"),
        ({"objectives": {"run_seconds": LOSS}}, "`task.objectives` cannot have the name 'run_seconds'"),
        ({"fixed": 3}, "`task.fixed` is not a configuration key; expected one of kind, root, genome"),
        ({"frozn": "data"}, "`task.frozn` is not a configuration key; did you mean 'frozen'?"),
        ({"vocab_size": 512}, "`task.vocab_size` is not a configuration key"),
    ],
)
def test_wrong_values_are_named_with_what_was_expected(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pattern": "loss"}, "`task.objectives.loss.pattern` must have one group, around the number"),
        ({"pattern": "(a)(b)"}, "`task.objectives.loss.pattern` must have one group, around the number"),
        ({"pattern": "(a"}, "`task.objectives.loss.pattern` must be a regular expression, but '(a' is none"),
        ({"pattern": None}, "`task.objectives.loss` must say where its value is read: either `pattern` or `json`"),
        ({"json": "metrics.json"}, "`task.objectives.loss` must say where its value is read"),
        ({"key": "test"}, "`task.objectives.loss` has a `key`, which only a `json` file has"),
        ({"pattern": None, "json": "../x.json"}, "must read a file within the working folder"),
        ({"take": "first"}, "`task.objectives.loss.take` was 'first': input should be 'only' or 'last'"),
        ({"direction": "min"}, "`task.objectives.loss.direction` was 'min'"),
        ({"direction": None}, "`task.objectives.loss.direction` is missing"),
        ({"patern": "x"}, "`task.objectives.loss.patern` is not a configuration key; did you mean 'pattern'?"),
        ({"jsn": "x"}, "`task.objectives.loss.jsn` is not a configuration key; did you mean 'json'?"),
    ],
)
def test_wrong_objectives_are_named_with_what_was_expected(changes: dict[str, Any], words: str) -> None:
    objective = {key: value for key, value in (LOSS | changes).items() if value is not None}
    assert words in refusal(objectives={"loss": objective})


@pytest.mark.parametrize("key", ["genome", "command", "objectives"])
def test_what_is_missing_is_named(key: str) -> None:
    without = {name: value for name, value in TASK.items() if name != key}
    with pytest.raises(ConfigError, match=rf"^evo.toml: `task.{key}` is missing\.$"):
        parse_config({"task": without}, "evo.toml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frozen": "m.json"}, "`task.objectives.loss.json` must be written by a command, but 'm.json' is frozen"),
        ({"score": "python s.py", "json": "artifacts/m.json"}, "must be what `score` writes, but 'artifacts/m.json'"),
    ],
)
def test_an_objective_is_read_from_what_its_reporter_writes(changes: dict[str, Any], words: str) -> None:
    file = changes.pop("json", "m.json")
    assert words in refusal(objectives={"loss": {"direction": "minimize", "json": file}}, **changes)


@pytest.mark.parametrize(("key", "name"), [("objectives", "val_loss"), ("front", "run_second")])
def test_only_what_is_measured_can_be_searched_for(key: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"`search.{key}` '{name}' is not measured"):
        parse_config({"task": TASK, "search": {key: [name]}}, "evo.toml")


def test_a_flag_that_does_not_fit_is_called_by_its_name() -> None:
    config = parse_config({"task": TASK | {"wall_seconds": 60}}, "evo.toml")
    with pytest.raises(ConfigError, match=r"^--budget must be below `wall_seconds` \(60\), but it was 90\.$"):
        overlaid(config, {"task": {"fixed_seconds": 90.0}})


def test_what_is_left_out_is_filled_in() -> None:
    plain = task(command="python train.py --name 'two words'", environment=["TOKENIZERS_PARALLELISM", "MAX_TOKENS"])
    assert plain.command == ("python", "train.py", "--name", "two words")
    assert plain.wall_limit_seconds == 1800.0
    assert plain.default_objectives == (("loss",), ("loss", "run_seconds"))
    assert [one.label for one in plain.measured.values()] == [
        *("loss (self-reported)", "run_seconds", "peak_memory_mib", "code_lines")
    ]
    two = {"loss": LOSS, "accuracy": {"direction": "maximize", "json": "m.json"}}
    scored = task(objectives=two, score="python s.py", frozen="./s.py", fixed_seconds=300)
    assert scored.frozen == ("s.py",)
    assert scored.wall_limit_seconds == 900.0
    assert scored.default_objectives == (("loss",), ("loss", "accuracy"))
    assert [one.label for one in scored.measured.values()][:2] == ["loss", "accuracy"]


def test_a_configuration_survives_its_own_file(tmp_path: Path) -> None:
    objectives = {"loss": LOSS, "accuracy": {"direction": "maximize", "json": "m.json", "key": "test.accuracy"}}
    config = parse_config({"task": TASK | {"objectives": objectives, "constraints": ["loss < 3"], "gpus": 2}})
    path = tmp_path / "evo.toml"
    path.write_text(config.to_toml())
    assert tomllib.loads(config.to_toml())["task"]["objectives"]["accuracy"]["json"] == "m.json"
    assert load_config(path) == config


# What the project's folder has to say about it


FILES = {"train.py": "print('loss: 1')\n", "score.py": "print('loss: 1')\n", "data/a.txt": "1\n"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_files(tmp_path / "project", FILES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frozen": "none.py"}, "`task.frozen` names 'none.py', but there is no file or folder /"),
        ({"frozen": "ring"}, "`task.frozen` names 'ring', "),
        ({"frozen": "pipe"}, "`task.frozen` names 'pipe', but there is no file or folder"),
        ({"held_out": "none.txt", "score": "python -c 1"}, "`task.held_out` names 'none.txt', but there is no file"),
        ({"command": "no-such-program x"}, "`task.command` runs 'no-such-program', but there is no such program on"),
        ({"command": "./go.sh"}, "`task.command` runs './go.sh', but there is no such program in /"),
        ({"score": "no-such-program"}, "`task.score` runs 'no-such-program'"),
        ({"score": "python score.py"}, "`task.score` runs score.py, but is not given it"),
        ({"command": "python score.py"}, "`task.command` runs score.py, but is not given it: it sees train.py alone"),
    ],
)
def test_what_a_project_lacks_is_found_before_anything_runs(project: Path, changes: dict[str, Any], words: str) -> None:
    (project / "ring").symlink_to("ring")
    os.mkfifo(project / "pipe")
    with pytest.raises(ConfigError) as raised:
        prepare_materials(parse_config({"task": TASK | {"root": str(project)} | changes}, "evo.toml"))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.py", "none.py cannot be read: No such file"),
        ("link.py", "`task.genome` must lie in the project"),
        ("folder.py", "folder.py is a folder"),
        ("empty.py", "empty.py is empty"),
        ("broken.py", "broken.py cannot be generation 0: line 1"),
        ("latin.py", "latin.py to be UTF-8 text, but byte 1 is not"),
        ("pipe.py", "pipe.py is a pipe or a device"),
        ("ring.py", "ring.py cannot be read: Too many levels"),
    ],
)
def test_a_genome_that_cannot_be_one_is_found_before_anything_runs(project: Path, name: str, words: str) -> None:
    (project / "folder.py").mkdir()
    (project / "empty.py").write_text("\n")
    (project / "broken.py").write_text("def f(:\n")
    (project / "latin.py").write_bytes(b"#\xe9\n")
    (project.parent / "outside.py").write_text("x = 1\n")
    (project / "link.py").symlink_to(project.parent / "outside.py")
    (project / "ring.py").symlink_to("ring.py")
    os.mkfifo(project / "pipe.py")
    with pytest.raises(GenomeError, match=words):
        read_generation_zero(parse_config({"task": TASK | {"root": str(project), "genome": name}}))


def test_only_content_counts_as_a_change(project: Path) -> None:
    (project / "data/sub").mkdir()
    (project / "data/dangling").symlink_to("nowhere")
    (project / "data/ring").symlink_to(".")
    os.mkfifo(project / "data/pipe")
    folder, file = freeze(["data", "train.py"], project)
    assert (folder.looked_at_again(), file.looked_at_again()) == (folder, file)

    os.utime(project / "data/a.txt", (1, 1))
    touched = folder.looked_at_again()
    assert touched is not None
    assert (touched.sha256, touched.signature != folder.signature) == (folder.sha256, True)
    assert touched.looked_at_again() == touched
    (project / "data/__pycache__").mkdir()
    (project / "data/__pycache__/a.pyc").write_text("x")
    assert folder.looked_at_again() == touched

    shutil.copytree(project / "data", project / "copy", symlinks=True, ignore=shutil.ignore_patterns("pipe"))
    os.mkfifo(project / "copy/pipe")
    shutil.rmtree(project / "data/__pycache__")
    assert freeze(["copy"], project)[0].sha256 == folder.sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda data: (data / "a.txt").write_text("2\n"),
        lambda data: (data / "a.txt").rename(data / "b.txt"),
        lambda data: (data / "b.txt").touch(),
        lambda data: (data / "a.txt").unlink(),
        lambda data: (data / "link").symlink_to("/usr"),
        lambda data: shutil.rmtree(data),
        lambda data: (shutil.rmtree(data), data.write_text("1\n")),
    ],
)
def test_another_content_is_a_change(project: Path, change: Any) -> None:
    (frozen,) = freeze(["data"], project)
    change(project / "data")
    assert frozen.looked_at_again() is None


@pytest.mark.parametrize("changes", [{}, {"fixed_seconds": 60.0}, {"command": "python train.py {seconds}"}])
def test_rungs_need_a_command_that_is_told_its_time(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"`fidelity\.rungs` needs a command that is told how long to run: set"):
        parse_config({"task": TASK | changes, "fidelity": {"rungs": [0.25, 1.0]}}, "evo.toml")


def test_a_command_that_is_told_its_time_takes_rungs() -> None:
    told = TASK | {"fixed_seconds": 60.0, "command": "python train.py --seconds={seconds}"}
    assert parse_config({"task": told, "fidelity": {"rungs": [0.25, 1.0]}}, "evo.toml").fidelity.rungs == (0.25, 1.0)


def test_a_measured_time_is_never_exact(tmp_path: Path) -> None:
    file = tmp_path / "evo.toml"
    data = {"task": TASK | {"root": ".", "noise": "none"}, "search": {"objectives": ["loss"]}}
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    assert new_run_config("", file, {}).task.is_deterministic
    with pytest.raises(ConfigError, match="run_seconds, which selection looks at, differs from run to run"):
        new_run_config("", file, {"objectives": ["loss", "run_seconds"]})


def test_frozen_code_of_every_language_is_shown_and_rows_and_settings_are_not(tmp_path: Path) -> None:
    names = ("build.sh", "bench.hpp", "load.py", "rows.txt", "rows.json", "keys.yaml", "score.js")
    for name in names:
        (tmp_path / name).write_text(f"text of {name}\n", encoding="utf-8")
    script = task(root=str(tmp_path), genome=["fit.cpp"], frozen=list(names), score=["node", "score.js"])
    shown = {name: text for name, text in frozen_texts(script) if text}
    assert shown == {name: f"text of {name}\n" for name in ("build.sh", "bench.hpp", "load.py")}
