"""Genomes that try to get out of the sandbox, at every level that hides something from them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from trainer_runs import await_end, genome, quick_settings, tiny_corpus

import trainer
from trainer.corpus import Corpus
from trainer.errors import ConfigError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.sandbox import Level, choose_level, survey
from trainer.sandbox.choice import _try
from trainer.sandbox.floor import ProcessGroupSandbox
from trainer.sandbox.landlock import drop_capabilities
from trainer.sandbox.levels import Unavailable
from trainer.settings import Limits

REPOSITORY = Path(trainer.__file__).parents[1]
SECRET = "not-for-candidates"
LIMITS = Limits(memory_mib=900, disk_mib=64, processes=40)

ESCAPES = """
import glob, site
done = []

def attempt(name, action):
    try:
        if action():
            done.append(name)
    except (OSError, ValueError):
        pass

def write(path, mode="r+b"):
    with open(path, mode):
        return True

def send(family, kind, address):
    with socket.socket(family, kind) as line:
        line.settimeout(2)
        line.connect(address)
        line.send(b"hello")

def call(name, *arguments):
    return ctypes.CDLL(None, use_errno=True)[name](*arguments) >= 0

def read_memory(pid):
    class Piece(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
    here = ctypes.create_string_buffer(8)
    pieces = Piece(ctypes.addressof(here), 8), Piece(OUT["address"], 8)
    return call("process_vm_readv", pid, ctypes.byref(pieces[0]), 1, ctypes.byref(pieces[1]), 1, 0)

def reopen(descriptor):
    attempt("the training data", lambda: write(f"/proc/self/fd/{descriptor}"))
    attempt("the training data by its owner's right", lambda: os.fchmod(descriptor, 0o600) or write(
        f"/proc/self/fd/{descriptor}"))
    close(descriptor)

def train(model, task):
    pid = OUT["pid"]
    for path in OUT["files"]:
        attempt(f"read {path}", lambda: open(path, "rb").read(1))
        attempt(f"write {path}", lambda: write(path))
    for folder in OUT["folders"]:
        attempt(f"list {folder}", lambda: os.listdir(folder))
    known = (sys.prefix, sys.base_prefix, OUT["repository"])
    attempt("home", lambda: [name for name in os.listdir(OUT["home"]) if not any(
        path.startswith(os.path.join(OUT["home"], name)) for path in known)])
    for entry in glob.glob("/proc/[0-9]*"):
        attempt("environment", lambda: OUT["secret"] in open(entry + "/environ").read())
        attempt("command line", lambda: OUT["secret"] in open(entry + "/cmdline").read())
    attempt("memory", lambda: read_memory(pid))
    attempt("trace", lambda: call("ptrace", 16, pid, 0, 0))
    attempt("limits", lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (10**6, 10**6)))
    attempt("signal", lambda: os.kill(pid, signal.SIGKILL) is None)
    for network in OUT["addresses"]:
        attempt("connect", lambda: send(*network))
    for package in site.getsitepackages():
        attempt("site-packages", lambda: write(os.path.join(package, "evil.pth"), "w"))
    attempt("interpreter", lambda: write(os.__file__))
    attempt("kernel", lambda: write("/proc/sys/kernel/core_pattern"))
    attempt("kernel's memory", lambda: write("/proc/sysrq-trigger", "w"))
    attempt("own program", lambda: write(sys.executable))
    for place in ("/", "/dev", "/etc", "/usr", "/var/tmp", os.path.dirname(OUT["repository"])):
        attempt(f"new file in {place}", lambda: write(os.path.join(place, "evil"), "w") and place not in OUT["private"])
    os.close = reopen
    task.train_tokens()
    os.close = close
    print("done:" + json.dumps(done))

close = os.close
"""

HONEST = """
import mimetypes, multiprocessing, pathlib, shutil, tempfile
task.train_tokens()
with tempfile.TemporaryDirectory() as folder:
    shutil.copy2("train.py", folder)
    print(subprocess.run(["ls", folder], capture_output=True, text=True, check=True).stdout.strip())
thread = threading.Thread(target=lambda: print("thread"))
thread.start()
thread.join()
there, here = multiprocessing.get_context("fork").Pipe()
child = multiprocessing.get_context("fork").Process(target=lambda: here.send("forked"))
child.start()
print(there.recv())
child.join()
print(pathlib.Path.home() == pathlib.Path.cwd(), os.path.expanduser("~") == os.environ["TMPDIR"])
print(mimetypes.guess_type("a.png")[0])
"""

DAEMON = """
task.train_tokens()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        os.closerange(0, 100)
        os.execve("/bin/sleep", ["sleep", {seconds!r}], {{}})
    os._exit(0)
os.wait()
time.sleep(0.3)
"""

FILL_BY_NAMES = """
for number in range(1000):
    with open(f"{number}", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2**24)
    time.sleep(0.02)
"""
FILL_WITHOUT_NAMES = """
files = []
while True:
    files.append(open("file", "wb"))
    os.unlink("file")
    os.posix_fallocate(files[-1].fileno(), 0, 2**24)
    time.sleep(0.02)
"""


KERNEL = """
import fcntl, glob, mmap, platform, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
KEY = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[platform.machine()]
file = open(OUT["shared"], "rb")
page = mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE)
FCNTL = {"x86_64": 72, "aarch64": 25}[platform.machine()]
HINT, VALUE = ctypes.create_string_buffer(struct.pack("Q", 3)), ctypes.create_string_buffer(b"17")
SAID = struct.pack("QII", ctypes.addressof(VALUE), 2, 0)
IO_SETUP, FUTEX = {"x86_64": (206, 202), "aarch64": (0, 98)}[platform.machine()]
WORD, MOMENT = ctypes.c_uint(int.from_bytes(page[:4], "little")), (ctypes.c_long * 2)(0, 1000)
page_address = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page)))
attempts = {
    "add_key": lambda: libc.syscall(KEY[0], b"user", b"note", b"x", 1, -3),
    "request_key": lambda: libc.syscall(KEY[1], b"user", b"note", None, -3),
    "keyctl": lambda: libc.syscall(KEY[2], 0, -3, 0),
    "shmget": lambda: libc.shmget(0, 4096, 0o600),
    "msgget": lambda: libc.msgget(0, 0o600),
    "semget": lambda: libc.semget(0, 1, 0o600),
    "mincore": lambda: libc.mincore(page_address, 4096, ctypes.create_string_buffer(1)),
    "cachestat": lambda: libc.syscall(451, file.fileno(), None, None, 0),
    "preadv2": lambda: len(os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)),
    "unshare": lambda: libc.unshare(0x10000000),
    "setns": lambda: libc.setns(file.fileno(), 0),
    "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "ptrace": lambda: libc.ptrace(0, 0, None, None),
    "userfaultfd": lambda: libc.syscall({"x86_64": 323, "aarch64": 282}[platform.machine()], 1),
    "io_uring": lambda: libc.syscall(425, 1, ctypes.create_string_buffer(120)),
    "inotify": lambda: libc.inotify_init(),
    "lease": lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK) or 0,
    "memfd_secret": lambda: libc.syscall(447, 0),
    "write hint": lambda: fcntl.fcntl(file, 1036, struct.pack("Q", 3)) and 0,
    "write hint by a wide command": lambda: libc.syscall(FCNTL, file.fileno(), ctypes.c_long(2**32 + 1036), HINT),
    "flags": lambda: fcntl.ioctl(file, 0x40086602, fcntl.ioctl(file, 0x80086601, bytes(8))) and 0,
    "shared extents": lambda: fcntl.ioctl(file, 0xC020660B, struct.pack("QQ4I", 0, 2**62, 0, 0, 0, 0)) and 0,
    "requeued wait": lambda: (
        libc.syscall(FUTEX, page_address, 11, WORD, MOMENT, ctypes.byref(WORD), 0) + (ctypes.get_errno() != 38)
    ),
    "setxattrat": lambda: libc.syscall(463, -100, OUT["shared"].encode(), 0, b"user.note", SAID, 16),
    "hidden from the supervisor": lambda: libc.prctl(4, 0, 0, 0, 0) - libc.prctl(3, 0, 0, 0, 0),
    "room for asynchronous reads": lambda: libc.syscall(IO_SETUP, 100, ctypes.byref(ctypes.c_ulong())),
    "pending signal": lambda: libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())),
    # Where it waits, that is over after a moment, and so fails.
    "wait at a file": lambda: -1 - libc.syscall(FUTEX, page_address, 0, WORD, MOMENT, None, 0),
    "host of a virtual machine": lambda: -1 if OUT["network"] else socket.socket(40, 1).fileno(),
}
done = []
for name, attempt in attempts.items():
    try:
        if attempt() >= 0:
            done.append(name)
    except OSError:
        pass
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 1, 0))
lock = ctypes.create_string_buffer(struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 1, 0))
libc.syscall(FCNTL, file.fileno(), ctypes.c_long(2**32 + fcntl.F_SETLK), lock)
try:
    held = [line for line in open("/proc/locks") if f":{os.fstat(file.fileno()).st_ino} " in line]
except OSError:  # not to be seen either
    held = []
def train(model, task):
    task.train_tokens()
    print("done:" + json.dumps([done, held]))
"""
"""Tries to leave a note in the kernel, or to see what others do, as any process may; locks are only said to be held."""


@dataclass
class Outside:
    """What is out of a candidate's reach: a process with a secret, files, and services that count who reaches them."""

    process: subprocess.Popen[bytes]
    servers: list[socket.socket] = field(default_factory=list)

    def addresses(self) -> list[tuple[int, int, object]]:
        return [(int(server.family), int(server.type), server.getsockname()) for server in self.servers]

    def reached(self) -> list[str]:
        """Return which services somebody has talked to."""
        found = []
        for server in self.servers:
            try:
                server.recv(9) if server.type == socket.SOCK_DGRAM else server.accept()[0].close()
                found.append(str(server))
            except BlockingIOError:
                continue
        return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tiny_corpus(tmp_path_factory)


@pytest.fixture(scope="module", params=[Level.BUBBLEWRAP, Level.LANDLOCK])
def supervisor(
    request: pytest.FixtureRequest, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SupervisorProcess]:
    try:
        choose_level(request.param, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))
    scratch = tmp_path_factory.mktemp("scratch")
    settings = quick_settings(corpus, scratch, limits=LIMITS, sandbox=request.param)
    with SupervisorProcess(settings) as process:
        yield process
        assert process.alive
    assert not await_end(scratch)
    assert not list(scratch.iterdir())


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    families = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{tmp_path.name}-{id(tmp_path)}"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{tmp_path.name}-{id(tmp_path)}-datagrams"),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(tmp_path / "socket")),
        (socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / "datagrams")),
    ]
    nap = "import ctypes; print(ctypes.addressof(ctypes.create_string_buffer(8)), flush=True); input()"
    command = [sys.executable, "-c", nap, SECRET]
    with subprocess.Popen(command, env={"SECRET": SECRET}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        found = Outside(process)
        for family, kind, address in families:
            server = socket.socket(family, kind)
            server.bind(address)
            if kind == socket.SOCK_STREAM:
                server.listen()
            server.setblocking(False)
            found.servers.append(server)
        yield found
        for server in found.servers:
            server.close()
        process.kill()


def evaluate(supervisor: SupervisorProcess, body: str) -> Evaluation:
    return supervisor.evaluate(Job(genome(body), 0))


def test_nothing_outside_can_be_reached(
    supervisor: SupervisorProcess, outside: Outside, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    assert outside.process.stdout is not None
    held_out = [str(path) for path in corpus.folder.iterdir() if path.is_file()]
    # A candidate may have a /tmp of its own, with the way to the repository in it: nothing of that shows outside.
    private = [folder for folder in (Path("/tmp"), REPOSITORY.parent) if folder.is_relative_to("/tmp")]
    out = {
        "pid": outside.process.pid,
        "address": int(outside.process.stdout.readline()),
        "secret": SECRET,
        "files": [*held_out, str(tmp_path / "secret"), str(REPOSITORY / "README.md"), str(Path(__file__))],
        "folders": [str(tmp_path), str(corpus.folder), str(REPOSITORY / "tests"), str(REPOSITORY / ".git")],
        "repository": str(REPOSITORY),
        "home": str(Path.home()),
        "addresses": outside.addresses(),
        "private": [str(folder) for folder in private],
    }
    train_data = corpus.train_path.read_bytes()

    verdict = evaluate(supervisor, f"OUT = {out!r}\n{ESCAPES}")

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert verdict.sandbox == supervisor.sandbox
    assert json.loads(verdict.log_tail.partition("done:")[2]) == []
    assert not [folder for folder in private if (folder / "evil").exists()]
    assert outside.process.poll() is None
    assert outside.reached() == []
    assert corpus.train_path.read_bytes() == train_data
    assert psutil.Process(outside.process.pid).rlimit(psutil.RLIMIT_CPU)[0] < 0


@pytest.mark.parametrize(
    "level", [pytest.param(one, marks=() if one is Level.BUBBLEWRAP else pytest.mark.full) for one in Level]
)
def test_no_note_can_be_left_in_the_kernel(level: Level, corpus: Corpus, tmp_path: Path) -> None:
    try:
        settings = quick_settings(corpus, tmp_path / "scratch", limits=LIMITS, sandbox=choose_level(level, "cpu"))
    except ConfigError as error:
        pytest.skip(str(error))
    out = {"shared": str(Path(sys.executable).resolve()), "network": level is Level.PROCESS_GROUP}
    with SupervisorProcess(settings) as supervisor:
        verdict = evaluate(supervisor, f"OUT = {out!r}\n{KERNEL}")

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert json.loads(verdict.log_tail.partition("done:")[2]) == [[], []]


def test_what_an_honest_genome_does_works(supervisor: SupervisorProcess) -> None:
    verdict = evaluate(supervisor, HONEST)

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert verdict.log_tail.split() == ["train.py", "thread", "forked", "True", "True", "image/png"]


def test_candidates_cannot_take_every_descriptor_that_a_user_may_send(supervisor: SupervisorProcess) -> None:
    verdict = evaluate(
        supervisor,
        """
import resource
def train(model, task):
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    os._exit(3)
""",
    )
    assert verdict.reason == "exited with code 3 before its work was done"

    at_once = 253  # SCM_MAX_FD, by which a process can be beyond its limit
    allowed, _ = psutil.Process(supervisor.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert int(verdict.log_tail) + at_once < allowed


def test_a_daemon_ends_with_its_candidate(supervisor: SupervisorProcess) -> None:
    seconds = f"9{supervisor.pid}.25"

    verdict = evaluate(supervisor, DAEMON.format(seconds=seconds))

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert not [one for one in psutil.process_iter(["cmdline"]) if seconds in (one.info["cmdline"] or [])]


@pytest.mark.parametrize("fill", [FILL_BY_NAMES, FILL_WITHOUT_NAMES], ids=["by names", "without names"])
def test_the_room_of_all_files_together_is_limited(supervisor: SupervisorProcess, fill: str) -> None:
    verdict = evaluate(supervisor, fill)

    assert (verdict.status, verdict.reason) == (Status.CRASHED, "kept more than 64 MiB in its files")


def test_a_level_that_leaks_is_not_taken_for_one_that_holds() -> None:
    class Leaking(ProcessGroupSandbox):
        level = Level.BUBBLEWRAP  # type: ignore[assignment]

    with pytest.raises(Unavailable, match="can reach the network and read a file outside and read another process's"):
        _try(Leaking(Limits()), "cpu")


def test_the_strongest_level_is_chosen_and_the_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    survey_here = survey("cpu")
    assert choose_level("auto", "cpu") is survey_here.level
    assert list(survey_here.reasons) == list(Level)[: list(Level).index(survey_here.level)]

    monkeypatch.setenv("PATH", "/nonexistent")
    # A device that nobody has asked for yet, for answers are kept.
    assert survey("nowhere").reasons[Level.BUBBLEWRAP] == "bubblewrap is not installed (no `bwrap` on the PATH)"
    assert "landlock (no bubblewrap: " in str(survey("nowhere")) or "process-group" in str(survey("nowhere"))
    with pytest.raises(
        ConfigError, match=r"--sandbox strict needs bubblewrap, which does not work here: .*--sandbox auto"
    ):
        choose_level("strict", "nowhere")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's means are Linux's")
def test_a_process_that_refuses_inspection_keeps_its_environment_from_others_of_its_user() -> None:
    outer = "from trainer.machine.processes import refuse_inspection; refuse_inspection(); print(flush=True); input()"
    inner = "import sys; open(f'/proc/{sys.argv[1]}/environ').read()"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        reading = subprocess.run(
            [sys.executable, "-c", inner, str(process.pid)],
            preexec_fn=drop_capabilities,
            capture_output=True,
            text=True,
        )
        process.kill()

    assert "PermissionError" in reading.stderr
