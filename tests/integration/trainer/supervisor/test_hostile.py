"""Candidates that crash, run away, lie or attack: each gets its status, and nothing of it stays behind."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from trainer_runs import MODEL, genome, inhabitants, open_descriptors, quick_settings, tiny_corpus

from trainer.evaluation import Job, Split, Status
from trainer.local import SupervisorProcess
from trainer.settings import Limits

SPIN_IN_C = """
import re
task.train_tokens()
re.match(r"(a+)+$", "a" * 64 + "b")  # holds the interpreter's lock for longer than anybody waits
"""
TRAIN_IN_DAEMON = """
task.train_tokens()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            pass
    os._exit(0)
os.wait()
time.sleep(600)
"""
LEAVE_DAEMON = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
raise RuntimeError("left a daemon")
"""
FORK_BOMB = """
for _ in range(400):
    if os.fork() == 0:
        time.sleep(600)
time.sleep(600)
"""
SHRINK_FRAMES = """[
    os.ftruncate(int(name), 0) for name in os.listdir("/proc/self/fd")
    if "evo-frames" in os.readlink(f"/proc/self/fd/{name}")
]"""
LINE = """
line = [int(name) for name in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{name}")
        and os.readlink(f"/proc/self/fd/{name}").startswith("socket:")][0]
os.set_blocking(line, True)
"""
"""Finds the inherited descriptor of the line to the supervisor."""
FLOOD = (
    LINE
    + """
task.train_tokens()
while True:
    os.write(line, b'{"event":"log","step":1,"loss":1.0}\\n' * 99)
"""
)
FLOOD_DESCRIPTORS = (
    LINE
    + """
line = socket.socket(fileno=line)
while True:
    socket.send_fds(line, [b'{"event":"built"}\\n'], [1, 1, 1, 1])
"""
)
SAY_SAVED = (
    LINE
    + """
os.write(line, b'{"event":"saved"}\\n')
time.sleep(600)
"""
)

VANISHING_CHILDREN = """
task.train_tokens()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    read, write = os.pipe()
    if os.fork() == 0:
        began = time.process_time()
        while time.process_time() - began < 0.2:
            pass
        os._exit(0)
    os.close(write)
    os.read(read, 1)
    os.close(read)
"""
MANY_THREADS = """
for _ in range(300):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)
"""
UNMAPPED_MEMORY = """
files = [os.memfd_create(str(number)) for number in range(60)]
for file in files:
    os.write(file, bytes(2**25))
time.sleep(600)
"""

IN_TRAINING = {
    "raises": ("raise KeyError('lost')", Status.CRASHED, r"KeyError: 'lost' \(line \d+, in train\)"),
    "exits quietly": ("os._exit(0)", Status.CRASHED, "exited with code 0 before"),
    "segfaults": ("ctypes.string_at(0)", Status.CRASHED, "SIGSEGV"),
    "hogs memory": (
        "hog = []\nwhile True:\n    hog.append(bytearray(b'x' * 2**26))",
        Status.OUT_OF_MEMORY,
        r"used \d+ MiB of memory where 1600 MiB",
    ),
    "ignores SIGTERM": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntask.train_tokens()\nwhile True:\n    pass",
        Status.TIMED_OUT,
        "trained on",
    ),
    "trains in a daemon": (TRAIN_IN_DAEMON, Status.TIMED_OUT, "trained on"),
    "leaves a daemon": (LEAVE_DAEMON, Status.CRASHED, "left a daemon"),
    "loops in C": (SPIN_IN_C, Status.TIMED_OUT, "trained on"),
    "logs NaN": ("task.log(step=3, loss=math.nan)\ntime.sleep(600)", Status.DIVERGED, "not a finite number at step 3"),
    "diverges": (
        "task.train_tokens()\nfor step in range(10**9):\n    task.log(step=step, loss=1.5**step)",
        Status.DIVERGED,
        r"loss was .* at step \d+, beyond 57\.04: ten times that of a guess at random",
    ),
    "logs an absurd step": (
        "task.log(step=10**30, loss=1.0)\ntime.sleep(600)",
        Status.REJECTED,
        "where numbers are due",
    ),
    "closes its line": (LINE + "os.close(line)\ntime.sleep(600)", Status.CRASHED, "closed its line"),
    "sends garbage": (LINE + "os.write(line, b'\\xff\\x00{]\\n')\ntime.sleep(600)", Status.REJECTED, "not a JSON"),
    "floods its line with points": (FLOOD, Status.REJECTED, "sent more than 5000 messages"),
    "floods its line with descriptors": (FLOOD_DESCRIPTORS, Status.REJECTED, "sent more than 5000 messages"),
    "forges an error with a terrible reason": (
        LINE + "reason = '\\x1b[31mred\\ud800' + 'x' * 10**6\n"
        "os.write(line, json.dumps({'event': 'error', 'reason': reason}).encode() + b'\\n')\ntime.sleep(600)",
        Status.CRASHED,
        "^redx{997}$",
    ),
    "says saved without weights": (SAY_SAVED, Status.REJECTED, "no weights.safetensors: No such file"),
    "prints without end": ("while True:\n    os.write(1, b'x' * 2**16)", Status.CRASHED, "printed more than 8 MiB"),
    "starts threads without end": (MANY_THREADS, Status.CRASHED, "started more than 200 threads"),
    "trains in children that nobody waits for": (VANISHING_CHILDREN, Status.TIMED_OUT, "trained on"),
    "keeps memory that it does not map": (UNMAPPED_MEMORY, Status.OUT_OF_MEMORY, r"used \d+ MiB of memory where"),
    "forks without end": (FORK_BOMB, Status.CRASHED, "started more than 40 processes"),
    "writes a file without end": (
        "with open('big', 'wb') as big:\n    big.truncate(2**40)",
        Status.CRASHED,
        "File too large",
    ),
}

IN_SCORING = {
    "wrong shape": (
        "torch.zeros(*x.shape, 7)",
        Status.REJECTED,
        r"of shape \(16, 32, 300\), but it returned torch.float32",
    ),
    "NaN": ("torch.full((*x.shape, 300), math.nan)", Status.DIVERGED, "not finite numbers"),
    "raises": ("1 / 0", Status.CRASHED, "while being scored: ZeroDivisionError"),
    "exits": ("os._exit(0)", Status.CRASHED, "exited with code 0"),
    "shrinks the shared memory": (
        SHRINK_FRAMES,
        Status.CRASHED,
        "PermissionError",
    ),
    "works in a daemon": ("daemon() or torch.zeros(*x.shape, 300)", Status.REJECTED, "detached process"),
}

SERVING = """
class Model(torch.nn.Embedding):
    def forward(self, x):
        return {answer}

def daemon():
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()

def build_model(task):
    return Model(task.vocab_size, task.vocab_size)
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Iterator[SupervisorProcess]:
    limits = Limits(memory_mib=1600, output_mib=8, disk_mib=64, processes=40, threads=200)
    corpus = tiny_corpus(tmp_path_factory)
    settings = quick_settings(corpus, scratch, train_seconds=0.4, limits=limits)
    with SupervisorProcess(settings) as process:
        yield process
        assert process.alive
    assert not inhabitants(scratch)
    assert not list(scratch.iterdir())


@pytest.fixture(autouse=True)
def nothing_left(supervisor: SupervisorProcess, scratch: Path) -> Iterator[None]:
    """After every evaluation there are three warm spares with their folders, the scorer, and nothing else."""
    yield
    found = inhabitants(scratch)  # before the children: spares are being started
    children = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(psutil.Process(supervisor.pid).children()) <= 4
    assert {process.pid for process in found if process.is_running()} <= {child.pid for child in children}
    assert len(open_descriptors(supervisor.pid)) <= 16  # those of spares that are being started included
    assert len(list(scratch.glob("evo-scratch-*/candidate-*"))) <= 3


@pytest.mark.parametrize(("body", "status", "reason"), IN_TRAINING.values(), ids=IN_TRAINING)
def test_training_gone_wrong_ends_with_its_status(
    supervisor: SupervisorProcess, body: str, status: Status, reason: str
) -> None:
    verdict = supervisor.evaluate(Job(genome(body), 0))

    assert (verdict.status, verdict.objectives) == (status, {}), (verdict.reason, verdict.log_tail)
    assert re.search(reason, verdict.reason)


def test_a_curve_of_too_many_points_is_thinned(supervisor: SupervisorProcess) -> None:
    flood = LINE + 'for step in range(4500):\n    os.write(line, b\'{"event":"log","step":%d,"loss":0.5}\\n\' % step)'

    verdict = supervisor.evaluate(Job(genome(flood), 0))

    assert verdict.status is Status.OK, verdict.reason
    steps = [point.step for point in verdict.curve]
    assert steps == sorted(steps)
    assert 1000 <= len(steps) <= 2000
    assert steps[0] == 0
    assert steps[-1] > 4490


@pytest.mark.parametrize(("answer", "status", "reason"), IN_SCORING.values(), ids=IN_SCORING)
def test_serving_gone_wrong_ends_with_its_status(
    supervisor: SupervisorProcess, answer: str, status: Status, reason: str
) -> None:
    verdict = supervisor.evaluate(Job(genome("pass", SERVING.format(answer=answer)), 0))

    assert (verdict.status, verdict.objectives) == (status, {}), (verdict.reason, verdict.log_tail)
    assert re.search(reason, verdict.reason)


AFTER_WARM_UP = """
class Model(torch.nn.Embedding):
    calls = 0

    def forward(self, x):
        self.calls += 1
        if self.calls > {calls}:
            {then}
        return super().forward(x)

def build_model(task):
    return Model(task.vocab_size, task.vocab_size)
"""
WARM_UP_CALLS = 4


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("print('TOKENS', x[0].tolist()); raise ValueError(x[0].tolist())", "while being scored: ValueError"),
        pytest.param(
            "raise type(f'Token{x[0, 0]}', (ValueError,), {})()",
            "while being scored: an error of a class of its own",
            marks=pytest.mark.full,
        ),
        pytest.param("os._exit(int(x[0, 0]) % 100)", "ended while it was scored", marks=pytest.mark.full),
    ],
)
def test_nothing_is_told_of_what_a_process_says_that_has_seen_held_out_text(
    supervisor: SupervisorProcess, then: str, reason: str
) -> None:
    model = AFTER_WARM_UP.format(calls=WARM_UP_CALLS, then=then)

    verdict = supervisor.evaluate(Job(genome("print('trained')", model), 0))

    assert (verdict.status, verdict.reason) == (Status.CRASHED, reason)
    assert verdict.log_tail.strip() == "trained"


BURN = "began = time.process_time()\n            while time.process_time() - began < {seconds}:\n                pass"


@pytest.mark.parametrize(
    ("calls", "seconds", "stage"), [(WARM_UP_CALLS - 1, 30, "loading its weights"), (WARM_UP_CALLS, 0.5, "answering")]
)
def test_a_process_that_serves_has_the_time_of_some_forward_passes(
    supervisor: SupervisorProcess, calls: int, seconds: float, stage: str
) -> None:
    model = AFTER_WARM_UP.format(calls=calls, then=BURN.format(seconds=seconds))

    verdict = supervisor.evaluate(Job(genome(model=model), 0))

    assert verdict.status is Status.TIMED_OUT
    assert f"s (cpu clock) for {stage}, which is far more than forward passes take" in verdict.reason


def test_weights_come_when_the_model_is_built_and_has_answered(supervisor: SupervisorProcess) -> None:
    early = "import pathlib\nassert not pathlib.Path('weights.safetensors').exists()\n"

    verdict = supervisor.evaluate(Job(genome(model=early + MODEL), 0))

    assert verdict.status is Status.OK, verdict.reason


def test_who_leaves_no_place_for_its_weights_harms_no_other(supervisor: SupervisorProcess) -> None:
    taken = "import pathlib\npathlib.Path('weights.safetensors/full').mkdir(parents=True, exist_ok=True)\n"
    while_serving = f"def build_model(task):\n    if task.seconds_left() == 0:\n{textwrap.indent(taken, ' ' * 8)}"

    verdict = supervisor.evaluate(Job(genome(model=f"{while_serving}    {MODEL.strip().splitlines()[-1].strip()}"), 0))
    following = supervisor.evaluate(Job(genome(), 0))

    assert (verdict.status, verdict.reason[:13]) == (Status.REJECTED, "left no place"), verdict.reason
    assert following.status is Status.OK, following.reason


def test_a_candidate_that_ends_as_if_killed_is_blamed_the_second_time(supervisor: SupervisorProcess) -> None:
    verdicts = [supervisor.evaluate(Job(genome("os.kill(os.getpid(), signal.SIGKILL)"), 0)) for _ in range(2)]
    elsewhere = supervisor.evaluate(Job(genome("os.kill(os.getpid(), signal.SIGKILL)"), 1, losses=1))

    assert [one.status for one in (*verdicts, elsewhere)] == [Status.LOST, Status.CRASHED, Status.CRASHED]


def test_a_score_that_the_holdout_split_denies_is_rejected(supervisor: SupervisorProcess) -> None:
    both = (Split.SELECTION, Split.HOLDOUT)

    verdict = supervisor.evaluate(Job(genome(), 0, both, widest_gap=-1.0))
    within = supervisor.evaluate(Job(genome(), 0, both, widest_gap=0.5))

    assert verdict.status is Status.REJECTED
    assert "it knows text that it must not know" in verdict.reason
    assert within.status is Status.OK, within.reason


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        ('{"forward":0.5,"backward":0.25,"optimizer":0.25,"elsewhere":0.0,"PWN":"# obey"}', 4),
        ('{"forward":0.5,"backward":0.25,"optimizer":0.25,"elsewhere":"# obey"}', 0),
        ('{"forward":7.5,"backward":-7.5,"optimizer":1.0,"elsewhere":0.0}', 0),
        ('{"forward":0.5,"backward":0.25,"optimizer":0.5,"elsewhere":0.0}', 0),
        ('["forward"]', 0),
    ],
)
def test_what_a_candidate_tells_of_its_time_is_a_distribution_or_nothing(
    supervisor: SupervisorProcess, told: str, believed: int
) -> None:
    body = SAY_SAVED.replace('"saved"', '"saved","parts":' + told)
    assert len(supervisor.evaluate(Job(genome(body), 0)).timings.train_parts) == believed
