import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from evo.errors import RunFolderError, RunLocked, StoreError
from evo.runs.folder import NETWORK_FILE_SYSTEMS, RunFolder, file_system_of
from evo.store import Store

_DRIVER = """
import sys
from pathlib import Path
from evo.runs.folder import RunFolder
lock = RunFolder(Path(sys.argv[1])).lock()
print("locked", flush=True)
sys.stdin.read(1)
"""


@pytest.fixture(params=["run", "a run with spaces", "läufe-日本", "-run"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / "runs" / request.param


def start_driver(folder: RunFolder) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _DRIVER, str(folder.path)]
    driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"locked\n"
    return driver


def end(driver: subprocess.Popen[bytes]) -> None:
    driver.kill()
    driver.communicate()


def test_a_run_is_complete_once_it_is_sealed(path: Path) -> None:
    folder = RunFolder.create(path)
    with pytest.raises(RunFolderError, match="interrupted while it was being made"):
        RunFolder.open(path)
    with pytest.raises(RunFolderError, match="Delete the folder"):
        RunFolder.create(path)
    folder.seal("seed = 1\n")
    assert RunFolder.open(path) == folder
    assert folder.config.read_text() == "seed = 1\n"
    with pytest.raises(RunFolderError, match="already holds a run"):
        RunFolder.create(path)


def test_an_empty_folder_may_become_a_run_and_a_used_one_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    RunFolder.create(tmp_path / "empty")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for taken in ("used", "file"):
        with pytest.raises(RunFolderError, match="in use"):
            RunFolder.create(tmp_path / taken)
    assert [entry.name for entry in (tmp_path / "used").iterdir()] == ["notes.txt"]


def test_a_folder_without_a_run_cannot_be_opened(tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RunFolderError, match=r"holds no config\.toml"):
            RunFolder.open(missing)


def test_a_run_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunFolderError, match="Choose a folder that you can write"):
        RunFolder.create(tmp_path / "file" / "run")


def test_a_second_driver_is_refused_until_the_first_dies(path: Path) -> None:
    folder = RunFolder.create(path)
    assert folder.driver() is None
    driver = start_driver(folder)
    try:
        with pytest.raises(RunLocked, match=f"process {driver.pid} on "):
            folder.lock()
        holder = folder.driver()
        assert holder is not None
        assert holder.pid == driver.pid
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        assert folder.driver() is None
        with folder.lock():
            assert folder.driver() is not None
    finally:
        end(driver)
    assert folder.driver() is None


def test_a_lock_that_is_no_file_is_said(path: Path) -> None:
    folder = RunFolder.create(path)
    (path / "lock").mkdir()
    for look in (folder.driver, folder.lock):
        with pytest.raises(RunFolderError, match="lock") as raised:
            look()
        assert "\n" not in str(raised.value)


def test_nothing_waits_for_a_pipe_in_the_place_of_a_file(path: Path) -> None:
    folder = RunFolder.create(path)
    for one in (path / "lock", folder.store):
        os.mkfifo(one)
    assert folder.driver() is None
    with pytest.raises(RunFolderError, match="lock"):
        folder.lock()
    with pytest.raises(StoreError, match="was expected to be a file"):
        Store.open(folder.store)


def test_a_folder_in_which_a_run_is_being_made_is_in_use(path: Path) -> None:
    driver = start_driver(RunFolder.create(path))
    try:
        with pytest.raises(RunLocked, match="Choose another folder"):
            RunFolder.create(path)
    finally:
        end(driver)


def test_a_run_without_its_configuration_is_one_as_long_as_the_store_has_it(path: Path) -> None:
    folder = RunFolder.create(path)
    with Store.create(folder.store) as store:
        assert folder.is_half_made()
        store.record_event("configured", {"config": ""})
        assert not folder.is_half_made()
    assert RunFolder.open(path) == folder
    with pytest.raises(RunFolderError, match="already holds a run"):
        RunFolder.create(path)


def test_a_store_whose_creation_was_interrupted_is_half_made(path: Path) -> None:
    folder = RunFolder.create(path)
    folder.store.touch()
    assert folder.is_half_made()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    context = multiprocessing.get_context("fork")
    forked, done = context.Event(), context.Event()
    child = context.Process(target=lambda: (forked.set(), done.wait()))
    lock = folder.lock()
    child.start()
    try:
        forked.wait()
        assert folder.driver() is not None
        lock.release()
        assert folder.driver() is None
        folder.lock().release()
    finally:
        done.set()
        child.join()


def test_looking_at_a_run_does_not_make_a_driver_give_up(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.lock().release()
    watch = "import sys, time; from pathlib import Path; from evo.runs.folder import RunFolder\n"
    watch += "print('watching', flush=True)\nwhile True: RunFolder(Path(sys.argv[1])).driver()"
    command = [sys.executable, "-c", watch, str(folder.path)]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        for _ in range(20):
            folder.lock().release()
    finally:
        end(watcher)


def test_the_file_system_of_a_path_is_that_of_the_deepest_newest_mount(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    home = str((tmp_path / "home").resolve())
    mounts = [("/", "ext4"), (home, "autofs"), (home, "nfs4"), (f"{home}2", "xfs")]
    assert file_system_of(tmp_path, mounts) == "ext4"
    assert file_system_of(tmp_path / "link" / "not yet there", mounts) == "nfs4"
    assert file_system_of(tmp_path, []) == ""


def test_a_run_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Mounting one needs rights that tests lack, so the type of the file system at hand is declared to be one.
    here = file_system_of(tmp_path, _mounts())
    monkeypatch.setattr("evo.runs.folder.NETWORK_FILE_SYSTEMS", NETWORK_FILE_SYSTEMS | {here})
    with pytest.raises(RunFolderError, match="network file system"):
        RunFolder.create(tmp_path / "run")
    assert not list(tmp_path.iterdir())


def _mounts() -> list[tuple[str, str]]:
    return [(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)]
