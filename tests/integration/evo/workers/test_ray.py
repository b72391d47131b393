"""Runs on a real Ray cluster: nodes are lost and join, drivers are killed, and what differs is refused."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from command_line import EVO, PATIENCE_SECONDS, environment
from run_inspection import assert_complete, assert_no_error
from script_runs import script_settings, script_task, write_files

import trainer
from evo.errors import UnfinishedStore
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import view
from evo.runs.workers import read_workers
from evo.store import Store, StoreView
from evo.workers import ray as workers
from evo.workers.ray import RayEvaluator
from experiments.ray_cluster import RayCluster, leave, ray_cluster
from trainer.cluster.connection import Cluster, Wanted, connect
from trainer.cluster.parcels import FROZEN, Content
from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Job, Status

# A thread of Ray's own, where it is disconnected.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception in thread ray_client:pytest.PytestUnhandledThreadExceptionWarning"
)

SECRET = "sk-not-to-be-found-anywhere"
PROJECT = {
    "evo.toml": script_task(
        task='frozen = ["data.txt"]\nnoise = "none"\n',
        more="""
        [search]
        pop = 4
        gens = 1000

        [operators.weights]
        constants = 1.0
        """,
    ),
    "data.txt": "0.25\n",
    "train.py": """
        import time

        RATE = 0.3
        WIDTH = 8.0
        DEPTH = 1.5

        time.sleep(0.3)
        print("loss:", abs(RATE - float(open("data.txt").read())) + abs(WIDTH - 3) + abs(DEPTH - 2))
        """,
}
WANTED = Wanted("cpu", gpus=0, threads=1, sandbox="auto", secrets=("ANTHROPIC_API_KEY",))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder where the nodes keep what they are sent."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cluster(cache: Path) -> Iterator[RayCluster]:
    """Run a cluster of a head and another node, with a slot each."""
    with ray_cluster((1, 1), {"EVO_CACHE": str(cache)}) as running:
        yield running
        leave()


def until(comes_true: Callable[[], bool], driver: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not comes_true():
        assert driver.poll() is None, "the driver has ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def read(run: Path, look: Callable[[StoreView], bool]) -> bool:
    """Return what a look at a run shows; False while there is none."""
    if not RunFolder(run).store.exists():
        return False
    with suppress(UnfinishedStore), Store.read(RunFolder(run).store) as store:
        return look(store)
    return False


def environments(cluster: RayCluster) -> str:
    found = []
    for process in psutil.Process(cluster.pid).children(recursive=True):
        with suppress(psutil.Error):
            found.append(str(process.environ()))
    return "\n".join(found)


def test_a_run_outlives_its_nodes_and_its_driver(cluster: RayCluster, cache: Path, tmp_path: Path) -> None:
    project, run, said = write_files(tmp_path / "project", PROJECT), tmp_path / "run", tmp_path / "said.txt"
    variables = environment(RAY_ADDRESS=cluster.address, ANTHROPIC_API_KEY=SECRET)
    command = [EVO, "run", "--workers", "auto", "--operators", "constants", "--out", run]
    with said.open("wb") as output:
        driver = subprocess.Popen(command, cwd=project, env=variables, stdout=output, stderr=output)
    try:
        # An evaluation is under way on the node that is no head, whose slot is the one that joined with it.
        until(lambda: read(run, lambda store: len(store.running()) == 2), driver)
        assert SECRET not in environments(cluster)
        places = dict(re.findall(r"Node \S+ \((\w+)\) takes part: (\S+)\.", said.read_text()))
        (doomed,) = cluster.nodes
        lost = places[doomed[:8]]
        until(lambda: read(run, lambda store: any(one.device == lost for one in store.running())), driver)
        cluster.kill(doomed)
        new = cluster.add()
        until(lambda: f"({doomed[:8]}) has left" in said.read_text(), driver)
        until(lambda: f"({new[:8]}) takes part" in said.read_text(), driver)
        places = dict(re.findall(r"Node \S+ \((\w+)\) takes part: (\S+)\.", said.read_text()))
        until(lambda: read(run, lambda store: any(one.device == places[new[:8]] for one in store.outcomes())), driver)
        until(lambda: read(run, lambda store: lost_and_done(store, lost)), driver)
    finally:
        driver.kill()
        driver.wait()
    assert_no_error(run)
    with view(run) as viewed:
        states = {one.name: one for one in read_workers(viewed)}
    assert {name for name, one in states.items() if one.doing == "left"} == {lost}
    assert states[lost].lost >= 1
    assert states[places[new[:8]]].results >= 1
    assert all("torch" in one.device_class for one in states.values())
    (kept,) = cache.glob("received/[0-9a-f]*/data.txt")
    before = kept.stat()
    with Store.read(RunFolder(run).store) as store:
        spent = store.spent() + len(store.open_proposals()) + len(store.queued()) + len(store.running())
    more = ["--gens", str(int(spent) // 4 + 2), "--workers", cluster.client]
    resumed = subprocess.run([EVO, "resume", run, *more], env=variables, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    assert_complete(run)
    assert kept.stat() == before  # it was sent once
    assert "raylet" not in said.read_text().lower()  # what Ray has to say of a lost node is not the run's output
    assert SECRET not in said.read_text() + resumed.stdout + resumed.stderr


def lost_and_done(store: StoreView, worker: str) -> bool:
    """Return whether what a worker lost was evaluated elsewhere, by a later attempt."""
    for outcome in store.outcomes():
        attempts = store.attempts_of(outcome.evaluation)
        if any(one.device == worker and one.state == "released" for one in attempts):
            assert [one.state for one in attempts].count("accepted") == 1
            return attempts[-1].device != worker
    return False


def test_nodes_that_differ_are_refused_by_name(cluster: RayCluster, tmp_path: Path) -> None:
    other = tmp_path / "other/trainer"
    shutil.copytree(Path(trainer.__file__).parent, other)
    (other / "errors.py").write_text((other / "errors.py").read_text() + "\n")
    nodes = [
        cluster.add(PYTHONPATH=str(other.parent)),
        cluster.add(ANTHROPIC_API_KEY=SECRET),
    ]
    try:
        refused = {one.id: (str(one), why) for one, why in connect(cluster.client).survey(WANTED).refused.items()}
    finally:
        for node in nodes:
            cluster.kill(node)
    assert refused.keys() == set(nodes)
    assert all(node[:8] in refused[node][0] for node in nodes)
    assert "other code than the driver's" in refused[nodes[0]][1]
    assert "ANTHROPIC_API_KEY" in refused[nodes[1]][1]
    assert SECRET not in str(refused)


def test_a_full_cluster_is_refused(cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = script_settings(write_files(tmp_path / "project", {"train.py": ""}))
    first = RayEvaluator(connect(cluster.client), WANTED, settings, {})
    monkeypatch.setattr(workers, "_FIRST_SLOT_SECONDS", 0.5)
    monkeypatch.setattr(workers, "_OTHER_SLOTS_SECONDS", 0.5)
    try:
        with pytest.raises(ConfigError, match=r"is full: none of its slots came free within 0\.5 s"):
            RayEvaluator(connect(cluster.client), WANTED, settings, {})
    finally:
        first._dismiss_all()


def test_where_no_node_has_the_data_it_is_said_why(cluster: RayCluster, tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", {"train.py": "", "data.txt": "1"})
    contents = {Content(FROZEN, "0" * 64, "data.txt"): project / "data.txt"}
    with pytest.raises(ConfigError, match=r"gave no slot\. Node .* is not used: data\.txt arrived .* another content"):
        RayEvaluator(connect(cluster.client), WANTED, script_settings(project), contents)


def test_a_head_that_does_not_answer_ends_the_search_and_loses_what_is_under_way(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = script_settings(write_files(tmp_path / "project", {"train.py": ""}))
    evaluator = RayEvaluator(connect(cluster.client), WANTED, settings, {})
    monkeypatch.setattr(workers, "_HEAD_SECONDS", 0.5)
    monkeypatch.setattr(Cluster, "nodes", lambda _: threading.Event().wait())

    async def scenario() -> Evaluation:
        await evaluator.workers_changed()  # that its nodes take part
        under_way = asyncio.create_task(evaluator.evaluate(evaluator.workers[0], Job("while True: pass\n", seed=5)))
        with pytest.raises(MachineError, match=r"does not answer any more.*evo resume"):
            await evaluator.workers_changed()
        await evaluator.close()
        return await under_way

    try:
        lost = asyncio.run(asyncio.wait_for(scenario(), PATIENCE_SECONDS))
    finally:
        evaluator._dismiss_all()
    assert (lost.status, lost.seed) == (Status.LOST, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "ray://127.0.0.1:1"], ["ray://127.0.0.1:1", "no Ray cluster", "refused", "ray start --head"]),
        (["--workers", "ray://127.0.0.1"], ["--workers", "ray://HOST:PORT", "'ray://127.0.0.1'"]),
        (["--workers", "many"], ["--workers", "a number", "'many'"]),
    ],
)
def test_a_cluster_that_is_not_there_is_refused(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    refused(tmp_path, [str(EVO), "run", *arguments], words)


def test_a_server_that_is_not_ray_is_refused() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with pytest.raises(ConfigError, match=r"something other than Ray listens there"):
                connect(f"ray://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()


def test_a_cluster_of_another_version_is_refused(cluster: RayCluster, tmp_path: Path) -> None:
    program = "import ray; ray.__version__ = '2.1'; from evo.commands import main; main()"
    words = ["Version mismatch", "Ray: 2.1 ", "`ray start --head` of Ray 2.1"]
    refused(tmp_path, [sys.executable, "-c", program, "run", "--workers", cluster.client], words)


def test_without_ray_it_is_said_how_to_install_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['ray'] = None; from evo.commands import main; main()"
    words = ["ray://127.0.0.1:1", "not installed", "pip install 'evo-train[ray]'"]
    refused(tmp_path, [sys.executable, "-c", program, "run", "--workers", "ray://127.0.0.1:1"], words)


def test_a_cluster_without_what_is_asked_for_is_refused(cluster: RayCluster, tmp_path: Path) -> None:
    words = ["No node of the Ray cluster", "1 GPU"]
    refused(tmp_path, [str(EVO), "run", "--workers", cluster.client, "--devices", "cuda"], words)


def test_a_lost_connection_is_a_lost_cluster(cluster: RayCluster) -> None:
    lost = connect(cluster.client)
    leave()
    with pytest.raises(MachineError, match=r"does not answer any more \(the connection was lost\)"):
        lost.nodes()
    with pytest.raises(lost.failures):
        lost.ask(None, "device")
    lost.dismiss(None)


def refused(folder: Path, command: list[str], words: list[str]) -> None:
    """Assert that a command ends with one line that holds these words, and writes nothing."""
    ended = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert all(word in ended.stderr for word in words), ended.stderr
    assert [*folder.iterdir()] == []


def test_an_experiment_runs_on_a_cluster(cluster: RayCluster, tmp_path: Path) -> None:
    table = PROJECT["evo.toml"].partition("[search]")[0].replace("[task", "[base.task")
    experiment = """
        name = "e"
        repeats = 1
        budget.evaluations = 4
        base.search = {pop = 4}
        base.workers = {kind = "ray", address = "auto"}
        outcome.seeds = 2
        arms = [{name = "a", method = "random_search"}, {name = "b", method = "random_mutation"}]
        """
    project = write_files(tmp_path / "project", {**PROJECT, "e.toml": experiment + table})
    done = subprocess.run(
        [EVO, "compare", "e.toml", "--out", tmp_path / "compared"],
        cwd=project,
        env=environment(RAY_ADDRESS=cluster.address),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for arm in "ab":
        run = tmp_path / f"compared/block-01/{arm}"
        assert_complete(run)
        with view(run) as viewed:
            assert all("torch" in one.device_class for one in read_workers(viewed))
