"""Run inside a sandbox to see whether it holds: tries to get out, prints what worked as JSON.

It stands alone: its text is handed to `python -c`, so that nothing of this package need be visible inside.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path


def reads_file(path: str) -> bool:
    """Return whether a file outside can be read."""
    return bool(Path(path).read_bytes())


def writes_file(path: str) -> bool:
    """Return whether a file outside can be opened for writing; nothing is changed."""
    with Path(path).open("r+b"):
        return True


def connects(port: int) -> bool:
    """Return whether a service of this machine can be reached."""
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def reads_environment(pid: int, marker: str) -> bool:
    """Return whether the environment of a process outside can be read; `marker` tells it from a namesake inside."""
    return bool(marker) and marker.encode() in Path(f"/proc/{pid}/environ").read_bytes()


def signals(pid: int) -> bool:
    """Return whether a process outside can be signalled; the lowest ids exist inside too."""
    os.kill(pid, 0)
    return pid > 3


def notes_in_kernel() -> bool:
    """Return whether something can be left in the kernel that outlives this process: a System V segment."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    segment: int = library.shmget(0, 4096, 0o600)
    if segment >= 0:
        library.shmctl(segment, 0, None)  # IPC_RMID
    return segment >= 0


def uses_scratch() -> bool:
    """Return whether the working folder can be written to."""
    Path("written").write_bytes(b"x")
    Path("written").unlink()
    return True


def reads_packages(folder: str) -> bool:
    """Return whether the packages can be read, which a root without its privileges may not."""
    return bool(os.listdir(folder))  # noqa: PTH208 - the standard library alone, and little of it


def uses_gpu() -> bool:
    """Return whether the first GPU takes work: its driver can need more than the device files."""
    import ctypes

    cuda = ctypes.CDLL("libcuda.so.1")
    device, context = ctypes.c_int(), ctypes.c_void_p()
    return bool(
        cuda.cuInit(0) == 0
        and cuda.cuDeviceGet(ctypes.byref(device), 0) == 0
        and cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device) == 0
    )


def _works(attempt: Callable[[], bool]) -> bool:
    try:
        return attempt()
    except OSError:
        return False


def main() -> None:
    """Try everything."""
    file, port, pid, marker, packages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
    attempts: dict[str, Callable[[], bool]] = {
        "read a file outside": lambda: reads_file(file),
        "write to a file outside": lambda: writes_file(file),
        "write to the interpreter": lambda: writes_file(os.__file__),
        "reach the network": lambda: connects(port),
        "read another process's environment": lambda: reads_environment(pid, marker),
        "signal another process": lambda: signals(pid),
        "leave a note in the kernel": notes_in_kernel,
        "use its scratch folder": uses_scratch,
        "read its packages": lambda: reads_packages(packages),
        "use its GPU": uses_gpu,
    }
    print(json.dumps([name for name, attempt in attempts.items() if _works(attempt)]))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
