"""Wrong input: one clear line on stderr, exit code 2, and nothing written."""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import EVO, environment, evo
from script_runs import slow_project, write_files

URL = {"ANTHROPIC_API_KEY": "sk-test"}


@dataclass
class Case:
    """What a user types in an empty folder, and words that the answer must hold."""

    name: str
    arguments: list[str]
    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def configured(name: str, toml: str, *words: str) -> Case:
    return Case(name, ["--config", "c.toml"], ["c.toml", *words], files={"c.toml": toml.encode()})


CONFIGURATION = [
    configured("unknown key", "[search]\npopp = 3\n", "search.popp", "'pop'"),
    configured("unknown section", "[serach]\npop = 3\n", "serach", "'search'"),
    configured("section as a value", "search = 3\n", "search", "3"),
    configured("wrong type", '[search]\npop = "many"\n', "search.pop", "'many'", "integer"),
    configured("fraction", "[search]\npop = 2.5\n", "search.pop", "2.5"),
    configured("population 0", "[search]\npop = 0\n", "search.pop", "0", "greater than 0"),
    configured("negative budget", "[budget]\ntrain_seconds = -3\n", "train_seconds", "-3", "greater than 0"),
    configured("NaN budget", "[budget]\ntrain_seconds = nan\n", "train_seconds", "nan", "finite"),
    configured("unknown objective", '[search]\nobjectives = ["val_bp"]\n', "val_bp", "'val_bpb'"),
    configured("no operators", "[operators.weights]\n", "operators.weights", "positive weight"),
    configured("not TOML", "pop = \n", "TOML", "line 1"),
    Case("unknown sandbox", ["--sandbox", "stric"], ["--sandbox", "'stric'", "'strict'"]),
    Case("no strict sandbox", ["--sandbox", "strict"], ["needs bubblewrap", "not installed"], env={"PATH": "/none"}),
    Case("configuration not UTF-8", ["--config", "c.toml"], ["c.toml"], files={"c.toml": b"# \xff\n"}),
    Case("no configuration", ["--config", "none.toml"], ["none.toml", "No such file"]),
    Case("configuration is a folder", ["--config", "."], ["directory"]),
    Case("--pop 0", ["--pop", "0"], ["--pop", "0", "greater than 0"]),
    Case("--gens 0", ["--gens", "0"], ["--gens", "0"]),
    Case("--budget -1", ["--budget", "-1"], ["--budget", "-1"]),
    Case("--budget nan", ["--budget", "nan"], ["--budget", "nan"]),
    Case("--budget inf", ["--budget", "inf"], ["--budget", "inf"]),
    Case("--workers 0", ["--workers", "0"], ["--workers", "0"]),
    Case("--seed -1", ["--seed", "-1"], ["--seed", "-1"]),
    Case("--clock", ["--clock", "sundial"], ["--clock", "sundial", "wall"]),
    Case("--schedule", ["--schedule", "whenever"], ["--schedule", "whenever", "generational"]),
    Case("--objectives", ["--objectives", "val_bpb,speed"], ["--objectives", "speed"]),
    Case("--objectives empty", ["--objectives", ""], ["--objectives"]),
    Case("--operators unknown", ["--operators", "rnadom"], ["--operators", "rnadom", "random"]),
    Case("--operators negative", ["--operators", "random=-1"], ["--operators", "-1"]),
    Case("--operators not a number", ["--operators", "random=x"], ["--operators", "random=x"]),
    Case("--operators naming one twice", ["--operators", "random=2,random=3"], ["--operators", "random twice"]),
    Case("an option twice", ["--pop", "4", "--pop", "6"], ["--pop takes one value", "2 times"]),
    Case("--operators empty", ["--operators", ""], ["--operators"]),
    Case("--vocab-size", ["--vocab-size", "3"], ["--vocab-size", "3", "257"]),
    Case("--dataset", ["--dataset", "./nowhere"], ["nowhere"]),
    Case("--max-cost", ["--max-cost", "-2"], ["--max-cost", "-2"]),
    Case("--max-cost nan", ["--max-cost", "nan"], ["--max-cost", "nan"]),
    Case(
        "--max-cost without a price",
        ["--operators", "llm_mutation", "--max-cost", "2", "--model", "my-own"],
        ["--max-cost", "my-own", "price"],
        env={"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"},
    ),
]

LANGUAGE_MODEL = [
    Case("base URL in /v1", [], ["/v1", "http://h:1?"], env={"ANTHROPIC_BASE_URL": "http://h:1/v1"}),
    Case("base URL without scheme", [], ["http://h:1"], env={"ANTHROPIC_BASE_URL": "h:1"}),
    Case("key missing", ["--operators", "llm_mutation"], ["ANTHROPIC_API_KEY"]),
    Case("key empty", ["--operators", "llm_mutation"], ["ANTHROPIC_API_KEY"], env={"ANTHROPIC_API_KEY": " "}),
    Case("model empty", ["--operators", "llm_mutation", "--model", ""], ["--model", "names"], env=URL),
    Case("model of no weight", ["--operators", "llm_mutation", "--model", "a=1,b=0"], ["--model", "0.0"], env=URL),
    Case("model of wrong weight", ["--operators", "llm_mutation", "--model", "a=x"], ["--model", "a=x"], env=URL),
    Case("no program", ["--operators", "llm_mutation", "--program", "p.md"], ["--program", "p.md"], env=URL),
    Case(
        "program not UTF-8",
        ["--operators", "llm_mutation", "--program", "p.md"],
        ["--program", "p.md", "UTF-8"],
        files={"p.md": b"\xff"},
        env=URL,
    ),
]

AGENT = [
    configured("agent unknown", '[agent]\npreset = "claude"\n', "agent.preset", "'claude'", "'claude-code'"),
    configured("agent's time", "[agent]\nseconds = 0\n", "agent.seconds", "greater than 0"),
    Case("agent missing", ["--operators", "llm_agent"], ["'claude' is no program on the PATH"], env={"PATH": "/none"}),
    Case(
        "agent's command missing",
        ["--operators", "llm_agent", "--config", "c.toml"],
        ["no/agent.py' is no program"],
        files={"c.toml": b'[agent]\ncommand = ["no/agent.py", "{prompt}"]\n'},
    ),
]

DEVICES = [
    Case("GPU absent", ["--devices", "99"], ["--devices", "'99'", "evo doctor"]),
    Case("GPU by UUID", ["--devices", "GPU-1234"], ["--devices", "GPU-1234"]),
    Case("GPU by MIG", ["--devices", "MIG-GPU-1234/7/0"], ["--devices", "MIG-GPU-1234/7/0"]),
    Case("devices of two kinds", ["--devices", "cpu,cuda"], ["--devices", "'cuda'"]),
    Case("no device", ["--devices", ","], ["--devices"]),
    Case("reference absent", ["--reference-device", "B300"], ["--reference-device", "'B300'", "There is"]),
]


def genome(name: str, content: bytes, *words: str) -> Case:
    return Case(name, ["g.py"], ["g.py", *words], files={"g.py": content})


GENOMES = [
    Case("missing", ["g.py"], ["g.py", "No such file"]),
    Case("a folder", ["."], ["folder"]),
    Case("leading dash", ["--", "-g.py"], ["-g.py", "No such file"]),
    genome("empty", b"", "empty"),
    genome("blank", b" \n\t\n", "empty"),
    genome("only comments", b"# nothing\n", "statement"),
    genome("not UTF-8", b"x = '\xff'\n", "UTF-8", "byte 5"),
    genome("NUL", b"x = 1\0\n", "line 1", "U+0000"),
    genome("bidirectional", "x = 1  # \u202e\n".encode(), "line 1", "U+202E"),
    genome("syntax", b"def build_model(task:\n", "line 1"),
    genome("too large", b"x = 1\n" * 50_000, "bytes"),
    genome("no functions", b"x = 1\n", "build_model"),
    genome("no train", b"def build_model(task): ...\n", "train(model, task)"),
    genome("wrong signature", b"def build_model(): ...\ndef train(model, task): ...\n", "build_model(task)"),
    Case("seed genome missing", ["--seed-genome", "textbook", "--seed-genome", "s.py"], ["s.py", "No such file"]),
    Case("seed genome refused", ["textbook", "--seed-genome", "s.py"], ["s.py", "seed genome"], {"s.py": b"x = 1\n"}),
    Case("seed genome twice", ["textbook", "--seed-genome", "textbook"], ["textbook", "same program"]),
    Case(
        "too many seed genomes",
        ["textbook", "--seed-genome", "s.py", "--gens", "1", "--pop", "2"],
        ["1 seed genome", "--gens"],
        {"s.py": b"def build_model(task): ...\ndef train(model, task): ...\n"},
    ),
    genome("async", b"def build_model(task): ...\nasync def train(model, task): ...\n", "async"),
]

PLACES = [
    Case("a file is there", ["--out", "file"], ["file"], files={"file": b"x"}),
    Case("below a file", ["--out", "file/run"], ["file/run"], files={"file": b"x"}),
    Case("a folder in use", ["--out", "used"], ["used"], files={"used/x": b"x"}),
    Case("a link to nothing", ["--out", "nothing"], ["nothing"], links={"nothing": "elsewhere"}),
    Case("a link to itself", ["--out", "loop"], ["loop"], links={"loop": "loop"}),
]


def check(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    for name, target in case.links.items():
        (tmp_path / name).symlink_to(target)
    before = sorted(tmp_path.rglob("*"))
    done = evo("run", *case.arguments, cwd=tmp_path, env=environment(**case.env))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("evo: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert [word for word in case.words if word not in done.stderr] == [], done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("case", CONFIGURATION, ids=lambda case: case.name)
def test_wrong_configuration(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", LANGUAGE_MODEL, ids=lambda case: case.name)
def test_wrong_language_model(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", AGENT, ids=lambda case: case.name)
def test_wrong_agent(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", DEVICES, ids=lambda case: case.name)
def test_wrong_devices(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", GENOMES, ids=lambda case: case.name)
def test_wrong_genome(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", PLACES, ids=lambda case: case.name)
def test_wrong_place(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_a_current_folder_that_was_removed(tmp_path: Path) -> None:
    command = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", str(EVO), "doctor"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "evo: The current folder does not exist any more; change into another one.\n"


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap makes the unknown user")
def test_a_user_whom_the_system_does_not_know() -> None:
    command = ["bwrap", "--unshare-user", "--uid", "54321", "--dev-bind", "/", "/", str(EVO), "doctor"]
    homes = ("HOME", "EVO_CACHE", "XDG_CACHE_HOME")
    unknown = {name: value for name, value in environment().items() if name not in homes}
    done = subprocess.run(command, env=unknown, capture_output=True, text=True)
    assert " /.cache/evo/" in done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap makes everything read-only")
def test_no_folder_for_temporary_files() -> None:
    command = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", str(EVO), "doctor"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No usable temporary directory" in done.stderr
    assert done.stderr.endswith("TMPDIR.\n")


def _refuse_threads() -> None:
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(pyseccomp.ERRNO(errno.EAGAIN), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, *[0x10000] * 2))
    rules.load()


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of system calls refuses the threads")
def test_no_thread_can_be_started(tmp_path: Path) -> None:
    write_files(tmp_path, slow_project(0.0))
    command = [str(EVO), "run", "--pop", "2", "--gens", "1", "--out", "run"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), preexec_fn=_refuse_threads, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "evo: No thread can be started. `ulimit -u`" in done.stderr


def test_unreadable_genome(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        # To root every ordinary file is readable; memory at address 0 is not.
        check(Case("unreadable", ["/proc/self/mem"], ["/proc/self/mem", "cannot be read"]), tmp_path)
        return
    path = tmp_path / "g.py"
    path.touch(mode=0)
    check(Case("unreadable", ["g.py"], ["g.py", "Permission denied"]), tmp_path)
