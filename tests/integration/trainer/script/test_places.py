"""A script where it lives: with its seeds, its installed package, its data elsewhere, and its time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from script_runs import LOSS, evaluate, script_settings, write_files

from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.sandbox import Level, choose_level
from trainer.script import SeedPlace, freeze

SETTINGS = {"seeds": (SeedPlace("train.py", "SEED"), SeedPlace("start.py", "random.seed()"))}


@pytest.fixture(scope="module", params=Level)
def level(request: pytest.FixtureRequest) -> Level:
    try:
        return choose_level(request.param, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))


def test_literal_seeds_are_replaced_in_the_copies_alone(level: Level, tmp_path: Path) -> None:
    start = "import random\nrandom.seed(42)\nimport train\n"
    start += "print('loss:', train.SEED * 1000)\nprint('first:', random.random())\n"
    root = write_files(tmp_path / "project", {"start.py": start, "train.py": "SEED = 42\n"})
    readings = (LOSS, LOSS.__class__("first", r"^first:\s*(\S+)"))
    settings = script_settings(
        root, frozen=("start.py",), command=("python", "start.py"), readings=readings, sandbox=level, **SETTINGS
    )
    with SupervisorProcess(settings) as supervisor:
        one, other, again = (evaluate(supervisor, "SEED = 42\n", seed) for seed in (1, 2, 1))
        without = evaluate(supervisor, "SEED = (lambda: 3)()\n", 5)
    assert one.status is Status.OK, one.reason
    assert (one.objectives["loss"], other.objectives["loss"], without.objectives["loss"]) == (1000, 2000, 3000)
    assert one.objectives["first"] == again.objectives["first"] != other.objectives["first"]
    assert (root / "start.py").read_text() == start


def reference(settings: object, source: str) -> Evaluation:
    with SupervisorProcess(settings) as supervisor:  # type: ignore[arg-type]
        return supervisor.evaluate(Job(source, 0, is_reference=True))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose package is installed in place, in an environment of its own."""
    files = {
        "pkg/__init__.py": "",
        "pkg/model.py": '"""The model."""\nfrom __future__ import annotations\n\nWIDTH = 1\n',
        "scripts/train.py": "from pkg.model import WIDTH\nprint('loss:', WIDTH)\n",
        "lone/other.py": "WIDTH = 7\n",
    }
    root = write_files(tmp_path_factory.mktemp("installed") / "project", files)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    (packages,) = (root / ".venv/lib").glob("python3*/site-packages")
    (packages / "__editable__.pkg-0.pth").write_text(f"{root}\n")
    return root


@pytest.mark.parametrize("command", [["scripts/train.py"], ["-m", "scripts.train"]], ids=["script", "module"])
def test_what_evolves_goes_before_what_is_installed(command: list[str], level: Level, installed: Path) -> None:
    settings = script_settings(
        installed,
        genome=("pkg/model.py",),
        frozen=("pkg/__init__.py", "scripts/train.py"),
        command=(".venv/bin/python", *command),
        sandbox=level,
    )
    verdict = reference(settings, '"""The model."""\nfrom __future__ import annotations\n\nWIDTH = 5\n')
    assert verdict.status is Status.OK, verdict.reason + verdict.log_tail
    assert verdict.objectives["loss"] == 5


def test_a_copy_elsewhere_that_runs_instead_is_told(installed: Path) -> None:
    wrong = f"import sys; sys.path.insert(0, {str(installed)!r})\nfrom pkg.model import WIDTH\nprint('loss:', WIDTH)\n"
    write_files(installed, {"wrong.py": wrong})
    settings = script_settings(
        installed,
        genome=("pkg/model.py",),
        frozen=("pkg/__init__.py", "wrong.py"),
        command=(".venv/bin/python", "wrong.py"),
        sandbox=Level.PROCESS_GROUP,
    )
    verdict = reference(settings, "WIDTH = 5\n")
    assert verdict.status is Status.REJECTED
    assert "without executing pkg/model.py" in verdict.reason


@pytest.mark.parametrize(
    "source",
    [
        "print('loss: 1')\n",
        "class A: pass\nprint('loss: 1')\n",
        '"""Doc."""; print("loss: 1")\n',
        "from __future__ import annotations\n@str\ndef f(): pass\nprint('loss: 1')\n",
        "import os; os.chdir('/'); print('loss: 1')\n",
        "\n# é\nif True:\n    print('loss: 1')\n",
    ],
)
def test_the_mark_of_generation_0_fits_before_whatever_comes_first(source: str, tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": source})
    verdict = reference(script_settings(root, command=("python", "train.py")), source)
    assert verdict.status is Status.OK, verdict.reason + verdict.log_tail


def test_data_elsewhere_is_read_where_the_program_looks_for_it(level: Level, tmp_path: Path) -> None:
    files = {"project/train.py": "", "data/x.txt": "0.5", "far/y.txt": "0.25"}
    root = write_files(tmp_path, files) / "project"
    (tmp_path / "link").symlink_to(tmp_path / "far")
    link = str(tmp_path / "link")
    settings = script_settings(root, frozen=("../data", link), sandbox=level)
    source = f"""
        import os
        far = {link!r} + "/y.txt"
        for path in ("../data/x.txt", far):
            try:
                open(path, "w")
                raise SystemExit("it can be written to")
            except OSError:
                pass
        print("loss:", float(open("../data/x.txt").read()) + float(open(far).read()))
        """
    if level is Level.PROCESS_GROUP:
        source = source.replace('open(path, "w")', "raise OSError")
    with SupervisorProcess(settings) as supervisor:
        for _ in range(2):
            verdict = evaluate(supervisor, source)
            assert verdict.status is Status.OK, verdict.reason + verdict.log_tail
            assert verdict.objectives["loss"] == 0.75
    assert (tmp_path / "far/y.txt").read_text() == "0.25"


def test_artifacts_are_taken_and_data_elsewhere_stays(level: Level, tmp_path: Path) -> None:
    files = {"project/train.py": "", "project/score.py": "print('loss: 1')\n", "data/x.txt": "0.5"}
    root = write_files(tmp_path, files) / "project"
    names = ("score.py", "../data", str(tmp_path / "data/x.txt"))
    settings = script_settings(root, frozen=names, score=("python", "score.py"), sandbox=level)
    with SupervisorProcess(settings) as supervisor:
        assert evaluate(supervisor, "open('out', 'w').close()\n").status is Status.OK
    assert (tmp_path / "data/x.txt").read_text() == "0.5"


def test_data_further_up_needs_the_strongest_level(tmp_path: Path) -> None:
    root = write_files(tmp_path / "a/b/project", {"train.py": "", "../../data.txt": "1"})
    settings = script_settings(root, frozen=("../../data.txt",), sandbox=Level.PROCESS_GROUP)
    with pytest.raises(MachineError, match=r"\.\./\.\./data\.txt can be given .* bubblewrap only"):
        SupervisorProcess(settings)


def test_a_pointer_of_git_lfs_is_no_data(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
    write_files(tmp_path, {"data/small.txt": "x", "data/big file.bin": pointer})
    with pytest.raises(ConfigError, match=r"git lfs pull --include 'data/big file\.bin'"):
        freeze(["data"], tmp_path)


def test_the_project_itself_is_not_frozen(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ConfigError, match="holds the project"):
        freeze([str(tmp_path)], tmp_path / "a")


def test_a_fixed_time_is_enforced(tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    settings = script_settings(root, fixed_seconds=0.1)
    with SupervisorProcess(settings) as supervisor:
        late = supervisor.evaluate(Job("import time\ntime.sleep(600)\n", 0, longest_seconds=0.3))
        hanging = supervisor.evaluate(Job("import time\ntime.sleep(600)\n", 0, wall_seconds=0.4))
        fine = supervisor.evaluate(Job("print('loss: 1')\n", 0, wall_seconds=60.0, longest_seconds=60.0))
    assert (late.status, hanging.status, fine.status) == (Status.TIMED_OUT, Status.TIMED_OUT, Status.OK)
    assert "ran for more than 0.3 s, but its time is fixed at 0.1 s" in late.reason
    assert "did not end within 0.4 s" in hanging.reason


def test_libraries_are_told_that_there_is_no_network(tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    source = """
        import os
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"
        print("loss:", ["offline", "disabled"].index(os.environ["WANDB_MODE"]))
        """
    with SupervisorProcess(script_settings(root)) as supervisor:
        assert evaluate(supervisor, source).objectives["loss"] == 0
    settings = script_settings(root, environment={"WANDB_MODE": "disabled"})
    with SupervisorProcess(settings) as supervisor:
        assert evaluate(supervisor, source).objectives["loss"] == 1


def test_variables_of_the_command_reach_it(tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    command = ("env", "SEED={seed}", "A=b=c", "python", "train.py")
    source = "import os\nassert os.environ['A'] == 'b=c'\nprint('loss:', os.environ['SEED'])\n"
    with SupervisorProcess(script_settings(root, command=command)) as supervisor:
        verdict = evaluate(supervisor, source, seed=11)
    assert verdict.status is Status.OK, verdict.reason + verdict.log_tail
    assert verdict.objectives["loss"] == 11
    assert os.environ.get("SEED") != "11"
