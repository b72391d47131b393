"""Which devices a user names and CUDA_VISIBLE_DEVICES lets through, over devices that need not exist."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from trainer.errors import ConfigError, MachineError
from trainer.machine import devices
from trainer.machine.devices import Device

GPUS = [Device("cuda", f"GPU-{letter}", "H200", 143771.0) for letter in ("aa11", "bb22", "bb33", "cc44")]
INSTANCE = Device("cuda", "MIG-ff55", "H200 MIG 1g.18gb", 16384.0)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, [0, 1, 2, 3]),
        ("", []),
        ("2,0", [2, 0]),
        (" 1 , 3 ", [1, 3]),
        ("GPU-cc44", [3]),
        ("GPU-aa,2", [0, 2]),
        ("GPU-bb,2", []),  # a prefix of two
        ("1,9,2", [1]),  # everything after an unknown one is ignored
        ("-1", []),
        ("0,-1,1", [0]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices(wanted: str | None, chosen: list[int]) -> None:
    assert devices._visible(GPUS, wanted) == [GPUS[index] for index in chosen]


def test_instances_are_visible_by_their_name() -> None:
    assert devices._visible([*GPUS, INSTANCE], "MIG-ff55") == [INSTANCE]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    found = [*GPUS, INSTANCE]
    monkeypatch.setattr(devices, "find", lambda: found)
    return found


def test_devices_are_named_by_index_kind_and_id(machine: list[Device]) -> None:
    assert devices.select(["1", "GPU-aa11", "MIG-ff55"]) == [GPUS[1], GPUS[0], INSTANCE]
    assert devices.select(["cuda"]) == machine
    assert devices.select(["cpu"])[0].kind == "cpu"


@pytest.mark.parametrize("name", ["7", "mps", "GPU-zz", "gpu", "", "-1", "１"])
def test_a_name_that_fits_nothing_is_told_what_there_is(machine: list[Device], name: str) -> None:
    with pytest.raises(ConfigError, match=r"--devices must name .* There is: cpu; 0 \(H200, GPU-aa11\), 1 "):
        devices.select([name])


def test_this_machine_has_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.discover()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert all(device.kind != "cuda" for device in devices.discover())


def test_the_memory_of_a_gpu_that_is_not_there_is_not_told() -> None:
    with pytest.raises(MachineError, match=r"GPU GPU-none does not answer its driver: .* See `nvidia-smi`"):
        devices.GpuMemory("GPU-none")


def test_the_class_of_a_device_says_what_is_known_of_it() -> None:
    told = Device("cuda", "GPU-1", "H200", 143771.0, driver="570.1", power_limit_watts=699.8, torch="2.11.0")
    assert told.device_class == "H200, driver 570.1, 700 W, torch 2.11.0"
    assert GPUS[0].device_class == GPUS[1].device_class == "H200"
    assert GPUS[0].device_class != INSTANCE.device_class
    assert devices.cpu_device().device_class.endswith(f", torch {version('torch')}")
