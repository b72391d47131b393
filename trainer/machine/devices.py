"""The devices of this machine, found without importing torch."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError, MachineError


@dataclass(frozen=True, slots=True)
class Device:
    """One device that a worker may be given.

    Attributes:
        kind: `cpu`, `mps` or `cuda`: what torch calls it.
        id: what CUDA_VISIBLE_DEVICES takes to select it (a GPU or MIG UUID); empty for others.
        name: the product's name.
        memory_mib: total memory of a GPU; 0 where it shares the machine's.
        driver: version of its driver; empty where it has none or does not tell.
        power_limit_watts: that it is held to; 0 where it does not tell.
        torch: version of PyTorch beside it; empty where it is not installed.
        fault: why its driver does not answer for it; empty while it does.
    """

    kind: str
    id: str
    name: str
    memory_mib: float = 0.0
    driver: str = ""
    power_limit_watts: float = 0.0
    torch: str = ""
    fault: str = ""

    @property
    def device_class(self) -> str:
        """All that decides how far the same program trains in the same seconds, as far as it is known."""
        known = {
            "driver ": self.driver,
            "": f"{self.power_limit_watts:.0f} W" if self.power_limit_watts else "",
            "torch ": self.torch,
        }
        return ", ".join([self.name or self.kind, *(f"{what}{value}" for what, value in known.items() if value)])


def discover() -> list[Device]:
    """Return every working GPU that CUDA_VISIBLE_DEVICES lets through, else the MPS device, else the CPU.

    Raises:
        MachineError: there are GPUs, and none of them works.
    """
    return working(find())


def find() -> list[Device]:
    """Return the same, GPUs for which the driver does not answer among them."""
    return _cuda_devices() or _mps_devices() or [cpu_device()]


def working(found: Sequence[Device]) -> list[Device]:
    """Return the devices of `find` that can be used; raise MachineError where there is none."""
    if usable := [device for device in found if not device.fault]:
        return usable
    faults = "; ".join(f"{gpu.name}: {gpu.fault}" for gpu in found)
    raise MachineError(
        f"No GPU of this machine answers its driver ({faults}). See `nvidia-smi`; `--devices cpu` does without."
    )


def cpu_device() -> Device:
    """Return the CPU."""
    name = _cpu_model() or platform.processor() or platform.machine()
    return Device("cpu", "", name, torch=_torch_version())


@cache
def _torch_version() -> str:
    """Return the version of PyTorch that is installed, without importing it; empty without one."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    """Return the product's name as Linux tells it; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    names = (value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == "model name")
    return next(names, "")


def select(wanted: Sequence[str]) -> list[Device]:
    """Return the devices a user named: `cpu`, `mps`, a GPU's index, or a GPU's or MIG instance's UUID.

    Raises:
        ConfigError: a name fits no device; lists what there is.
        MachineError: it fits a GPU that does not work.
    """
    return [device for name in wanted for device in _select_one(name)]


def _select_one(name: str) -> list[Device]:
    if name == "cpu":
        return [cpu_device()]
    found = find()
    gpus = [device for device in found if device.kind == "cuda"]
    if name in ("mps", "cuda"):
        matches = [device for device in found if device.kind == name]
    elif name in map(str, range(len(gpus))):
        matches = [gpus[int(name)]]
    else:
        matches = [device for device in gpus if device.id == name]
    if not matches:
        there = ", ".join(f"{index} ({gpu.name}, {gpu.id})" for index, gpu in enumerate(gpus)) or "no GPU"
        raise ConfigError(
            f"--devices must name devices of this machine, but {name!r} is none. There is: cpu; {there}. "
            "`evo doctor` lists them."
        )
    for gpu in matches:
        if gpu.fault:
            raise _no_answer(gpu.name, gpu.fault)
    return matches


def _no_answer(gpu: str, reason: object) -> MachineError:
    return MachineError(f"{gpu} does not answer its driver: {reason}. See `nvidia-smi`.")


def joined(gpus: Sequence[Device]) -> Device:
    """Return several GPUs as the one device of an evaluation that takes them all."""
    if len(gpus) == 1:
        return gpus[0]
    ids, memory_mib = ",".join(gpu.id for gpu in gpus), sum(gpu.memory_mib for gpu in gpus)
    return replace(gpus[0], id=ids, name=f"{len(gpus)} × {gpus[0].name}", memory_mib=memory_mib)


class GpuMemory:
    """Reads the memory in use on some GPUs (UUIDs, comma-separated) from their driver.

    Raises:
        MachineError: (also from the methods) the driver does not know the device, or has lost it.
    """

    def __init__(self, device_id: str) -> None:
        import pynvml

        self._nvml: Any = pynvml
        self._device_id = device_id
        with self._telling():
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByUUID(one) for one in device_id.split(",")]

    def device_mib(self) -> float:
        """Return the memory in use on the devices by all processes, MiB."""
        with self._telling():
            return sum(map(self._used_bytes, self._handles)) / 2**20

    def used_mib(self, pids: Sequence[int], baseline_mib: float) -> float:
        """Return the memory that some processes hold on the devices, MiB.

        Where the driver does not tell processes apart (in many containers), it is all that the devices hold beyond
        `baseline_mib`.
        """
        with self._telling():
            held = [one for gpu in self._handles for one in self._nvml.nvmlDeviceGetComputeRunningProcesses(gpu)]
        own = [process.usedGpuMemory for process in held if process.pid in pids and process.usedGpuMemory is not None]
        return sum(own) / 2**20 if own else max(0.0, self.device_mib() - baseline_mib)

    def _used_bytes(self, gpu: Any) -> float:
        try:
            return float(self._nvml.nvmlDeviceGetMemoryInfo(gpu).used)
        except self._nvml.NVMLError_NotSupported:  # it has no memory of its own, as in a GB10 or a Jetson
            processes = self._nvml.nvmlDeviceGetComputeRunningProcesses(gpu)
            return float(sum(process.usedGpuMemory or 0 for process in processes))

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except self._nvml.NVMLError as error:
            raise _no_answer(f"GPU {self._device_id}", error) from error


@contextlib.contextmanager
def _nvml() -> Iterator[Any]:
    """Open the driver's management library; None where there is none."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        yield None
        return
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def _cuda_devices() -> list[Device]:
    with _nvml() as nvml:
        if nvml is None:
            return []
        devices = [device for index in range(nvml.nvmlDeviceGetCount()) for device in _answers(nvml, index)]
    return _visible(devices, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _answers(nvml: Any, index: int) -> list[Device]:
    """Return what stands at an index.

    A GPU that fell off its bus keeps its place, so that others keep their index. One that this process may not use, as
    in a job of Slurm, has none: CUDA does not count it either.
    """
    try:
        return _with_instances(nvml, nvml.nvmlDeviceGetHandleByIndex(index))
    except nvml.NVMLError_NoPermission:
        return []
    except nvml.NVMLError as error:
        return [Device("cuda", "", f"GPU {index}", fault=str(error))]


def _with_instances(nvml: Any, handle: Any) -> list[Device]:
    """Return a GPU, or its MIG instances where it is cut into such."""
    instances = []
    with contextlib.suppress(nvml.NVMLError):
        if nvml.nvmlDeviceGetMigMode(handle)[0]:
            for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
                with contextlib.suppress(nvml.NVMLError):
                    instances.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
    driver, power_limit_watts = "", 0.0
    with contextlib.suppress(nvml.NVMLError):
        driver = str(nvml.nvmlSystemGetDriverVersion())
    with contextlib.suppress(nvml.NVMLError):
        power_limit_watts = nvml.nvmlDeviceGetPowerManagementLimit(handle) / 1000
    torch = _torch_version()
    return [
        Device(
            "cuda",
            str(nvml.nvmlDeviceGetUUID(unit)),
            str(nvml.nvmlDeviceGetName(unit)),
            _memory_mib(nvml, unit),
            driver,
            power_limit_watts,
            torch,
        )
        for unit in instances or [handle]
    ]


def _memory_mib(nvml: Any, unit: Any) -> float:
    try:
        return float(nvml.nvmlDeviceGetMemoryInfo(unit).total) / 2**20
    except nvml.NVMLError_NotSupported:
        return 0.0


def _visible(devices: list[Device], wanted: str | None) -> list[Device]:
    """Apply CUDA_VISIBLE_DEVICES: indices or UUID prefixes, everything after an unknown one ignored, as CUDA does."""
    if wanted is None:
        return devices
    chosen: list[Device] = []
    for name in filter(None, (part.strip() for part in wanted.split(","))):
        if name.isascii() and name.isdecimal():
            matches = devices[int(name) : int(name) + 1]
        else:
            matches = [device for device in devices if device.id.startswith(name)]
        if len(matches) != 1:
            break
        chosen += matches
    return chosen


def _mps_devices() -> list[Device]:
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return [Device("mps", "", "Apple GPU", torch=_torch_version())]
    return []
