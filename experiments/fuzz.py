"""Random damage to what comes from outside: it is understood or refused in a sentence, and nothing else.

    python -m experiments.fuzz edits --minutes 60

    messages   what a server of language models sends: the client gives an answer, or says what is wrong
    edits      replies with SEARCH/REPLACE blocks: a program comes of it, or a reason that the model can act on
    store      the files of a run: it is read, or the damage is found, or said
    config     evo.toml: a configuration, or what is wrong with it

Each case comes from a seed, which is printed where something else happens; `--seed` begins with that one.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import random
import shutil
import socketserver
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from evo.config.options import PROJECT_FILE
from evo.config.reading import parse_config, read_toml
from evo.config.resolution import resolve
from evo.runs.integrity import check_run
from evo.search.observer import Observer
from evo.store import Store
from experiments.recording import write_record
from experiments.simulation import MarkMutation, SimulatedEvaluator, simulated_search
from operators.choice import OperatorChoice
from operators.errors import OperatorUnavailable
from operators.llm import LanguageModel, LLMSettings
from operators.llm.client import PromptRefused
from operators.llm.edits import UnusableReply, parse_idea, revise
from operators.llm.replies import read_reply
from operators.llm.text import clean_text
from operators.services import ProviderName
from trainer.errors import EvoError

Case = Callable[[random.Random], str]
"""Tries one case; returns how it ended, in a word. Anything that it raises is a fault."""

_FAULTS_SHOWN = 20
_LONGEST_SECONDS = 600.0  # a case that takes longer is a fault
_BYTES = (
    *(b"\0", b"\n", b"\r", b"\x0c", b"\xff", b"\xe2\x80\xa8", b"\xef\xbb\xbf"),
    *(b'"', b"{", b"}", b"[", b"]", b"-1", b"1e999"),
)
_TOKENS = (
    *("<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "```python\n", "```\n", "<think>", "</think>", "\n", "\t"),
    *("\ud800", "\u202e", "\u2028", "\x0c", "\x00", "   ", "RATE = 0.01\n", "Hypothesis: ", "…", "train.py\n"),
)
_SOURCE = "RATE = 0.01  # per step\nWIDTH = 64\n\n\ndef step(x):\n    y = x * RATE\n    return y + WIDTH\n"
_REPLIES = (
    "Hypothesis: slower.\n\n<<<<<<< SEARCH\nRATE = 0.01  # per step\n=======\nRATE = 0.02\n>>>>>>> REPLACE\n",
    (
        "<think>RATE?</think>\n<<<<<<< SEARCH\n    y = x * RATE\n    return y + WIDTH\n=======\n    return x\n"
        ">>>>>>> REPLACE\n"
    ),
    f"A rewrite.\n```python\n{_SOURCE.replace('64', '128')}```\n",
)
_CONFIG = """[task]
kind = "script"
root = "."
genome = "train.py"
command = ["python", "train.py", "{seed}"]

[task.objectives.loss]
direction = "minimize"
pattern = 'loss:\\s*(\\S+)'

[search]
pop = 8
gens = 4
objectives = ["loss"]
seed = 3

[budget]
train_seconds = 1.5

[operators]
weights = { random = 1.0, constants = 0.5 }

[workers]
count = 1
"""
_EVENTS = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
    b'"model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
    b'"text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    b'"text":"Hypothesis: x"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":12}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
_CHUNKS = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":'
    b'"assistant","content":"Hypothesis: x"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}\n\n'
    b"data: [DONE]\n\n"
)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return bytes with some of them changed, removed, repeated, moved or added; now and then as they are."""
    for _ in range(chance.choice((0, 1, 1, 2, 5, 20))):
        start, stop = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        if chance.random() < 0.7:
            stop = min(stop, start + chance.randrange(8))
        piece = content[start:stop]
        put = chance.choice((b"", piece * 2, piece[::-1], bytes([chance.randrange(256)]), chance.choice(_BYTES)))
        content = content[:start] + put + content[stop:]
    return content


def _edits(chance: random.Random) -> str:
    pieces = chance.choice(_REPLIES).splitlines(keepends=True)
    for _ in range(chance.choice((0, 1, 2, 5))):
        pieces.insert(chance.randrange(len(pieces) + 1), chance.choice((*_TOKENS, *pieces)))
        if chance.random() < 0.5:
            del pieces[chance.randrange(len(pieces))]
    reply = clean_text(damaged("".join(pieces).encode("utf-8", "replace"), chance).decode("utf-8", "replace"))
    parse_idea(reply).encode()
    try:
        revise(_SOURCE, reply).encode()
    except UnusableReply as reason:
        str(reason).encode()
        return "refused"
    return "applied"


def _config(chance: random.Random) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PROJECT_FILE
        path.write_bytes(damaged(_CONFIG.encode(), chance))
        try:
            resolve(parse_config(read_toml(path, "evo.toml"), "evo.toml")).to_toml()
        except EvoError as reason:
            _expect_a_line(reason)
            return "refused"
        return "read"


def _expect_a_line(reason: EvoError) -> None:
    if len(str(reason).splitlines()) != 1:
        raise AssertionError(f"expected one line, but it was {str(reason)!r}")


class _Saying(socketserver.StreamRequestHandler):
    """Answers a request with the bytes that its server holds."""

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        self.rfile.read(length)
        self.wfile.write(self.server.answer)  # type: ignore[attr-defined]


@contextmanager
def _messages() -> Iterator[Case]:
    dialects: list[tuple[ProviderName, bytes]] = [("anthropic", _EVENTS)]
    if importlib.util.find_spec("openai"):
        dialects.append(("openai", _CHUNKS))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Saying) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"

        async def pause(seconds: float) -> None:  # noqa: ARG001 - retried at once
            return

        async def asked(provider: ProviderName) -> str:
            settings = LLMSettings(
                base_url=address,
                model="m",
                api_key="k",
                provider=provider,
                reply_deadline_seconds=_LONGEST_SECONDS / 60,
                patience_seconds=1.0,
            )
            body = {"model": "m", "max_tokens": 100, "system": "", "messages": [{"role": "user", "content": "x"}]}
            try:
                exchange = await LanguageModel(settings, sleep=pause).ask(body, seed="s")
            except (PromptRefused, OperatorUnavailable) as refused:
                return type(refused).__name__
            read_reply(exchange.reply)
            for count in (exchange.input_tokens, exchange.output_tokens, exchange.cache_read_tokens):
                if not 0 <= count < 2**63:
                    raise AssertionError(f"a count of tokens is {count}")
            return "answered"

        def case(chance: random.Random) -> str:
            provider, said = chance.choice(dialects)
            status = chance.choice(
                (b"200 OK",) * 8 + (b"400 Bad Request", b"529 Overloaded", b"307 Temporary Redirect")
            )
            kind = chance.choice((b"text/event-stream",) * 4 + (b"application/json", b"text/html"))
            head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nConnection: close\r\n\r\n" % (status, kind)
            if chance.random() < 0.1:
                head = damaged(head, chance)
            server.answer = head + damaged(said, chance)  # type: ignore[attr-defined]
            return asyncio.run(asked(provider))

        yield case
        server.shutdown()


@contextmanager
def _store() -> Iterator[Case]:
    config = resolve(parse_config({"search": {"pop": 4, "gens": 3}, "noise": {"confirm_fraction": 0.0}}, "fuzzer"), {})
    operators = OperatorChoice([(MarkMutation(), 1.0)])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with simulated_search(config, SimulatedEvaluator(), operators, Observer(), folder) as search:
            asyncio.run(search.run())
            (run,) = folder.glob(".bench-*/run")
            shutil.copytree(run, folder / "whole")  # as a kill leaves it

        def case(chance: random.Random) -> str:
            copy = folder / "copy"
            shutil.copytree(folder / "whole", copy)
            try:
                files = [path for path in copy.rglob("*") if path.is_file() and path.suffix != ".db-shm"]
                path = chance.choice([*files, copy / "evo.db", copy / "evo.db-wal", copy / "config.toml"])
                path.chmod(0o600)
                content = path.read_bytes()
                cut = chance.random() < 0.3
                path.write_bytes(content[: chance.randrange(len(content) + 1)] if cut else damaged(content, chance))
                found = check_run(copy)
                with Store.read(copy / "evo.db") as store:
                    for record in (*store.individuals(), *store.results(), *store.events()):
                        str(record)
            except EvoError as reason:
                _expect_a_line(reason)
                return "refused"
            finally:
                shutil.rmtree(copy)
            return "found" if found else "read"

        yield case


_PARTS: dict[str, Callable[[], AbstractContextManager[Case]]] = {
    "messages": _messages,
    "edits": lambda: nullcontext(_edits),
    "store": _store,
    "config": lambda: nullcontext(_config),
}


def fuzz(case: Case, first: int, minutes: float) -> tuple[Counter[str], list[str]]:
    """Try cases for some minutes; return how many ended in which way, and the first faults with their seeds."""
    ends: Counter[str] = Counter()
    faults: list[str] = []
    deadline = time.monotonic() + 60 * minutes
    seed = first
    while time.monotonic() < deadline:
        began = time.monotonic()
        try:
            ends[case(random.Random(seed))] += 1
        except Exception:  # noqa: BLE001 - whatever a case raises is what is looked for
            ends["fault"] += 1
            faults.append(f"seed {seed}: {traceback.format_exc()[-1500:]}")
        if time.monotonic() - began > _LONGEST_SECONDS:
            faults.append(f"seed {seed}: took {time.monotonic() - began:.0f} s")
        seed += 1
    return ends, faults


def _record(part: str, ends: Counter[str], faults: list[str], minutes: float) -> str:
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in ends.most_common())
    shown = "\n\n".join(f"```\n{fault}\n```" for fault in faults[:_FAULTS_SHOWN]) or "None."
    return (
        f"{ends.total():,} cases of `{part}` in {minutes:g} min.\n\n| ended | cases |\n|---|---|\n{rows}\n\n"
        f"## Faults\n\n{shown}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=_PARTS)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    arguments = parser.parse_args()
    with _PARTS[arguments.part]() as tried:
        ended, wrong = fuzz(tried, arguments.seed, arguments.minutes)
    print(write_record(f"fuzz-{arguments.part}", _record(arguments.part, ended, wrong, arguments.minutes)))
    print("\n".join(wrong[:3]))
    sys.exit(1 if wrong else 0)
