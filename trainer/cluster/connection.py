"""The driver's side of a Ray cluster: connecting to it, its nodes, and which of them measure alike."""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import socket
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trainer.cluster import node as on_node
from trainer.cluster.parcels import Content, pack
from trainer.errors import ConfigError, MachineError, counted
from trainer.machine.devices import Device

AUTO = "auto"
"""The address of the cluster that this machine belongs to."""


_CONNECT_TRIES = 3
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
"""A node starts a process and tries its sandboxes within that."""
_DATA_SECONDS = 3600.0
_SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""The frame that begins each HTTP/2 connection, and so each gRPC one, from both sides (RFC 9113, section 3.4)."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster that is alive.

    Attributes:
        id: Ray's.
        host: its host name, with its address where another node's host is called the same.
        cpus: that Ray deals out.
        gpus: likewise.
        memory_mib: likewise.
    """

    id: str
    host: str
    cpus: int
    gpus: int
    memory_mib: float

    def __str__(self) -> str:
        """Return it for a person: two nodes may be on one host."""
        return f"{self.host} ({self.id[:8]})"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node says of itself (`trainer.cluster.node.inspect`)."""

    programs: Mapping[str, str]
    level: str
    problem: str
    secrets: Sequence[str]
    devices: Sequence[Device]

    @property
    def terms(self) -> Terms:
        """What it measures with."""
        return Terms(self.programs["torch"], self.programs["Python"], self.level)


@dataclass(frozen=True, slots=True)
class Terms:
    """What all nodes of a run must have in common, since it decides what they measure."""

    torch: str
    Python: str
    sandbox: str

    def difference(self, other: Terms) -> str:
        """Return what another node has otherwise, in words."""
        mine, theirs = asdict(self), asdict(other)
        return " and ".join(
            f"{name} {theirs[name]} instead of {mine[name]}" for name in mine if mine[name] != theirs[name]
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run asks of a node.

    Attributes:
        kind: of device.
        gpus: that one evaluation takes; 0 where it runs on the CPU.
        threads: CPU slots that one evaluation takes where it runs on the CPU.
        sandbox: the setting.
        secrets: names of variables that no node may have in its environment.
        slots_per_gpu: evaluations that share the GPUs of one.
    """

    kind: str
    gpus: int
    threads: int
    sandbox: str
    secrets: tuple[str, ...]
    slots_per_gpu: int = 1

    def slots(self, node: Node) -> int:
        """Return how many slots a node has."""
        return node.gpus // self.gpus * self.slots_per_gpu if self.gpus else node.cpus // self.threads


@dataclass(slots=True)
class Survey:
    """The nodes that a run can use, and why it cannot use the others.

    Attributes:
        terms: of those that it uses.
        fit: what is known of each.
        refused: why, by node; those without a device of the kind are not counted.
    """

    terms: Terms
    fit: dict[Node, Facts] = field(default_factory=dict)
    refused: dict[Node, str] = field(default_factory=dict)


class Cluster:
    """A Ray cluster that this process is connected to, until it ends.

    Args:
        address: as the user named it.
    """

    def __init__(self, address: str, ray: Any) -> None:
        self.address = address
        self._module = ray
        self._facts: dict[tuple[str, str, str], Facts] = {}
        self._parcels: dict[str, list[Any]] = {}
        self._affinity = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        self.failures: tuple[type[BaseException], ...] = (
            ray.exceptions.RayError,
            ConnectionError,
            TimeoutError,
            ValueError,
        )
        """What Ray raises when a node, the connection or the head is lost; the client turns some into ValueError."""

    def __str__(self) -> str:
        """Return where it is, in words."""
        return "of this machine" if self.address == AUTO else f"at {self.address}"

    def nodes(self) -> list[Node]:
        """Return the nodes that are alive.

        Raises:
            MachineError: the head of the cluster does not answer.
        """
        try:
            alive = [one for one in self._connected().nodes() if one["Alive"]]
        except self.failures as error:
            raise MachineError(
                f"The Ray cluster {self} does not answer any more ({one_line(error)}). What has finished is "
                "safe; continue with `evo resume`, on another cluster with --workers."
            ) from error
        addresses: dict[str, set[str]] = {}
        for one in alive:
            addresses.setdefault(one["NodeManagerHostname"], set()).add(one["NodeManagerAddress"])
        return [_node(one, is_alone=len(addresses[one["NodeManagerHostname"]]) == 1) for one in alive]

    def has_gpus(self) -> bool:
        """Return whether a node has one."""
        return any(one.gpus for one in self.nodes())

    def survey(self, wanted: Wanted) -> Survey:
        """Find out which nodes are fit.

        Raises:
            ConfigError: none is; says why.
        """
        nodes = [one for one in self.nodes() if wanted.slots(one)]
        if not nodes:
            device = "GPU" if wanted.gpus else "CPU"
            least = wanted.gpus or wanted.threads
            raise ConfigError(f"No node of the Ray cluster {self} has {counted(least, device)} to give.")
        facts, refused = self._inspected(nodes, wanted)
        unfit = {one: _unfit(one, found, wanted) for one, found in facts.items()}
        refused |= {one: why for one, why in unfit.items() if why}
        fit = {one: found for one, found in facts.items() if one not in refused}
        if not fit:
            node, why = next(iter(refused.items()))
            raise ConfigError(f"No node of the Ray cluster {self} can be used; {node}: {why}")
        counts = Counter(found.terms for found in fit.values())
        survey = Survey(counts.most_common(1)[0][0], refused=refused)
        for one, found in fit.items():
            self.admit(survey, one, found, wanted)
        return survey

    def inspect(self, survey: Survey, node: Node, wanted: Wanted) -> None:
        """Add a node that has joined to a survey, among the fit or the refused."""
        facts, refused = self._inspected([node], wanted)
        survey.refused |= refused
        for one, found in facts.items():
            self.admit(survey, one, found, wanted)

    @staticmethod
    def admit(survey: Survey, node: Node, facts: Facts, wanted: Wanted) -> None:
        """Put a node among the fit or the refused ones of a survey."""
        why = _unfit(node, facts, wanted)
        if not why and facts.terms != survey.terms:
            why = f"it has {survey.terms.difference(facts.terms)}, so its results cannot be compared."
        if why:
            survey.refused[node] = why
        else:
            survey.fit[node] = facts

    def deliver(self, node: Node, contents: Mapping[Content, Path]) -> str:
        """Give a node what it has not got yet of the data; return what failed, empty if nothing did."""
        try:
            lacking = self._ask(node, on_node.missing, [asdict(one) for one in contents], seconds=_DATA_SECONDS)
            for content, path in contents.items():
                if content.digest not in lacking:
                    continue
                if content.digest not in self._parcels:
                    self._parcels[content.digest] = pack(path, self._connected().put)
                chunks = self._parcels[content.digest]
                if why := self._ask(node, on_node.receive, asdict(content), chunks, seconds=_DATA_SECONDS):
                    return str(why)
        except self.failures as error:
            return f"the data did not reach it ({one_line(error)})."
        return ""

    def hire(self, node: Node, wanted: Wanted, settings: Mapping[str, Any], corpus: Content | None) -> Any:
        """Return a `SlotWorker` on a node, which begins to work as soon as Ray has a slot for it there.

        Ray neither starts it again nor repeats what it is asked: that is for the driver, which numbers its attempts.
        """
        share = wanted.gpus / wanted.slots_per_gpu
        claim = {"num_gpus": share, "num_cpus": 0} if wanted.gpus else {"num_cpus": wanted.threads}
        options = {"max_restarts": 0, "max_task_retries": 0, "max_concurrency": 3, **claim}
        worker = self._connected().remote(on_node.SlotWorker).options(**options, scheduling_strategy=self._on(node))
        return worker.remote(dict(settings), wanted.kind, corpus and asdict(corpus))

    def ask(self, worker: Any, method: str, *arguments: Any) -> Any:
        """Return the answer to come of a worker; raise one of `failures` when the connection is lost."""
        self._connected()
        return getattr(worker, method).remote(*arguments)

    def answered(self, answers: Sequence[Any], seconds: float = 0.0) -> list[Any]:
        """Return those of some answers that have come, or the failure that came in place of one, after some waiting."""
        ready, _ = self._connected().wait(answers, num_returns=len(answers), timeout=seconds) if answers else ([], [])
        return list(ready)

    def get(self, answer: Any, seconds: float | None = None) -> Any:
        """Return an answer; raise one of `failures` when its node is lost."""
        return self._connected().get(answer, timeout=seconds)

    def dismiss(self, worker: Any) -> None:
        """End a worker's process, if it is still there; its supervisor ends with it."""
        with suppress(*self.failures):
            self._connected().kill(worker)

    def abandon(self) -> None:
        """Leave a cluster whose head is lost; waits while a head that does not answer is still there."""
        atexit.unregister(self._module.shutdown)  # which would wait, too
        if importlib.import_module("ray._private.worker").global_worker.connected:  # by C++ code, not by the client
            self._module.shutdown()  # else that code would end this process by SIGSEGV

    def _connected(self) -> Any:
        """Return Ray; raise ConnectionError without a connection, where its client would raise a bare Exception."""
        if not self._module.is_initialized():
            raise ConnectionError("the connection was lost")
        return self._module

    def _inspected(self, nodes: Sequence[Node], wanted: Wanted) -> tuple[dict[Node, Facts], dict[Node, str]]:
        arguments = (wanted.kind, wanted.sandbox, wanted.secrets)
        facts, refused = {}, {}
        asked = {
            one: self._begin(one, on_node.inspect, *arguments)
            for one in nodes
            if self._key(one, wanted) not in self._facts
        }
        for one, answer in asked.items():
            try:
                said = self._connected().get(answer, timeout=_ANSWER_SECONDS)
            except self.failures as error:
                refused[one] = (
                    f"it could not be asked what it is ({one_line(error)}). It needs the driver's Python, "
                    "evo-train and Ray."
                )
                continue
            said["devices"] = [Device(**device) for device in said["devices"]]
            self._facts[self._key(one, wanted)] = Facts(**said)
        for one in nodes:
            if one not in refused:
                facts[one] = self._facts[self._key(one, wanted)]
        return facts, refused

    @staticmethod
    def _key(node: Node, wanted: Wanted) -> tuple[str, str, str]:
        return node.id, wanted.kind, wanted.sandbox

    def _begin(self, node: Node, function: Callable[..., Any], *arguments: Any) -> Any:
        task = self._connected().remote(function).options(num_cpus=0, max_retries=0, scheduling_strategy=self._on(node))
        return task.remote(*arguments)

    def _ask(self, node: Node, function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
        return self._connected().get(self._begin(node, function, *arguments), timeout=seconds)

    def _on(self, node: Node) -> Any:
        return self._affinity(node.id, soft=False)


@cache
def connect(address: str) -> Cluster:
    """Return the cluster at an address, to which this process stays connected.

    Args:
        address: `auto` for the one that this machine belongs to, or `ray://HOST:PORT`.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster.
    """
    hook = sys.excepthook
    # Where the connection is lost, Ray would make another one, or a cluster of its own here.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise ConfigError(
            f"--workers {address} needs Ray, which is not installed here: pip install 'evo-train[ray]'"
        ) from error
    # What Ray has to say about nodes, the search says in a line; its processes keep their logs on the nodes.
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    # Beside logs, Ray prints on stdout what befell its nodes, in the middle of results.
    importlib.import_module("ray._private.worker").__dict__["print_to_stdstream"] = lambda *_, **__: None
    where = "on this machine"
    try:
        found = _found_here() if address == AUTO else address
        where = f"at {found}"
        _knock(found)
        with _unheard():
            _join(ray, address)
        sys.excepthook = hook  # Ray's would tell the head first, and wait for it
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        # All lines: of two versions that differ, the first says only that they do.
        why = " ".join(str(error).split())[:300].rstrip(".")
        raise ConfigError(
            f"--workers {address}: there is no Ray cluster {where} that can be used ({why}). Start one with "
            f"`ray start --head` of Ray {ray.__version__}, and name it as ray://HOST:10001, or in RAY_ADDRESS as "
            "HOST:6379."
        ) from error
    return Cluster(address, ray)


def _found_here() -> str:
    """Return where the cluster is that this machine belongs to, as its user or Ray's own records name it."""
    named = os.environ.get("RAY_ADDRESS", "")
    services = importlib.import_module("ray._private.services")
    return named if "://" in named else str(services.canonicalize_bootstrap_address_or_die(AUTO))


def _knock(address: str) -> None:
    """Raise OSError where nothing answers at an address as Ray does: Ray itself would try for minutes, and print."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    with socket.create_connection((parts.hostname or "", parts.port or 0), _CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in {"1", "true"}:
            return
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS)
        if connection.recv(len(_SETTINGS))[3:4] != _SETTINGS[3:4]:
            raise OSError("something other than Ray listens there")


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep off the terminal what Ray's C++ code writes there at a wrong port, a line a second; no setting does."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _join(ray: Any, address: str) -> None:
    for left in reversed(range(_CONNECT_TRIES)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        except ConnectionAbortedError:
            # The head starts a server for each client. A busy one may take longer than it waits for that itself.
            if not left:
                raise
            ray.shutdown()
        else:
            return


def one_line(error: BaseException) -> str:
    """Return the first line of what Ray says, cut to a readable length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0][:200].rstrip(".")


def _node(one: Mapping[str, Any], *, is_alone: bool) -> Node:
    resources = one["Resources"]
    host = one["NodeManagerHostname"] if is_alone else f"{one['NodeManagerHostname']}-{one['NodeManagerAddress']}"
    memory_mib = resources.get("memory", 0.0) / 2**20
    return Node(one["NodeID"], host, int(resources.get("CPU", 0)), int(resources.get("GPU", 0)), memory_mib)


def _unfit(node: Node, facts: Facts, wanted: Wanted) -> str:
    """Return why a node cannot be used by whatever run; empty if it can."""
    mine = on_node.programs()
    if facts.programs["trainer"] != mine["trainer"]:
        return (
            f"it has evo-train {facts.programs['evo-train']} with other code than the driver's "
            f"({mine['evo-train']}). Install the same on both."
        )
    if facts.problem:
        return facts.problem
    if facts.secrets:
        names = " and ".join(facts.secrets)
        return (
            f"Ray was started there with {names} in its environment, which a candidate may find. Start it without: "
            f"env {' '.join(f'-u {name}' for name in facts.secrets)} ray start …"
        )
    if wanted.gpus and len(facts.devices) < node.gpus:
        return f"Ray deals out {node.gpus} GPUs there, but only {len(facts.devices)} can be found."
    return ""
