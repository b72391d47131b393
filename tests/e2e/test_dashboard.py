"""The dashboard over HTTP: what it serves, whom it refuses, and what it says of wrong input."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from command_line import PATIENCE_SECONDS, evo, wait_until
from dashboard_server import Dashboard, dashboard
from paced_evaluator import PacedEvaluator
from searches import GENOME, configuration, searched

from evo.runs.folder import RunFolder
from evo.runs.lifecycle import view
from evo.runs.status import read_status
from evo.runs.steering import ask
from evo.steering.actions import Action, Verb
from evo.steering.inbox import Inbox

FIGURES = ("progress", "tree", "front", "hypervolume", "slots", "parallel", "importance")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("one", 1), ("two", 2)):
        searched(folder / name, configuration(4, 8, seed=seed), PacedEvaluator(GENOME))
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Dashboard]:
    with dashboard(folder) as server:
        yield server


def test_what_it_shows_is_what_the_command_line_says(folder: Path, served: Dashboard) -> None:
    assert sorted(served.get("runs")["runs"]) == ["one", "two"]
    for name in ("one", "two"):
        with view(folder / name) as viewed:
            status = read_status(viewed)
        shown = served.get("overview", run=name)
        assert (shown["best"], shown["results"]) == (status.summary.best.id, 32)  # type: ignore[union-attr]
        listed = served.get("individuals", run=name)
        best = next(row for row in listed["rows"] if row["id"] == shown["best"])
        assert best["value"] == status.summary.best.objectives["val_bpb"]  # type: ignore[union-attr]
        assert best["error"] == pytest.approx(shown["noise"] / best["runs"] ** 0.5)
        one = served.get("individual", run=name, id=shown["best"], against=0)
        assert one["diff"]["added"] > 0
        assert one["source"].startswith('"""')
        assert len(one["evaluations"]) >= one["runs"]
        means = {mean["name"]: mean["value"] for mean in one["means"]}
        assert next(iter(means)) == next(iter(one["evaluations"][0]["objectives"])) == "val_bpb"
        assert "." not in means["tokens_per_second"]
    for figure in FIGURES:
        drawn = served.get("figure", run="one", name=figure)
        assert "data" in drawn["figure"]
        assert drawn["figure"]["data"] or drawn["note"]
    assert len(served.get("comparison")["rows"]) == 2


def test_the_front_is_drawn_over_any_two_objectives(served: Dashboard) -> None:
    shown = served.get("overview", run="one")
    assert set(shown["front"]) <= set(shown["measured"])
    x, y = shown["measured"][-1], shown["measured"][0]
    layout = served.get("figure", run="one", name="front", x=x, y=y)["figure"]["layout"]
    assert layout["xaxis"]["title"]["text"].startswith(x)
    assert layout["yaxis"]["title"]["text"].startswith(y)
    status, _, body = served.ask("GET", "/api/figure?run=one&name=front&x=beauty")
    assert (status, json.loads(body)["error"].partition(" (")[0]) == (400, "Expected objectives of the run")


def test_pages_of_others_and_strangers_are_refused(served: Dashboard) -> None:
    steer = json.dumps({"verb": "pause"}).encode()
    assert served.ask("GET", "/api/runs", cookie="")[0] == 401
    assert served.ask("GET", "/", cookie="")[0] == 401
    assert served.ask("GET", "/static/main.js", cookie="")[0] == 401
    assert served.ask("GET", "/api/runs", host="evil.example")[0] == 421
    assert served.ask("GET", "/api/runs", host=f"evil.example:{served.port}")[0] == 421
    assert served.ask("POST", "/api/steer", steer, origin="http://evil.example")[0] == 403
    assert served.ask("POST", "/api/steer", steer, origin="")[0] == 403
    assert served.ask("POST", "/api/steer", steer, content_type="text/plain")[0] == 403
    assert served.ask("GET", "/api/steer")[0] == 405
    status, headers, _ = served.ask("GET", f"/?token={served.token}", cookie="")
    assert status == 200
    assert "HttpOnly" in headers["set-cookie"]
    assert "samesite=strict" in headers["set-cookie"].lower()
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    "path",
    [
        "/api/overview?run=../one",
        "/api/overview?run=%00",
        "/api/individual",
        "/api/individual?id=-1",
        "/api/individual?id=99999999999999999999",
        "/api/individual?id=%D9%A3",
        "/api/individual?id=100000",
        "/api/individual?id=0&against=100000",
        "/api/figure?name=__init__",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/views",
        "/nowhere",
    ],
)
def test_odd_requests_get_one_clear_refusal(served: Dashboard, path: str) -> None:
    status, _, body = served.ask("GET", path)
    assert status in (400, 404)
    assert b"Traceback" not in body


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b"null",
        b'"\xff"',
        b"[" * 50_000,
        b'{"verb":"nap"}',
        b'{"verb":"pin"}',
        b'{"verb":"pin","individual":"1"}',
        b'{"verb":"pin","individual":99999}',
        b'{"verb":"ban","individual":0}',
        b'{"verb":"stop"}',
        b'{"verb":"inject","individual":0,"text":"import os ("}',
        b'{"verb":"weights","weights":{"nobody":1}}',
    ],
)
def test_odd_steering_is_refused_in_words(folder: Path, served: Dashboard, body: bytes) -> None:
    status, _, answer = served.ask("POST", "/api/steer?run=two", body)
    assert status == 400
    assert json.loads(answer)["error"]
    assert Inbox(RunFolder(folder / "two").steering).is_empty()


def test_too_long_a_request_is_refused(served: Dashboard) -> None:
    assert served.ask("POST", "/api/steer", b" " * (2**20 + 1))[0] == 413


def test_a_request_waits_for_the_next_driver_and_names_who_asked(folder: Path, served: Dashboard) -> None:
    status, answer = served.steer("pin", individual=0, id="twice-the-same", who="somebody else")
    assert (status, answer["is_taken"]) == (200, False)
    assert served.steer("pin", individual=0, id="twice-the-same")[0] == 200
    newest = served.get("runs")["runs"][0]
    (waiting,) = Inbox(RunFolder(folder / newest).steering).waiting()
    assert waiting.who.endswith(" (dashboard)")
    assert "somebody" not in waiting.who


def test_a_request_to_stop_that_comes_after_the_end_leaves_nothing(folder: Path) -> None:
    run = RunFolder(folder / "two")

    def waiting() -> int:
        return [one.verb for one in Inbox(run.steering).waiting()].count(Verb.STOP)

    driver = run.lock()
    with ThreadPoolExecutor() as pages:
        asked = [pages.submit(ask, run.path, Action(Verb.STOP), PATIENCE_SECONDS) for _ in range(2)]
        wait_until(lambda: waiting() == 2)
        driver.release()
    assert [str(one.result()) for one in asked] == ["the run has ended"] * 2
    assert waiting() == 0


def test_read_only_reads_only(folder: Path) -> None:
    with dashboard(folder / "one", "--read-only") as server:
        assert server.get("runs")["read_only"] is True
        status, _, body = server.ask("POST", "/api/steer", b'{"verb":"pause"}')
        assert (status, b"--read-only" in body) == (403, True)


def test_it_ends_without_a_word_though_a_request_is_unfinished(folder: Path) -> None:
    with dashboard(folder / "one") as server:
        unfinished = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
        unfinished.putrequest("POST", "/api/steer")
        cookie = f"evo_dashboard_{server.port}={server.token}"
        headers = {"Cookie": cookie, "Origin": server.origin, "Content-Type": "application/json", "Content-Length": "9"}
        for name, value in headers.items():
            unfinished.putheader(name, value)
        unfinished.endheaders(b"{")
        server.get("runs")
    unfinished.close()


def test_it_ends_without_a_word_while_it_starts(folder: Path) -> None:
    with dashboard(folder):
        """It has said where it will listen."""


def test_it_ends_without_a_word_though_pages_follow_runs(folder: Path) -> None:
    with dashboard(folder) as server:
        pages = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS) for _ in range(6)]
        for number, page in enumerate(pages):
            cookie = f"evo_dashboard_{server.port}={server.token}"
            page.request("GET", f"/api/events?run={('one', 'two')[number % 2]}", headers={"Cookie": cookie})
            assert page.getresponse().readline()
        pages[0].close()
    for page in pages:
        page.close()


def test_wrong_input_is_one_clear_line(folder: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(folder / "one", newer)
    with closing(sqlite3.connect(newer / "evo.db")) as database, database:
        database.execute("PRAGMA user_version = 999")
    (tmp_path / "foreign").mkdir()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        for said, arguments in {
            "there is no such folder": [tmp_path / "nowhere"],
            "it holds none": [tmp_path / "foreign"],
            "newer version": [newer],
            "cannot listen on 127.0.0.1:": [folder, "--port", port],
            "Choose an address of this machine": [folder, "--host", "no.such.host.invalid"],
            "requested address. Choose an address": [folder, "--host", "192.0.2.1"],
        }.items():
            done = evo("dashboard", *arguments)
            assert done.returncode in (1, 2)
            assert said in done.stderr
            assert done.stderr.count("\n") == 1


def test_a_run_that_begins_later_is_listed_and_one_that_goes_on_is_compared_anew(tmp_path: Path) -> None:
    searched(tmp_path / "one", configuration(4, 2), PacedEvaluator(GENOME))
    with dashboard(tmp_path) as server:
        assert [row["name"] for row in server.get("comparison")["rows"]] == ["one"]
        searched(tmp_path / "two", configuration(4, 2, seed=1), PacedEvaluator(GENOME))
        assert server.get("runs")["runs"] == ["one", "two"]
        before = server.get("comparison")
        assert [row["spent"] for row in before["rows"]] == [8, 8]
        searched(tmp_path / "two", configuration(4, 4, seed=1), PacedEvaluator(GENOME))
        assert [row["spent"] for row in server.get("comparison", run="one")["rows"]] == [8, 16]


def test_a_damaged_run_leaves_the_others_to_compare(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(folder / name, tmp_path / name)
    (tmp_path / "two/evo.db").write_bytes(b"no store")
    with dashboard(tmp_path) as server:
        told = server.get("comparison", run="one")
    assert [row["name"] for row in told["rows"]] == ["one"]
    assert "two/evo.db" in told["unreadable"]["two"]
