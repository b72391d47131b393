"""Room that is taken where no name and no mapping shows it."""

from __future__ import annotations

import math
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trainer.machine.disk import mapped_files, unmapped_mib, used_mib
from trainer.machine.processes import members, usage

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="anonymous files are Linux's")


@contextmanager
def holding(program: str, *arguments: Path) -> Iterator[int]:
    """Start a program that holds something until it is ended, and give its id once it has said that it does."""
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


KEEPS = """
import mmap, os, sys
file = os.memfd_create("hidden")
for _ in range(100):
    os.write(file, bytes(2**20))
part = mmap.mmap(file, 40 * 2**20)
bytes(part)
print(flush=True)
sys.stdin.readline()
"""


@on_linux
def test_what_is_mapped_of_an_anonymous_file_is_not_counted_twice(tmp_path: Path) -> None:
    with holding(KEEPS) as pid:
        counted = unmapped_mib(tmp_path.stat().st_dev, [pid, os.getpid()])

    assert counted == pytest.approx(60.0)


MAPS_ALONE = """
import ctypes, os, sys
library = ctypes.CDLL(None)
library.mmap.restype = ctypes.c_void_p
for file in (os.memfd_create("x"), os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)):
    for _ in range(80):
        os.write(file, bytes(2**20))
    assert library.mmap(None, ctypes.c_size_t(80 * 2**20), 1, 1, file, ctypes.c_long(0)) != 2**64 - 1
    os.close(file)
os.unlink(sys.argv[1])
print(flush=True)
sys.stdin.readline()
"""


@on_linux
def test_what_is_mapped_and_was_never_looked_at_counts(tmp_path: Path) -> None:
    with holding(MAPS_ALONE, tmp_path / "named") as pid:
        in_memory, on_disk = unmapped_mib(tmp_path.stat().st_dev, [pid]), used_mib(tmp_path, [pid])
        before = used_mib(tmp_path, [pid], mapped_files(pid))

    assert in_memory == pytest.approx(80.0)
    assert on_disk == pytest.approx(80.0, abs=0.1)
    assert before == 0.0


ENDS_ITS_FIRST_THREAD = """
import ctypes, os, sys, threading
def hold():
    first.wait()
    while open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[0] != "Z":
        pass
    kept = b"x" * (80 * 2**20)
    file = os.memfd_create("hidden")
    for _ in range(80):
        os.write(file, bytes(2**20))
    print(flush=True)
    sys.stdin.readline()
first = threading.Event()
threading.Thread(target=hold).start()
first.set()
ctypes.CDLL(None).pthread_exit(None)
"""


@on_linux
def test_a_process_whose_first_thread_has_ended_counts(tmp_path: Path) -> None:
    with holding(ENDS_ITS_FIRST_THREAD) as pid:
        (thread,) = members([pid])
        resident_mib, hidden_mib = usage([thread]).resident_mib, unmapped_mib(tmp_path.stat().st_dev, [thread])

    assert resident_mib > 80.0
    assert hidden_mib == pytest.approx(80.0)


DESCRIPTORS_OF_A_THREAD = """
import ctypes, os, sys
library = ctypes.CDLL(None)
file = os.memfd_create("hidden")
for _ in range(80):
    os.write(file, bytes(2**20))
stack = ctypes.create_string_buffer(2**16)
top = (ctypes.addressof(stack) + 2**16) & ~15
memory_without_descriptors = 0x100 | 0x200 | 0x800 | 0x10000
library.clone(ctypes.cast(library.pause, ctypes.c_void_p), ctypes.c_void_p(top), memory_without_descriptors, None)
os.close(file)
print(flush=True)
sys.stdin.readline()
"""


@on_linux
def test_descriptors_that_one_thread_alone_has_count(tmp_path: Path) -> None:
    with holding(DESCRIPTORS_OF_A_THREAD) as pid:
        hidden_mib = unmapped_mib(tmp_path.stat().st_dev, members([pid]))

    assert hidden_mib == pytest.approx(80.0)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no folder that is memory")
def test_what_stands_in_a_folder_that_is_memory_counts_unless_it_is_mapped(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file = Path(folder, "named")
        file.write_bytes(bytes(100 * 2**20))
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 40 * 2**20) as part:
            assert bytes(part)[:1]
            counted = unmapped_mib(tmp_path.stat().st_dev, [os.getpid()], [Path(folder), tmp_path / "gone"])

    assert counted == pytest.approx(60.0)


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="this system has no folder that is memory")
def test_what_is_mounted_in_a_folder_is_not_counted_with_it() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for number in range(20_002):
            Path(folder, str(number)).touch()
        assert unmapped_mib(0, [], [Path(folder)]) == math.inf
        assert unmapped_mib(0, [], [Path("/dev")]) < math.inf
