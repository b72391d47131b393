"""Where candidates run: the kinds of workers that `workers.kind` names, with the devices that each finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evo.config.config import Config
from evo.config.resolved import ResolvedWorkers
from operators.services import PROVIDERS
from trainer.errors import ConfigError, counted
from trainer.machine import devices
from trainer.machine.capacity import capacity
from trainer.machine.devices import Device
from trainer.sandbox import describe

if TYPE_CHECKING:
    from trainer.cluster.connection import Wanted

# What the driver, the scorer and the waiting spares need beside the candidates.
_CANDIDATES_MEMORY_FRACTION = 0.7
_LARGEST_MEMORY_MIB = {"cpu": 8192.0}


@dataclass(frozen=True, slots=True)
class Place:
    """Where candidates run.

    Attributes:
        devices: one for each worker.
        workers: the section of the configuration.
        sandbox: what its setting stands for there, in words.
    """

    devices: Sequence[Device]
    workers: ResolvedWorkers
    sandbox: str


@dataclass(frozen=True, slots=True)
class WorkersKind:
    """A kind of workers.

    Attributes:
        find: returns where the candidates of a configuration run; raises ConfigError where they cannot.
        module: whose `build` makes the evaluator (`evo.workers.evaluator.Build`).
        is_here: whether they run on this machine and share it.
    """

    find: Callable[[Config], Place]
    module: str
    is_here: bool = False


def _find_here(config: Config) -> Place:
    found = _worker_devices(config)
    workers = _resolve_workers(config, found)
    return Place(found, workers, describe(workers.sandbox, found[0].kind))


def _find_cluster(config: Config) -> Place:
    """Ask the nodes of a Ray cluster what they are; raise ConfigError when none can be used."""
    from trainer.cluster.connection import AUTO, connect

    asked = config.workers
    cluster = connect(asked.address or AUTO)
    wanted = cluster_wanted(config, has_gpus=cluster.has_gpus())
    survey = cluster.survey(wanted)
    slots = {node: wanted.slots(node) for node in survey.fit}
    found = [
        device
        for node, facts in survey.fit.items()
        for device in node_devices(facts.devices, wanted.gpus, slots[node] // wanted.slots_per_gpu)
        for _ in range(wanted.slots_per_gpu)
    ]
    # The same limits everywhere, whatever node an individual comes to.
    cores = min(node.cpus // slots[node] for node in slots)
    memory_mib = min(node.memory_mib / slots[node] for node in slots) * _CANDIDATES_MEMORY_FRACTION
    workers = ResolvedWorkers(
        kind="ray",
        address=cluster.address,
        devices=(wanted.kind,),
        threads=wanted.threads if wanted.kind == "cpu" else asked.threads or max(1, cores),
        memory_mib=asked.memory_mib or round(_limited(memory_mib, wanted.kind)),
        sandbox=asked.sandbox,
        reference_device=asked.reference_device,
        slots_per_gpu=asked.slots_per_gpu,
    )
    return Place(found, workers, survey.terms.sandbox)


def cluster_wanted(config: Config, *, has_gpus: bool = False) -> Wanted:
    """Return what a run asks of every node of a cluster.

    Args:
        config: of the run.
        has_gpus: whether a node has GPUs, which are used unless the configuration says otherwise.

    Raises:
        ConfigError: evaluations of several GPUs each are to share them, which Ray does not deal out.
    """
    from trainer.cluster.connection import Wanted

    workers, script = config.workers, config.script
    own = [service.key_variable for service in PROVIDERS.values()]
    gpus = 1 if script is None or script.gpus is None else script.gpus
    on_gpus = gpus > 0 and (workers.devices == ("cuda",) or (not workers.devices and has_gpus))
    if on_gpus and gpus > 1 < workers.slots_per_gpu:
        raise ConfigError(
            f"On a cluster only evaluations of one GPU can share it, but `workers.slots_per_gpu` was "
            f"{workers.slots_per_gpu} and `task.gpus` {gpus}. Leave one of them out."
        )
    return Wanted(
        kind="cuda" if on_gpus else "cpu",
        gpus=gpus if on_gpus else 0,
        threads=1 if on_gpus else workers.threads or 1,
        sandbox=workers.sandbox,
        secrets=tuple(sorted({*own, *(model.key_variable for model in config.llm.entries if model.key_variable)})),
        slots_per_gpu=workers.slots_per_gpu if on_gpus else 1,
    )


def node_devices(found: Sequence[Device], gpus: int, count: int) -> list[Device]:
    """Return the devices that a node deals out: each of so many GPUs, or the CPU as often."""
    if not gpus:
        return [found[0]] * count
    return [devices.joined(found[start : start + gpus]) for start in range(0, count * gpus, gpus)]


def machine_devices(named: Sequence[str] = ()) -> list[Device]:
    """Return the devices of this machine that a user named; without names, every GPU, else the CPU.

    Raises:
        ConfigError: a device is absent.
    """
    return devices.select(named) if named else devices.discover()


def _worker_devices(config: Config) -> list[Device]:
    """Return the device of each worker, dealt out in turn.

    Where one evaluation of a script takes several GPUs, they are one device, whose id lists theirs with commas.
    """
    named = machine_devices(config.workers.devices)
    kinds = {device.kind for device in named}
    if len(kinds) > 1:
        raise ConfigError(
            f"--devices must be of one kind, since the budget and the sizes of the task depend on it, but they were "
            f"{', '.join(sorted(kinds))}. GPUs of several models may be mixed."
        )
    if config.script is not None and config.script.gpus is not None:
        named = _grouped(named, config.script.gpus)
    if named[0].kind == "cuda":
        named = named * config.workers.slots_per_gpu
    return [named[index % len(named)] for index in range(config.workers.count or len(named))]


def _grouped(named: Sequence[Device], size: int) -> list[Device]:
    """Return devices that each stand for as many GPUs as one evaluation takes; the CPU where it takes none."""
    gpus = [device for device in named if device.kind == "cuda"]
    if size == 0:
        return [devices.cpu_device()]
    if len(gpus) < size:
        raise ConfigError(
            f"`task.gpus` is {size}, but {counted(len(gpus), 'GPU')} can be used here. `evo doctor` lists the devices."
        )
    return [devices.joined(gpus[start : start + size]) for start in range(0, len(gpus) - size + 1, size)]


def _resolve_workers(whole: Config, found: Sequence[Device]) -> ResolvedWorkers:
    config, kind = whole.workers, found[0].kind
    machine = capacity()
    # On the CPU's own clock, which the language-model task is timed by there, more threads would only cost.
    threads = 1 if kind == "cpu" and whole.script is None else max(1, machine.cores // len(found))
    available_mib = machine.memory_mib * _CANDIDATES_MEMORY_FRACTION / len(found)
    names = dict.fromkeys(name for device in found for name in (device.id or device.kind).split(","))
    chosen = {
        "count": len(found),
        "devices": config.devices or tuple(names),
        "threads": config.threads or threads,
        "memory_mib": config.memory_mib or round(_limited(available_mib, kind)),
    }
    return ResolvedWorkers(**{**dict(config), **chosen})


def _limited(available_mib: float, kind: str) -> float:
    return min(available_mib, _LARGEST_MEMORY_MIB.get(kind, available_mib))


WORKERS = {
    "local": WorkersKind(_find_here, "evo.workers.local", is_here=True),
    "ray": WorkersKind(_find_cluster, "evo.workers.ray"),
}
"""By `workers.kind`."""
