"""What follows a run beside the terminal."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from command_line import Running, environment, evo, running, wait_until, wait_until_gone
from dashboard_server import Dashboard
from script_runs import slow_project, write_files

from evo.runs.lifecycle import view

SIZE = ("--pop", "2", "--gens", "2")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("project"), slow_project(0.01)) / "evo.toml"


def announced(driver: Running) -> Dashboard:
    """The dashboard that a run says it has."""
    driver.wait_for_results(1)
    (line,) = [line for line in driver.err if line.startswith("dashboard: ")]
    return Dashboard(line.removeprefix("dashboard: ").strip())


def test_a_dashboard_ends_with_its_run_however_that_ends(tmp_path: Path) -> None:
    config, path = write_files(tmp_path / "slow", slow_project(0.2)) / "evo.toml", tmp_path / "run"
    with running("run", "--config", config, "--pop", "2", "--gens", "90", "--out", path, "--dashboard") as driver:
        served = announced(driver)
        assert served.get("runs") == {"runs": ["run"], "read_only": False}
        assert served.ask("GET", "/api/runs", cookie="")[0] == 401
        status, answer = served.steer("pin", individual=0)
        assert (status, answer["is_taken"]) == (200, True)
        family = driver.family()
        assert any("evo.dashboard.beside" in process.cmdline() for process in family)
        assert not any(served.token in word for process in family for word in process.cmdline())
        driver.finish(signal.SIGKILL)
        wait_until_gone(family)
    resumed = ("resume", path, "--gens", "3", "--dashboard-port", str(served.port))
    with running(*resumed) as driver:
        assert announced(driver).port == served.port
        wait_until(lambda: driver.process.poll() is not None)
        assert driver.process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        served.get("runs")


def test_a_port_in_use_is_one_line_and_ends_nothing(config: Path, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = evo("run", "--config", config, *SIZE, "--out", tmp_path / "run", "--dashboard-port", port)
    assert done.returncode == 0, done.stderr
    said = f"The dashboard cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port."
    assert f"{said} The run goes on without it.\n" in done.stderr
    assert "4 of 4 evaluations" in done.stdout


def scalars(folder: Path) -> Iterator[tuple[str, int, float]]:
    """The scalars in TensorBoard's files of events: records with a length and a checksum before, and one behind."""
    from tensorboardX.proto.event_pb2 import Event

    for file in sorted(folder.glob("events.*")):
        data, place = file.read_bytes(), 0
        while place < len(data):
            (length,) = struct.unpack_from("<Q", data, place)
            event = Event.FromString(data[place + 12 : place + 12 + length])
            place += length + 16
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    yield value.tag, event.step, value.simple_value


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of mlflow's imports
def test_trackers_get_every_result_though_one_was_away(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    path, place = tmp_path / "run", f"file:{tmp_path / 'mlruns'}"
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        nobody = f"http://somebody:secret@127.0.0.1:{free.getsockname()[1]}"
    away = environment(MLFLOW_TRACKING_URI=nobody)
    done = evo("run", "--config", config, *SIZE, "--out", path, "--track", "mlflow,tensorboard", env=away)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("evo: tracking with mlflow: it takes no results: ") == 1
    assert (
        "tracking with mlflow: not sent: 4 results. `evo resume --track mlflow` sends what is missing.\n" in done.stderr
    )
    assert "secret" not in done.stderr
    with view(path) as viewed:
        measured = [(one.result_number, one.objectives["score"]) for one in viewed.store.outcomes()]
    drawn = [*scalars(path / "tracking" / "tensorboard")]
    assert [(step, value) for name, step, value in drawn if name == "score"] == [
        (step, pytest.approx(value)) for step, value in measured
    ]
    resumed = ("resume", path, "--gens", "3", "--track", "mlflow")  # sends what was not sent, and goes on
    done = evo(*resumed, env=environment(MLFLOW_TRACKING_URI=place))
    assert (done.returncode, "tracking" in done.stderr) == (0, False), done.stderr
    client = MlflowClient(tracking_uri=place)
    runs = client.search_runs([client.get_experiment_by_name("evo").experiment_id])
    (run,) = [one for one in runs if "mlflow.parentRunId" not in one.data.tags]
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    history = client.get_metric_history(run.info.run_id, "score")
    assert [one.step for one in history] == [1, 2, 3, 4, 5, 6]
    assert [(one.step, one.value) for one in history[:4]] == measured
    with view(path) as viewed:
        evaluated = {one.individual for one in viewed.store.outcomes()}
        best = viewed.standings.best()
        assert best is not None
        source = viewed.store.source(best.id)
    children = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == run.info.run_id]
    assert sorted(int(one.data.tags["evo.individual"]) for one in children) == sorted(evaluated)
    assert run.data.metrics["best/individual"] == best.id
    assert run.data.tags["evo.best"] == str(best.id)
    artifact = client.download_artifacts(run.info.run_id, "best/run.py", str(tmp_path))
    assert Path(artifact).read_text() == source


@pytest.mark.parametrize("name", ["trackio", "wandb"])
def test_the_other_trackers_write_offline(name: str, config: Path, tmp_path: Path) -> None:
    path, place = tmp_path / "run", tmp_path / "trackio"
    done = evo(
        "run", "--config", config, *SIZE, "--out", path, "--track", name, env=environment(TRACKIO_DIR=str(place))
    )
    assert (done.returncode, "tracking" in done.stderr) == (0, False), done.stderr
    written = [*place.glob("*.db"), *(path / "tracking" / "wandb").glob("offline-run-*/*.wandb")]
    assert len(written) == 1
    assert b"best/score" in written[0].read_bytes()


def test_wrong_trackers_are_refused_before_anything_is_written(config: Path, tmp_path: Path) -> None:
    done = evo("run", "--config", config, "--out", tmp_path / "run", "--track", "mlflow,excel")
    said = "evo: --track expects mlflow, tensorboard, trackio, wandb, comma-separated, but got 'excel'.\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert not (tmp_path / "run").exists()


@contextmanager
def service(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A service that takes notifications as JSON, or refuses them; yields its host and what it got."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()


def test_notifications_of_a_new_best_a_stall_and_the_end(config: Path, tmp_path: Path) -> None:
    path, told = tmp_path / "run", tmp_path / "told.txt"
    keeper = write_files(tmp_path, {"keep.sh": f"#!/bin/sh\ncat >> '{told}'\nenv >> '{told}'\n"}) / "keep.sh"
    keeper.chmod(0o755)
    with service(200) as (host, got), service(500) as (broken, refused):
        targets = [f"json://somebody:secret@{host}/place", str(keeper), "env:EVO_TEST_TARGET"]
        done = evo(
            *("run", "--config", config, "--pop", "2", "--gens", "8", "--operators", "constants", "--out", path),
            *("--explore-after", "2", *(word for one in targets for word in ("--notify", one))),
            env=environment(EVO_TEST_TARGET=f"json://{broken}/", ANTHROPIC_API_KEY="secret"),
        )
    assert done.returncode == 0, done.stderr
    titles = [one["title"] for one in got]
    assert titles[-1] == "evo run: finished: the budget is spent"
    assert "evo run: new best" in titles
    assert any(title.startswith("evo run: nothing better in ") for title in titles)
    assert "16 results, 16 of 16 evaluations spent" in got[-1]["message"]
    assert re.search(
        r"^Since \S+ \S+: 16 results; failed: none; (#\d+ is the best, better|no other)",
        got[-1]["message"],
        re.MULTILINE,
    )
    with view(path) as viewed:
        best = viewed.standings.best()
        assert best is not None
        assert viewed.standings.result_number - viewed.standings.led_since >= 2  # so it stalls, however late one looks
    assert got[-1]["message"].startswith(f"Individual {best.id}: score")
    assert told.read_text().count("evo run: ") == len(got) == len(refused)
    assert done.stderr.count("evo: a notification by json:// failed: it was not accepted. The search goes on.\n") == 1
    assert "secret" not in done.stderr + told.read_text() + json.dumps(got)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nonsense://token-of-mine", "begins with nonsense://, but it is none that apprise can use"),
        ("no-such-program --at all", "there is no program called 'no-such-program'"),
        ("env:EVO_NO_SUCH_VARIABLE", "the variable EVO_NO_SUCH_VARIABLE, but it is not set"),
        ("mail 'me", "a shell could not read this one"),
        ("", "there is no program called ''"),
    ],
)
def test_notifications_that_can_go_nowhere_are_refused(config: Path, tmp_path: Path, target: str, said: str) -> None:
    done = evo("run", "--config", config, "--out", tmp_path / "run", "--notify", target)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert "token-of-mine" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [(("--notify-at", "7"), "a time of day such as 07:00"), (("--notify-at", "07:00"), "add --notify")],
)
def test_a_digest_that_comes_never_is_refused(config: Path, tmp_path: Path, given: tuple[str, str], said: str) -> None:
    done = evo("run", "--config", config, "--out", tmp_path / "run", *given)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
