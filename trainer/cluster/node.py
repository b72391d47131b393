"""What runs on a node of a Ray cluster: one `SlotWorker` a slot, and functions that find out whether a node is fit."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import trainer
from trainer.cluster.parcels import FROZEN, Content, unpack
from trainer.corpus.cache import default_cache, locked, replaced
from trainer.errors import EvoError
from trainer.evaluation import Job
from trainer.local import SupervisorProcess, WorkerSettings
from trainer.machine.devices import Device, cpu_device, discover, joined
from trainer.machine.processes import refuse_inspection
from trainer.sandbox import choose_level
from trainer.script import Frozen, ScriptSettings
from trainer.settings import Settings


def programs() -> dict[str, str]:
    """Return the versions that decide what an evaluation on this machine measures, by name."""
    return {"trainer": _source_digest(), "evo-train": _version("evo-train"), **others()}


def others() -> dict[str, str]:
    """Return those that the driver's machine need not have."""
    return {"torch": _version("torch"), "Python": platform.python_version()}


def inspect(kind: str, sandbox: str, secrets: Sequence[str]) -> dict[str, Any]:
    """Return what this node is, as JSON has it.

    Args:
        kind: of device that is asked for, `cpu` or `cuda`.
        sandbox: the setting, such as `auto`.
        secrets: names of variables that must not be here: a candidate may read the environment of Ray's processes.
    """
    try:
        level, problem = str(choose_level(sandbox, kind)), ""
    except EvoError as error:
        level, problem = "", str(error)
    return {
        "programs": programs(),
        "level": level,
        "problem": problem,
        "secrets": [name for name in secrets if os.environ.get(name)],
        "devices": [asdict(one) for one in _devices(kind)],
    }


def missing(contents: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the digests of what this node has not got yet, or not as it was sent."""
    return [one.digest for one in (Content(**given) for given in contents) if not one.is_sound()]


def receive(given: Mapping[str, str], chunks: Sequence[Any]) -> str:
    """Keep a content whose chunks are references to objects; return what failed, empty if nothing did."""
    import ray

    try:
        unpack(Content(**given), [lambda one=one: ray.get(one) for one in chunks])  # type: ignore[misc]
    except EvoError as error:
        return str(error)
    return ""


class SlotWorker:
    """One slot: evaluates jobs in a supervisor of its own, which starts with the first job.

    Ray runs its methods in several threads, so that a job can be ended while it runs.

    Args:
        settings: of the supervisor as JSON, with the paths of the driver's machine and without a device.
        kind: `cpu` or `cuda`.
        corpus: the content of the corpus; None for a script task.
    """

    def __init__(self, settings: dict[str, Any], kind: str, corpus: Mapping[str, str] | None) -> None:
        refuse_inspection()
        # Ray has put those GPUs into CUDA_VISIBLE_DEVICES that it gave to this slot.
        self._device = joined(discover()) if kind == "cuda" else _devices(kind)[0]
        self._settings = _settled(settings, self._device, corpus)
        self._lock = threading.Lock()
        self._supervisor: SupervisorProcess | None = None
        self._ended = 0

    def device(self) -> dict[str, Any]:
        """Return the device of this slot."""
        return asdict(self._device)

    def evaluate(self, number: int, job: dict[str, Any]) -> dict[str, Any]:
        """Return the evaluation of a job, or why no supervisor started.

        Args:
            number: of the job; one that `end` was told before, or a smaller one, ends at once.
            job: as JSON.
        """
        try:
            supervisor = self._ready()
        except EvoError as error:
            return {"failed": str(error)}
        if number <= self._ended:  # it may have looked before the supervisor was there
            supervisor.close()
        return {"evaluation": supervisor.evaluate(Job.from_json(job)).to_json()}

    def end(self, number: int) -> None:
        """End a job with everything that runs for it, whether it has arrived here yet or not."""
        with self._lock:
            self._ended = max(self._ended, number)
            supervisor = self._supervisor
        if supervisor is not None:
            supervisor.close()

    def _ready(self) -> SupervisorProcess:
        with self._lock:
            supervisor = self._supervisor
        if supervisor is None or not supervisor.alive:
            if supervisor is not None:
                supervisor.close()
            supervisor = SupervisorProcess(self._settings)
            with self._lock:
                self._supervisor = supervisor
        return supervisor


def _settled(data: dict[str, Any], device: Device, corpus: Mapping[str, str] | None) -> WorkerSettings:
    """Return settings for this machine: its device, and the places where it keeps the data."""
    here: dict[str, Any] = {"device": device.kind, "device_id": device.id}
    if corpus is not None:
        return replace(Settings.from_json(data), corpus=Content(**corpus).place, **here)
    settings = ScriptSettings.from_json(data)
    for files in ("frozen", "held_out"):
        here[files] = tuple(_kept(one) for one in getattr(settings, files))
    compiled = settings.compiled and default_cache() / "compiled"
    return replace(settings, root=_project(here["frozen"]), compiled=compiled, **here)


def _project(frozen: Sequence[Frozen]) -> Path:
    """Return a folder that stands for the user's project: its frozen files under their names, and nothing else."""
    names = sorted((one.name, one.sha256) for one in frozen)
    folder = default_cache() / "received" / f"project-{hashlib.sha256(repr(names).encode()).hexdigest()}"
    with locked(folder, lambda: None):
        if not folder.is_dir():
            with replaced(folder) as draft:
                for one in frozen:
                    if not one.is_outside and not (draft / one.name).exists():
                        (draft / one.name).parent.mkdir(parents=True, exist_ok=True)
                        (draft / one.name).symlink_to(one.path)
    return folder


def _kept(frozen: Frozen) -> Frozen:
    content = Content(FROZEN, frozen.sha256, frozen.path.name)
    # Nothing has looked at it here before, so there is no signature to compare: its content is what counts.
    found = replace(frozen, path=content.place, signature="").looked_at_again()
    return found or replace(frozen, path=content.place)


def _devices(kind: str) -> list[Device]:
    """Return the devices of a kind, also where Ray hides the GPUs from a task that has claimed none."""
    if kind == "cpu":
        return [cpu_device()]
    hidden = os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    try:
        return [one for one in discover() if one.kind == kind]
    finally:
        if hidden is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = hidden


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _source_digest() -> str:
    """Return a digest of this package's own code: a version number does not tell two checkouts apart."""
    folder = Path(trainer.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
