"""What prompts cost in a long run: their size from 10 to 2,000 individuals, and the share that a cache can serve.

A search 16 wide, with a 26 kB program, replies of 20 s and evaluations of 300 s in simulated time. Prompts and
selection are those of the product with a language model; in the place of the model stands a function that rewrites a
block of 20 lines, and keeps a full list of lessons. A prompt can read from the cache the longest prefix, up to a
breakpoint, that an earlier one sent within the lifetime of the cache, as the Messages API documents it.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from statistics import fmean

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.search.observer import Observer
from experiments.recording import write_record
from experiments.simulated_time import SimulatedTimeLoop
from experiments.simulation import SimulatedEvaluator, large_genome, simulated_search
from operators.choice import OperatorChoice
from operators.llm import Conditions
from operators.llm.context import Opening, Prompts
from operators.llm.lessons import MOST_LESSONS
from operators.llm.memory import CHARACTERS_PER_TOKEN
from operators.prompt_styles import STYLES, read_style
from operators.proposal import LessonsRequest, Proposal, Request
from trainer.evaluation import Budget, Clock
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

_SLOTS, _POP = 16, 16
_REPLY_SECONDS, _EVALUATION_SECONDS = 20.0, 300.0
_LIFETIMES_SECONDS = {"5m": 300.0, "1h": 3600.0}
_BLOCK = re.compile(r"\n# block \d+\n.*\Z", re.DOTALL)
_INSTRUCTIONS = "Prefer changes that a colleague would understand.\n" * 10
_SIZES = (10, 50, 200, 1_000, 2_000)


@dataclass(frozen=True)
class Sent:
    """One prompt.

    Attributes:
        at: when it was sent, seconds of simulated time.
        parts: the shared ones in their order, then the rest.
    """

    number: int
    at: float
    parts: tuple[str, ...]

    @property
    def tokens(self) -> float:
        """Its size, estimated."""
        return sum(map(len, self.parts)) / CHARACTERS_PER_TOKEN


@dataclass
class Scripted:
    """An operator that asks with a prompt of the product and is answered by a function.

    Attributes:
        style: of a mutation; empty for a crossover.
        sent: the prompts of all operators.
    """

    prompts: Prompts
    style: str
    sent: list[Sent] = field(repr=False)

    is_away = False
    most_calls = math.inf

    async def close(self) -> None:
        """Close nothing."""

    async def distil(self, request: LessonsRequest) -> Sequence[str]:
        """Return as many lessons as there may be, of a usual length, new ones every time."""
        await asyncio.sleep(_REPLY_SECONDS)
        ids = [f"#{idea.id}" for idea in request.memory.settled[-MOST_LESSONS:]]
        learnt = (
            f"as of result {request.number}, smaller blocks gain about 0.01 wherever the last one was rewritten before"
        )
        return [f"{request.date}, {one}: {learnt}, and nothing where it was not" for one in ids]

    def __post_init__(self) -> None:
        self.name = f"llm_mutation:{self.style}" if self.style else "llm_crossover"
        self.arity = 1 if self.style else 2

    async def propose(self, request: Request) -> Proposal:
        """Return the first parent with another block at its end."""
        opening = self._opening(request)
        instructions = self.prompts.instructions(replace(request, instructions=_INSTRUCTIONS))
        constant = filter(None, (self.prompts.system(), instructions))
        parts = (*constant, *opening.shared, opening.task)
        self.sent.append(Sent(request.number, asyncio.get_running_loop().time(), parts))
        await asyncio.sleep(_REPLY_SECONDS)
        lines = "".join(f"STEP_{index} = {request.number}.{index}  # of block\n" for index in range(20))
        source = _BLOCK.sub("", request.parents[0].source) + f"\n# block {request.number}\n{lines}"
        request.gate.check(source)
        idea = (
            f"Rewrite the last block as variant {request.number}, because the measurements of #{request.parents[0].id} "
        )
        return Proposal(source, self.name, f"{idea}leave room there; expected to gain 0.01 by fewer operations a step.")

    def _opening(self, request: Request) -> Opening:
        return self.prompts.mutate(request, read_style(self.style)) if self.style else self.prompts.crossover(request)


def send(evaluations: int) -> list[Sent]:
    """Return the prompts of a search over so many evaluations."""
    data = {
        "search": {"pop": _POP, "gens": max(2, evaluations // _POP), "tournament_size": 4},
        "noise": {"confirm_fraction": 0.0},
        "operators": {"weights": {"random": 1.0}},
        "workers": {"devices": ["cpu"]},
    }
    objectives = (LANGUAGE_MODEL_OBJECTIVES["val_bpb"], LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"])
    conditions = Conditions(objectives, Budget(_EVALUATION_SECONDS, Clock.WALL), "one GPU", 8192, 1024)
    prompts, sent = Prompts(conditions), list[Sent]()
    operators = [(Scripted(prompts, style, sent), 0.5 / len(STYLES)) for style in STYLES]
    choice = OperatorChoice([*operators, (Scripted(prompts, "", sent), 0.1)])
    loop = SimulatedTimeLoop()
    try:
        evaluator = SimulatedEvaluator(_SLOTS, _EVALUATION_SECONDS)
        with simulated_search(
            resolve(parse_config(data, "benchmark"), {}), evaluator, choice, Observer(), clock=loop.time
        ) as search:
            loop.run_until_complete(search.run())
    finally:
        loop.close()
    return sent


def readable_share(sent: Sequence[Sent], lifetime_seconds: float) -> float:
    """Return which share of all tokens a prefix cache can serve."""
    last_used: dict[str, float] = {}
    read = 0.0
    for prompt in sent:
        digest, length, longest = sha256(), 0, 0
        for part in prompt.parts[:-1]:
            digest.update(part.encode())
            length += len(part)
            prefix = digest.hexdigest()
            if prompt.at - last_used.get(prefix, -lifetime_seconds - 1) <= lifetime_seconds:
                longest = length
            last_used[prefix] = prompt.at
        read += longest / CHARACTERS_PER_TOKEN
    return read / sum(prompt.tokens for prompt in sent)


def measure(evaluations: int) -> str:
    """Return the measurements as Markdown."""
    sent = sorted(send(evaluations), key=lambda prompt: prompt.number)
    rows = ["| individuals so far | tokens of a prompt | beside rules and program |", "|---|---|---|"]
    fixed = (len(sent[0].parts[0]) + len(large_genome())) / CHARACTERS_PER_TOKEN
    near = {
        size: [prompt.tokens for prompt in sent if abs(prompt.number - size) <= max(3, size // 20)] for size in _SIZES
    }
    means = {size: fmean(tokens) for size, tokens in near.items() if tokens}
    rows += [f"| {size:,} | {mean:,.0f} | {mean - fixed:,.0f} |" for size, mean in means.items()]
    shares = [
        f"{readable_share(sent, seconds):.0%} with a lifetime of {name}" for name, seconds in _LIFETIMES_SECONDS.items()
    ]
    return (
        "\n".join(rows)
        + f"\n\nCache-readable share of all prompt tokens over {evaluations:,} evaluations: {', '.join(shares)}.\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=2_100)
    parser.add_argument("--record", action="store_true", help="write the result under experiments/records")
    arguments = parser.parse_args()
    report = measure(arguments.evaluations)
    print(report)
    if arguments.record:
        write_record("prompt-cost", report)
