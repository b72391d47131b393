"""Script tasks under the real supervisor at every level of isolation that this machine has."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from script_runs import evaluate, evaluate_once, script_settings, write_files
from trainer_runs import await_end, evaluating_driver, trainee

from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Job, Status
from trainer.genome import join
from trainer.local import SupervisorProcess
from trainer.sandbox import Level, choose_level
from trainer.script import Reading
from trainer.settings import Limits

PROJECT = {
    "prepare.py": "VALUE = 0.25\n",
    "data/numbers.txt": "1 2 3\n",
    "train.py": "the version that the user has\n",
    "notes.txt": "for nobody\n",
    "labels.txt": "held out\n",
}
ORDINARY = "print('loss: 0.5')\n"
SMALL = Limits(memory_mib=200, output_mib=8, disk_mib=8, processes=24)


@pytest.fixture(scope="module", params=Level)
def level(request: pytest.FixtureRequest) -> Level:
    try:
        return choose_level(request.param, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("script") / "project", PROJECT)


@pytest.fixture(scope="module")
def secret() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-ant-never-to-be-seen")
        patch.setenv("SOMETHING_ELSE", "sk-ant-never-to-be-seen")
        yield "sk-ant-never-to-be-seen"


@pytest.fixture(scope="module")
def confined(level: Level, root: Path, secret: str) -> Iterator[SupervisorProcess]:
    """One supervisor for everything that its settings fit, at each level."""
    settings = script_settings(
        root,
        frozen=("prepare.py", "data"),
        command=("python", "train.py", "--seed={seed}", "{seconds}"),
        fixed_seconds=2.5,
        wall_seconds=3.0,
        environment={"WANDB_MODE": "offline"},
        limits=SMALL,
        sandbox=level,
    )
    with SupervisorProcess(settings) as supervisor:
        yield supervisor
    assert settings.scratch is not None
    assert not list(settings.scratch.iterdir())


@pytest.fixture(scope="module")
def supervisor(root: Path) -> Iterator[SupervisorProcess]:
    """One at the strongest level, for what is the same at each."""
    with SupervisorProcess(script_settings(root, limits=SMALL)) as process:
        yield process


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_a_rung_is_told_a_share_of_the_fixed_time(root: Path) -> None:
    settings = script_settings(root, command=("python", "train.py", "{seconds}"), fixed_seconds=2.0)
    source = "import os, sys\nprint('loss:', float(sys.argv[1]) + float(os.environ['EVO_SECONDS']))\n"
    with SupervisorProcess(settings) as process:
        assert process.evaluate(Job(source, 0, budget_fraction=0.25)).objectives["loss"] == 1.0
        assert process.evaluate(Job(source, 0)).objectives["loss"] == 4.0


def test_objectives_are_read_and_the_rest_is_measured(confined: SupervisorProcess) -> None:
    verdict = evaluate(
        confined,
        """
        import time
        from prepare import VALUE

        numbers = open("data/numbers.txt").read().split()
        block = bytearray(90 * 2**20)
        time.sleep(0.15)
        print(f"loss: {VALUE * len(numbers)}")
        """,
    )
    assert verdict.status is Status.OK, verdict.reason
    assert verdict.objectives["loss"] == 0.75
    assert verdict.objectives["code_lines"] == 6
    assert verdict.objectives["run_seconds"] > 0.15
    assert 90 < verdict.objectives["peak_memory_mib"] < 150
    assert verdict.timings.train_seconds == verdict.objectives["run_seconds"] < verdict.timings.total_seconds


def test_even_the_shortest_program_has_a_plausible_peak(confined: SupervisorProcess) -> None:
    verdict = evaluate(confined, "print('loss: 1')")
    burst = evaluate(confined, "x = bytearray(100 * 2**20)\nprint('loss: 1')")
    of_a_child = evaluate(
        confined,
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'bytearray(100 * 2**20)'])\nprint('loss: 1')",
    )
    # What stays below the supervisor's own memory is known from samples alone, and a busy machine takes few.
    assert 1 < verdict.objectives["peak_memory_mib"] < 60
    for one in (burst, of_a_child):
        assert 100 < one.objectives["peak_memory_mib"] < 160


def test_files_can_be_made_copied_and_touched(confined: SupervisorProcess) -> None:
    verdict = evaluate(
        confined,
        """
        import os, shutil
        from pathlib import Path

        for _ in range(2):
            Path("done").touch()
            assert Path("done").exists()
        shutil.copy2("prepare.py", "copy.py")
        shutil.copytree("data", "more")
        os.utime("done", (1, 1))
        print("loss: 1")
        """,
    )
    assert verdict.status is Status.OK, verdict.reason


@pytest.mark.skipif(sys.platform != "linux", reason="timers as Linux has them")
def test_a_script_has_locks_timers_and_pending_signals(confined: SupervisorProcess) -> None:
    source = """
        import ctypes, fcntl, signal, time
        fcntl.flock(open("lock", "w"), fcntl.LOCK_EX)
        assert ctypes.CDLL(None).timer_create(time.CLOCK_MONOTONIC, None, ctypes.byref(ctypes.c_void_p())) == 0
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
        signal.raise_signal(signal.SIGRTMIN)
        print("loss:", float(signal.SIGRTMIN in signal.sigpending()))
        """
    result = evaluate(confined, source)
    assert result.status is Status.OK, result.reason
    assert result.objectives["loss"] == 1.0


def test_compilers_find_each_other_in_the_folders_of_rustup(
    level: Level, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"bin/rustup": "", "rustup/settings.toml": "0.75"})
    (tmp_path / "bin/rustup").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "rustup"))
    source = """
        import os, shutil
        assert shutil.which("rustup")
        print("loss:", open(os.environ["RUSTUP_HOME"] + "/settings.toml").read())
        """
    result = evaluate_once(script_settings(root, sandbox=level), source)
    assert result.status is Status.OK, result.reason
    assert result.objectives["loss"] == 0.75


def test_seed_and_seconds_arrive_by_placeholder_and_by_environment(confined: SupervisorProcess) -> None:
    verdict = evaluate(
        confined,
        """
        import os, sys
        assert sys.argv[1:] == ["--seed=77", "2.5"], sys.argv
        assert os.environ["EVO_SECONDS"] == "2.5"
        print("loss:", os.environ["EVO_SEED"])
        """,
        seed=77,
    )
    assert verdict.objectives.get("loss") == 77.0, verdict.reason


def test_the_environment_is_the_allow_list(confined: SupervisorProcess, secret: str) -> None:
    verdict = evaluate(
        confined,
        """
        import os
        print(sorted(os.environ.items()))
        assert os.environ["HOME"] == os.environ["TMPDIR"] == os.getcwd()
        print("loss: 1" if os.environ["WANDB_MODE"] == "offline" else "")
        """,
    )
    assert verdict.status is Status.OK, verdict.reason
    assert secret not in verdict.log_tail
    assert "ANTHROPIC" not in verdict.log_tail
    assert f"'{Path.home()}'" not in verdict.log_tail


def test_what_a_candidate_sees(confined: SupervisorProcess, level: Level, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("for nobody")
    outside = [root / "notes.txt", root / "labels.txt", root / "train.py", tmp_path / "outside"]
    home = next((str(one) for one in Path.home().iterdir() if one.is_file()), str(outside[0]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        verdict = evaluate(
            confined,
            f"""
            import socket
            seen = 0
            for path in {[*map(str, outside), home]}:
                try:
                    seen += len(open(path, "rb").read()) > 0
                except OSError:
                    pass
            try:
                seen += bool(socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), 3))
            except OSError:
                pass
            print("loss:", seen)
            """,
        )
    assert verdict.objectives.get("loss") == (6.0 if level is Level.PROCESS_GROUP else 0.0), verdict.reason


@pytest.mark.parametrize("file", ["data/numbers.txt", "data/more.txt"])
def test_frozen_folders_cannot_be_written_to(
    confined: SupervisorProcess, level: Level, root: Path, tmp_path: Path, file: str
) -> None:
    source = f"open({file!r}, 'a').write('more')\nprint('loss: 0.1')\n"
    if level is not Level.PROCESS_GROUP:
        assert evaluate(confined, source).status is Status.CRASHED
        assert (root / "data/numbers.txt").read_text() == PROJECT["data/numbers.txt"]
        return
    copy = shutil.copytree(root, tmp_path / "project")
    with SupervisorProcess(script_settings(copy, frozen=("prepare.py", "data"), sandbox=level)) as floor:
        verdict = evaluate(floor, source)
        assert (verdict.status, verdict.reason) == (Status.REJECTED, "the frozen data changed while it ran")
        afterwards = evaluate(floor, ORDINARY)
        assert afterwards.status is Status.LOST
        assert "The frozen data changed since the run began" in afterwards.reason
        assert "evo resume" in afterwards.reason


@pytest.mark.parametrize(
    "trick",
    [
        "open('prepare.py', 'a').write('VALUE = 0')",
        "os.remove('prepare.py'); open('prepare.py', 'w').write('VALUE = 0')",
        "os.rename('data', 'other'); os.mkdir('data')",
    ],
)
def test_nothing_stands_in_the_place_of_a_frozen_file(
    confined: SupervisorProcess, level: Level, root: Path, trick: str
) -> None:
    verdict = evaluate(confined, f"import os\n{trick}\nprint('loss: 0.1')\n")
    expected = Status.CRASHED if level is Level.BUBBLEWRAP else Status.REJECTED
    assert verdict.status is expected, verdict.reason
    assert (root / "prepare.py").read_text() == PROJECT["prepare.py"]
    assert evaluate(confined, ORDINARY).status is Status.OK


def test_somebody_elses_change_is_not_the_candidates_fault(level: Level, tmp_path: Path) -> None:
    root = write_files(tmp_path / "project", PROJECT)
    with SupervisorProcess(script_settings(root, frozen=("prepare.py", "data"), sandbox=level)) as process:
        os.utime(root / "prepare.py", (1, 1))
        assert evaluate(process, ORDINARY).status is Status.OK
        (root / "data/__pycache__").mkdir()
        (root / "data/__pycache__/x.pyc").touch()
        assert evaluate(process, ORDINARY).status is Status.OK
        (root / "data/numbers.txt").write_text("4\n")
        verdict = evaluate(process, ORDINARY)
    assert verdict.status is Status.LOST
    assert verdict.reason.startswith("The frozen data changed since the run began")


def test_a_change_while_it_runs_is_held_against_who_could_make_it(
    level: Level, tmp_path: Path, background: ThreadPoolExecutor
) -> None:
    root = write_files(tmp_path / "project", PROJECT)
    settings = script_settings(root, frozen=("data",), sandbox=level)
    assert settings.scratch is not None
    waits = """
        import os, time
        open("starting", "w").write(str(os.getpid()))
        os.rename("starting", "started")
        while "4" not in open("data/numbers.txt").read():
            time.sleep(0.01)
        raise SystemExit("half of a file")
        """
    with SupervisorProcess(settings) as process:
        verdict = background.submit(evaluate, process, waits)
        trainee(settings.scratch)
        (root / "data/numbers.txt").write_text("4\n")
        status = verdict.result().status
    assert status is (Status.CRASHED if level is Level.PROCESS_GROUP else Status.LOST)


DAEMON = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
"""
STUBBORN = DAEMON + "open('starting', 'w').write(str(os.getpid()))\nos.rename('starting', 'started')\ntime.sleep(600)\n"


def test_the_wall_limit_ends_the_whole_tree(level: Level, root: Path) -> None:
    settings = script_settings(root, wall_seconds=2.0, sandbox=level)
    assert settings.scratch is not None
    with SupervisorProcess(settings) as process:
        began = time.monotonic()
        verdict = evaluate(process, STUBBORN)
        took = time.monotonic() - began
        assert verdict.status is Status.TIMED_OUT
        assert verdict.reason == "the command did not end within 2 s"
        assert verdict.objectives == {}
        assert took < 60
        assert not await_end(settings.scratch, seconds=0)
        ends_well = evaluate(process, DAEMON + "print('loss: 2')\n")
        assert ends_well.status is Status.OK, ends_well.reason
        assert not await_end(settings.scratch, seconds=0)


def test_the_drivers_death_ends_the_command(level: Level, root: Path, tmp_path: Path) -> None:
    settings = replace(script_settings(root, sandbox=level), scratch=tmp_path)
    with evaluating_driver(settings, STUBBORN) as driver:
        trainee(tmp_path)
        (process,) = psutil.Process(driver.pid).children()
        driver.kill()
    process.wait()
    assert not await_end(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("raise SystemExit(3)", Status.CRASHED, "exited with code 3"),
        ("1 / 0", Status.CRASHED, "its last line: ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 11)", Status.CRASHED, "SIGSEGV"),
        ("import os; os.abort()", Status.CRASHED, "SIGABRT"),
        ("raise MemoryError", Status.OUT_OF_MEMORY, "the command ran out of memory; its last line: MemoryError"),
        ("print('torch.OutOfMemoryError: CUDA out of memory.'); exit(1)", Status.OUT_OF_MEMORY, "ran out of memory"),
        ("import time; block = b'x' * (400 * 2**20); time.sleep(600)", Status.OUT_OF_MEMORY, "200 MiB are allowed"),
        (
            "import mmap, time; time.sleep(1); m = mmap.mmap(-1, 300 << 20, 2); m.madvise(23); del m; print('loss: 1')",
            Status.OUT_OF_MEMORY,
            "200 MiB are allowed",
        ),
        ("print('done')", Status.CRASHED, "printed no line that matches the pattern of loss: ^loss:\\s*(\\S+)"),
        ("print('loss: 1'); print('loss: 2')", Status.CRASHED, "several values that match the pattern of loss"),
        ("print('loss: low')", Status.CRASHED, "reported loss as 'low', which is not a number"),
        ("print('loss: nan')", Status.DIVERGED, "reported loss as nan"),
        ("print('loss: -inf')", Status.DIVERGED, "reported loss as -inf"),
        ("def broken(:\n", Status.CRASHED, "SyntaxError"),
        (
            "import time\nfor i in range(5):\n    open(str(i), 'wb').write(b'x' * 3 * 2**20)\ntime.sleep(9)",
            Status.CRASHED,
            "kept more than 8 MiB in its files",
        ),
        ("open('f', 'wb').write(b'x' * 20 * 2**20)", Status.CRASHED, "File too large|kept more than 8 MiB"),
        (
            "import os, time\nfor _ in range(40):\n    if os.fork() == 0:\n        break\ntime.sleep(9)",
            Status.CRASHED,
            "started more than 24 processes",
        ),
        ("import os\nwhile True:\n    os.write(1, b'x' * 2**20)", Status.CRASHED, "printed more than 8 MiB"),
    ],
)
def test_every_bad_end_is_a_status_with_its_reason(
    supervisor: SupervisorProcess, source: str, status: Status, words: str
) -> None:
    verdict = evaluate(supervisor, source)
    assert (verdict.status, verdict.objectives) == (status, {}), verdict.reason
    assert any(one in verdict.reason for one in words.split("|"))
    assert "\n" not in verdict.reason


def test_seven_mebibytes_without_an_end_of_line_hide_nothing(supervisor: SupervisorProcess) -> None:
    verdict = evaluate(
        supervisor,
        "import os\nos.write(1, b'loss: 0.5\\n')\nfor _ in range(7):\n    os.write(1, b'x' * 2**20)\nprint()",
    )
    assert verdict.status is Status.OK, verdict.reason
    assert verdict.objectives["loss"] == 0.5
    assert len(verdict.log_tail) <= 16 * 2**10


def test_who_kills_himself_is_found_out_the_second_time(root: Path) -> None:
    suicide = "import os\nos.kill(os.getpid(), 9)"
    with SupervisorProcess(script_settings(root)) as process:
        first, second = evaluate(process, suicide), evaluate(process, suicide)
        assert (first.status, first.reason) == (Status.LOST, "the command was killed from outside (SIGKILL)")
        assert second.status is Status.CRASHED
        assert "it seems to kill itself" in second.reason
        assert evaluate(process, suicide, seed=1).status is Status.LOST
        assert evaluate(process, ORDINARY).status is Status.OK


def test_a_fork_bomb_is_ended_before_it_is_counted(level: Level, root: Path) -> None:
    bomb = """
        import os, time
        for _ in range(9):  # 512 processes, so that no failure of this test takes the machine along
            if os.fork() == 0:
                os.setsid()
        time.sleep(600)  # until they are ended
        """
    with SupervisorProcess(script_settings(root, limits=SMALL, sandbox=level)) as process:
        verdict = evaluate(process, bomb)
        assert verdict.status is Status.CRASHED
        assert verdict.reason == "the command started more than 24 processes"
        assert evaluate(process, ORDINARY).status is Status.OK


# Several files


def test_a_genome_of_several_files_in_sub_folders(level: Level, root: Path) -> None:
    files = {
        "model/__init__.py": "from __future__ import annotations\nfrom model.parts import PART\n",
        "model/parts.py": "from __future__ import annotations\nfrom prepare import VALUE\n\nPART = VALUE * 2\n",
        "run.py": "from model import PART\n\nprint('loss:', PART)\n",
    }
    settings = script_settings(
        root, genome=(*files,), frozen=("prepare.py",), command=("python", "run.py"), sandbox=level
    )
    with SupervisorProcess(settings) as process:
        verdict = evaluate(process, join(files))
        assert verdict.objectives.get("loss") == 0.5, verdict.reason
        broken = evaluate(process, "print('loss: 1')\n")
        assert broken.status is Status.REJECTED
        assert "# ===== evo file: model/parts.py =====" in broken.reason


def test_frozen_scripts_use_the_genome_that_evolved(level: Level, tmp_path: Path) -> None:
    root = write_files(
        tmp_path / "project",
        {
            "bench.py": "import kernel, helper\nprint('loss:', kernel.VALUE + helper.VALUE)\n",
            "helper.py": "VALUE = 1\n",
            "kernel.py": "VALUE = 100\n",
            "start.sh": '#!/bin/sh\nexec "$1" bench.py\n',
        },
    )
    (root / "start.sh").chmod(0o755)
    settings = script_settings(
        root,
        genome=("kernel.py",),
        frozen=("bench.py", "helper.py", "start.sh"),
        command=("./start.sh", sys.executable),
        sandbox=level,
    )
    verdict = evaluate_once(settings, "VALUE = 5\n")
    assert verdict.objectives.get("loss") == 6.0, verdict.reason


def test_a_file_of_the_home_folder_is_found_in_the_home_folder(
    level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "home", {".cache/tokens/a.txt": "12\n"})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = write_files(tmp_path / "project", PROJECT)
    settings = script_settings(root, frozen=("~/.cache/tokens",), sandbox=level)
    monkeypatch.undo()
    source = "import pathlib\nprint('loss:', (pathlib.Path.home() / '.cache/tokens/a.txt').read_text())\n"
    assert evaluate_once(settings, source).objectives.get("loss") == 12.0


# Files that are reported


JSON = (Reading("loss", json="out/metrics.json", key="test.loss"),)


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("(out / 'metrics.json').write_text('{\"test\": {\"loss\": 0.5}}')", Status.OK, ""),
        ("pass", Status.CRASHED, "left no readable out/metrics.json"),
        ("os.mkfifo(out / 'metrics.json')", Status.CRASHED, "which is not a regular file"),
        ("(out / 'metrics.json').mkdir()", Status.CRASHED, "which is not a regular file"),
        ("(out / 'metrics.json').symlink_to('/etc/hostname')", Status.CRASHED, "left no readable out/metrics.json"),
        ("out.rmdir(); out.symlink_to(out)", Status.CRASHED, "left out/metrics.json behind a link"),
        ("out.rmdir(); out.symlink_to('.')", Status.CRASHED, "left out/metrics.json behind a link"),
        ("out.rmdir(); out.touch()", Status.CRASHED, "left no readable out/metrics.json"),
    ],
)
def test_a_reported_file_is_a_plain_one(root: Path, source: str, status: Status, words: str) -> None:
    settings = script_settings(root, readings=JSON)
    verdict = evaluate_once(settings, f"import os, pathlib\nout = pathlib.Path('out')\nout.mkdir()\n{source}\n")
    assert verdict.status is status, verdict.reason
    assert words in verdict.reason


# Scoring


SCORE = """
    import os
    from pathlib import Path
    import prepare

    assert os.environ["EVO_ARTIFACTS"] == str(Path("artifacts").absolute())
    assert not os.path.exists("train.py")
    assert prepare.VALUE == 0.25
    for place in Path("artifacts").rglob("*"):
        assert not place.is_symlink() and (place.is_file() or place.is_dir()), place
        print("found", place)
    answer = Path("artifacts/out/answer.txt").read_text()
    print("loss:", 0.125 if answer == Path("labels.txt").read_text() else len(answer))
    """


@pytest.fixture(scope="module")
def scored(level: Level, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    root = write_files(tmp_path_factory.mktemp("scored") / "project", {**PROJECT, "score.py": SCORE})
    settings = script_settings(
        root,
        frozen=("prepare.py",),
        held_out=("labels.txt", "score.py"),
        score=("python", "score.py"),
        limits=SMALL,
        sandbox=level,
    )
    with SupervisorProcess(settings) as process:
        yield process
    assert settings.scratch is not None
    assert not list(settings.scratch.iterdir())


ANSWER = "import os\nfrom pathlib import Path\nos.mkdir('out')\nPath('out/answer.txt').write_text('four')\n"


def test_what_a_command_leaves_in_its_artifacts_is_scored(scored: SupervisorProcess) -> None:
    verdict = evaluate(
        scored,
        """
        import os
        from pathlib import Path

        out = Path(os.environ["EVO_ARTIFACTS"], "out")
        out.mkdir()
        (out / "answer.txt").write_text("abc")
        """,
    )
    assert (verdict.status, verdict.objectives.get("loss")) == (Status.OK, 3.0), verdict.reason


def test_the_score_command_alone_reports(scored: SupervisorProcess) -> None:
    verdict = evaluate(scored, ANSWER + "print('loss: 0.0001')\n")
    assert verdict.status is Status.OK, verdict.reason
    assert verdict.objectives["loss"] == 4.0
    assert (verdict.curve_name, [point.loss for point in verdict.curve]) == ("loss", [0.0001])
    assert 0 < verdict.timings.score_seconds < verdict.timings.total_seconds


def test_held_out_files_are_hidden_from_the_command(scored: SupervisorProcess) -> None:
    verdict = evaluate(scored, ANSWER + "assert not Path('labels.txt').exists() and not Path('score.py').exists()\n")
    assert verdict.status is Status.OK, verdict.reason


@pytest.mark.parametrize(
    "trick",
    [
        "os.symlink('../labels.txt', 'link')",
        "os.symlink('../labels.txt', 'out/link'); os.symlink('..', 'out/up')",
        "os.mkfifo('pipe')",
        "Path('numpy.py').write_text('raise SystemExit(9)'); Path('os.py').write_text('raise SystemExit(9)')",
        "Path('sitecustomize.py').write_text('print(\"loss: 0\")'); Path('usercustomize.py').write_text('1/0')",
        "Path('labels.txt').write_text('four'); Path('score.py').write_text('print(\"loss: 0\")')",
        "Path('artifacts').mkdir(); Path('artifacts/labels.txt').write_text('four')",
        "os.makedirs('.local/lib/python3.11/site-packages'); Path('out/x').touch(0o000)",
        "os.makedirs('a/' * 40)",
    ],
)
def test_what_a_command_leaves_does_not_reach_the_scoring(scored: SupervisorProcess, trick: str) -> None:
    verdict = evaluate(scored, ANSWER + trick + "\n")
    assert verdict.status is Status.OK, verdict.reason
    assert verdict.objectives["loss"] == 4.0
    assert "found artifacts/link" not in verdict.log_tail
    assert "found artifacts/labels.txt" not in verdict.log_tail


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        ("os.remove('out/answer.txt'); os.symlink('../../labels.txt', 'out/answer.txt')", "No such file"),
        ("os.remove('out/answer.txt'); os.mkdir('out/answer.txt')", "Is a directory"),
        ("os.remove('out/answer.txt')", "the score command"),
        ("os.makedirs('a/' * 100)", "kept files that cannot be counted"),
    ],
)
def test_what_cannot_be_scored_is_the_candidates_fault(scored: SupervisorProcess, trick: str, words: str) -> None:
    verdict = evaluate(scored, ANSWER + trick + "\n")
    assert verdict.status is Status.CRASHED
    assert words in verdict.reason
    assert evaluate(scored, ANSWER).status is Status.OK


def test_a_folder_without_permissions_ends_well_or_as_the_candidates_fault(scored: SupervisorProcess) -> None:
    verdict = evaluate(scored, ANSWER + "os.mkdir('locked'); Path('locked/x').touch(); os.chmod('locked', 0)\n")
    assert verdict.status in (Status.OK, Status.CRASHED), verdict.reason
    assert evaluate(scored, ANSWER).status is Status.OK


# What cannot work


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"command": ("no-such-program",)}, "runs 'no-such-program', but there is no such program"),
        ({"command": ("./no-such-program",)}, "there is no such program in"),
    ],
)
def test_a_task_that_cannot_work_is_found_at_the_start(root: Path, settings: dict[str, object], words: str) -> None:
    with pytest.raises(MachineError, match=words):
        SupervisorProcess(script_settings(root, **settings))  # type: ignore[arg-type]
