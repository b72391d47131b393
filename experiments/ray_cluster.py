"""A Ray cluster of several nodes on this machine, outside of the process tree of the tests.

As a program it is the cluster itself: it obeys lines on its standard input, and ends with it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

# A node that is gone refuses the connection, one that is merely busy gets its time.
_QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 10_000,
    "health_check_failure_threshold": 3,
}
_BEGIN_SECONDS, _INTERVAL_SECONDS = 120.0, 0.05
_MEMORY_BYTES = 80 * 2**20  # the least that Ray takes for its objects


@dataclass(frozen=True)
class RayCluster:
    """A cluster that runs.

    Attributes:
        address: of its head, as RAY_ADDRESS has it.
        client: its address for drivers elsewhere, `ray://HOST:PORT`.
        pid: of the process that all of its processes descend from.
        nodes: ids of those beside the head.
    """

    address: str
    client: str
    pid: int
    nodes: list[str]
    _pipe: subprocess.Popen[str]

    def add(self, cpus: int = 1, **environment: str) -> str:
        """Add a node with variables of its own, and return its id."""
        self.nodes.append(self._ask("add", cpus, environment))
        return self.nodes[-1]

    def kill(self, node: str) -> None:
        """End a node as a power cut would."""
        self.nodes.remove(node)
        self._ask("kill", node)

    def processes(self, *modules: str) -> list[psutil.Process]:
        """Return the living processes of the cluster that run one of some modules of Python."""
        found = []
        for process in psutil.Process(self.pid).children(recursive=True):
            try:
                if set(process.cmdline()) & set(modules):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _ask(self, *words: Any) -> Any:
        assert self._pipe.stdin is not None
        assert self._pipe.stdout is not None
        self._pipe.stdin.write(json.dumps(words) + "\n")
        self._pipe.stdin.flush()
        return json.loads(self._pipe.stdout.readline())


@contextmanager
def ray_cluster(
    cpus: Sequence[int] = (1, 1), environment: dict[str, str] | None = None, gpus: int = 0
) -> Iterator[RayCluster]:
    """Run a cluster whose head and other nodes have so many CPU slots, and its head so many GPUs."""
    command = [sys.executable, str(Path(__file__)), *map(str, (gpus, *cpus))]
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "OPENAI_", "RAY_"))
    }
    # As nice as Ray makes its workers, they would get nothing of a busy machine.
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_worker_niceness": "0"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=plain | quiet | (environment or {}),
    ) as pipe:
        assert pipe.stdout is not None
        found = json.loads(pipe.stdout.readline())
        pipe.wait()  # its child is the cluster, which no process of the tests is a parent of
        try:
            yield RayCluster(found["address"], found["client"], found["pid"], found["nodes"], pipe)
        finally:
            assert pipe.stdin is not None
            pipe.stdin.close()
            psutil.wait_procs([psutil.Process(found["pid"])] if psutil.pid_exists(found["pid"]) else [], timeout=30)


def leave() -> None:
    """Disconnect this process from its cluster."""
    import ray

    from trainer.cluster import connection

    ray.shutdown()
    connection.connect.cache_clear()  # a process has one connection for good, tests have more


def _wait_for(port: int) -> None:
    """Return when the server of clients answers, which is a process of its own and begins after the head."""
    end = time.monotonic() + _BEGIN_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(_INTERVAL_SECONDS)
        else:
            return


def _serve(gpus: int, *cpus: int) -> None:
    """Be the cluster."""
    from ray.cluster_utils import Cluster

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints
    options: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _MEMORY_BYTES}
    head = {
        "num_cpus": cpus[0],
        "num_gpus": gpus,
        "ray_client_server_port": port,
        "_system_config": _QUICK_TO_NOTICE,
        **options,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = {}
    for count in cpus[1:]:
        added = cluster.add_node(num_cpus=count, **options)
        nodes[added.node_id] = added

    def say(answer: object) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    _wait_for(port)
    say({"address": cluster.address, "client": f"ray://127.0.0.1:{port}", "pid": os.getpid(), "nodes": [*nodes]})
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        if verb == "add":
            count, environment = arguments
            os.environ.update(environment)
            added = cluster.add_node(num_cpus=count, wait=True, **options)
            for name in environment:
                del os.environ[name]
            nodes[added.node_id] = added
            say(added.node_id)
        elif verb == "kill":
            cluster.remove_node(nodes.pop(arguments[0]), allow_graceful=False)
            say(None)
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if os.fork() == 0:  # its parent ends, so that no process of the cluster is a child of a test
        os.setsid()
        _serve(*map(int, sys.argv[1:]))
