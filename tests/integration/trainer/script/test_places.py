"""A script where it lives: with its seeds, its installed package, its data elsewhere, and its time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from script_runs import LOSS, evaluate, script_settings, write_files

from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.sandbox import Level, choose_level
from trainer.script import SeedPlace, freeze

SETTINGS = {"seeds": (SeedPlace("train.py", "SEED"), SeedPlace("start.py", "random.seed()"))}


def available(level: Level) -> Level:
    try:
        return choose_level(level, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(
    scope="module",
    params=[Level.BUBBLEWRAP, pytest.param(Level.LANDLOCK, marks=pytest.mark.full), Level.PROCESS_GROUP],
)
def level(request: pytest.FixtureRequest) -> Level:
    return available(request.param)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    """One for everything that its settings fit."""
    root = write_files(tmp_path_factory.mktemp("plain") / "project", {"train.py": ""})
    command = ("env", "SEED={seed}", "A=b=c", "python", "train.py")
    with SupervisorProcess(script_settings(root, command=command, fixed_seconds=0.1)) as supervisor:
        yield supervisor


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


def test_a_shell_finds_the_python_that_runs_evo(level: Level, tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    settings = script_settings(root, command=("sh", "-c", "python train.py && python train.py"), sandbox=level)
    with SupervisorProcess(settings) as supervisor:
        done = evaluate(supervisor, f"import sys\nprint('loss:', float(sys.prefix == {sys.prefix!r}))\n", 0)
    assert done.status is Status.OK, done.reason
    assert done.objectives["loss"] == 1.0


def test_frozen_code_below_src_is_imported_by_its_package(tmp_path: Path) -> None:
    files = {"train.py": "", "src/app/__init__.py": "", "src/app/run.py": "import app\nprint('loss:', 0.5)\n"}
    root = write_files(tmp_path / "project", files)
    settings = script_settings(root, frozen=("src/app",), command=("python", "-m", "app.run"))
    with SupervisorProcess(settings) as supervisor:
        done = evaluate(supervisor, "RATE = 1\n", 0)
    assert done.status is Status.OK, done.reason


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


@pytest.mark.parametrize(
    "command",
    [["scripts/train.py"], pytest.param(["-m", "scripts.train"], marks=pytest.mark.full)],
    ids=["script", "module"],
)
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
def test_the_mark_of_generation_0_fits_before_whatever_comes_first(source: str, plain: SupervisorProcess) -> None:
    verdict = plain.evaluate(Job(source, 0, is_reference=True))
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


def test_a_fixed_time_is_enforced(plain: SupervisorProcess) -> None:
    late = plain.evaluate(Job("import time\ntime.sleep(600)\n", 0, longest_seconds=0.3))
    hanging = plain.evaluate(Job("import time\ntime.sleep(600)\n", 0, wall_seconds=0.4))
    fine = plain.evaluate(Job("print('loss: 1')\n", 0, wall_seconds=60.0, longest_seconds=60.0))
    assert (late.status, hanging.status, fine.status) == (Status.TIMED_OUT, Status.TIMED_OUT, Status.OK)
    assert "ran for more than 0.3 s, but its time is fixed at 0.1 s" in late.reason
    assert "did not end within 0.4 s" in hanging.reason


def test_libraries_are_told_that_there_is_no_network(plain: SupervisorProcess, tmp_path: Path) -> None:
    source = """
        import os
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"
        print("loss:", ["offline", "disabled"].index(os.environ["WANDB_MODE"]))
        """
    assert evaluate(plain, source).objectives["loss"] == 0
    root = write_files(tmp_path / "project", {"train.py": ""})
    with SupervisorProcess(script_settings(root, environment={"WANDB_MODE": "disabled"})) as supervisor:
        assert evaluate(supervisor, source).objectives["loss"] == 1


COMPILES = """
    import os
    folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if folder is None:
        print("loss: -1")
        raise SystemExit
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "kernel")
    print("loss:", len(open(path).read()) if os.path.exists(path) else 0)
    open(path, "w").write("WORDS")
    """


def test_what_generation_0_compiled_is_given_to_all_and_changed_by_none(level: Level, tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    settings = script_settings(root, sandbox=level, compiled=tmp_path / "compiled")
    with SupervisorProcess(settings) as supervisor:
        early = evaluate(supervisor, COMPILES.replace("WORDS", "by an early candidate"))
        first = supervisor.evaluate(Job(textwrap.dedent(COMPILES).replace("WORDS", "right"), 0, is_reference=True))
    with SupervisorProcess(settings) as supervisor:  # another worker, or the same run resumed
        seen = [evaluate(supervisor, COMPILES.replace("WORDS", "poisoned")).objectives["loss"] for _ in range(2)]
    found = (early.objectives["loss"], first.objectives["loss"], *seen)
    assert found == ((-1, -1, -1, -1) if level is Level.PROCESS_GROUP else (0, 0, 5, 5))


@pytest.mark.parametrize("level", [Level.BUBBLEWRAP, Level.LANDLOCK])
def test_worker_processes_are_told_what_they_lack(level: Level, tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", {"train.py": ""})
    source = """
        import multiprocessing

        if __name__ == "__main__":
            queue = multiprocessing.get_context("fork").Queue()
            process = multiprocessing.get_context("fork").Process(target=queue.put, args=(0.5,))
            process.start()
            print("loss:", queue.get())
            process.join()
        """
    with SupervisorProcess(script_settings(root, sandbox=available(level))) as supervisor:
        verdict = evaluate(supervisor, source)
    if level is Level.LANDLOCK:
        assert verdict.status is Status.CRASHED
        assert "num_workers=0" in verdict.reason
    else:
        assert verdict.status is Status.OK, verdict.reason + verdict.log_tail


def test_variables_of_the_command_reach_it(plain: SupervisorProcess) -> None:
    source = "import os\nassert os.environ['A'] == 'b=c'\nprint('loss:', os.environ['SEED'])\n"
    verdict = evaluate(plain, source, seed=11)
    assert verdict.status is Status.OK, verdict.reason + verdict.log_tail
    assert verdict.objectives["loss"] == 11
