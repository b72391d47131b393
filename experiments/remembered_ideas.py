"""How many calls a model that reads its prompts needs to find the best combination of ideas with known effects.

A program has twelve switches, each an idea: some help by themselves, two help only together, others harm. Evaluations
are noisy. In the place of a language model stands a function that reads the text of its prompt and nothing else: it
turns on what was told to help and is missing, tries what was not tried, and leaves alone what was told to harm. Search,
selection and prompts are the product's; what differs between arms is

- `family`: what prompts told before they had a memory: up to twelve children and siblings, compared with the program
  shown, and crossovers of whatever is selected;
- `memory`: every idea of the run, with its effect on its own parents;
- the size of the population, and of the tournaments that select parents from it.

Counted are the calls until the best combination was first proposed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from statistics import fmean, median, stdev

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.search.observer import Observer
from evo.search.search import Search
from experiments.recording import write_record
from experiments.simulated_time import SimulatedTimeLoop
from experiments.simulation import SimulatedEvaluator, simulated_search
from operators.choice import OperatorChoice
from operators.llm import Conditions
from operators.llm.context import Prompts
from operators.prompt_styles import read_style
from operators.proposal import Effect, Fate, Idea, Memory, NoOffspring, Proposal, Refused, Request
from trainer.evaluation import Budget, Clock, Evaluation, Job, Timings
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

SIGMA_BPB = 0.004
GAINS = {"averaging": 0.03, "bigrams": 0.025, "cooldown": 0.02, "decay": 0.015, "embedding": 0.012}
PAIR, PAIR_GAIN, ALONE = ("gating", "halving"), 0.03, -0.001
HARM = {"inverse": -0.02, "jitter": -0.03, "kernel": -0.015, "layers": -0.01, "mixing": -0.04}
BEST = frozenset({*GAINS, *PAIR})
_NAMES = sorted({*GAINS, *PAIR, *HARM})
_PROGRAM = (
    "".join(f"USE_{name.upper()} = False\n" for name in _NAMES)
    + "\n\ndef build_model(task):\n    return None\n\n\ndef train(model, task):\n    return None\n"
)
_SWITCH = re.compile(r"^USE_(\w+) = True$", re.MULTILINE)
_LINE = re.compile(r"^- #(\d+) from ([#\d ×]+) by \S+: “(\w+) (on|off)[^”]*” → (.*)$", re.MULTILINE)
_MOST_REPAIRS = 3
Lines = Sequence[tuple[str, str, str, str, str]]
_SLOTS, _REPLY_SECONDS, _EVALUATION_SECONDS = 4, 20.0, 60.0


def gain(switches: frozenset[str]) -> float:
    """Return how much better a program is than generation 0, bits per byte."""
    alone = {**GAINS, **HARM, **dict.fromkeys(PAIR, ALONE)}
    together = PAIR_GAIN - 2 * ALONE if switches >= {*PAIR} else 0.0
    return sum(alone[one] for one in switches) + together


def switches_of(source: str) -> frozenset[str]:
    """Return what a program has turned on."""
    return frozenset(name.lower() for name in _SWITCH.findall(source))


def _with(source: str, name: str, *, on: bool) -> str:
    return re.sub(rf"^USE_{name.upper()} = \w+$", f"USE_{name.upper()} = {on}", source, flags=re.MULTILINE)


class Landscape(SimulatedEvaluator):
    """Measures programs by their switches, with noise."""

    def _measured(self, job: Job, chance: random.Random, timings: Timings) -> Evaluation:
        result = super()._measured(job, chance, timings)
        noise = random.Random(f"{job.genome}:{job.seed}:{timings.train_seconds}").gauss(0, SIGMA_BPB)
        bpb = 1.6 - gain(switches_of(job.genome)) + noise
        objectives = {**result.objectives, "val_bpb": bpb, "tokens_per_second": 1e4}
        return replace(result, objectives=objectives, split_bpb=dict.fromkeys(result.split_bpb, bpb))


@dataclass
class Reader:
    """An operator whose model knows what its prompt tells.

    Attributes:
        remembers: whether prompts tell the memory of the run, or the family alone.
        calls: switches of what was proposed, in order.
        is_over: called when the best combination was proposed.
    """

    prompts: Prompts
    arity: int
    remembers: bool
    calls: list[frozenset[str]] = field(repr=False)
    is_over: Callable[[], None] = field(repr=False)

    def __post_init__(self) -> None:
        self.name = "llm_crossover" if self.arity == 2 else "llm_mutation:structure"

    async def propose(self, request: Request) -> Proposal:
        """Return what the model makes of the prompt."""
        if not self.remembers:
            family = Memory(recent=tuple(_family(request)))
            request = replace(request, known=replace(request.known, recall=lambda: family))
        opening = (
            self.prompts.crossover(request)
            if self.arity == 2
            else self.prompts.mutate(request, read_style("structure"))
        )
        source = request.parents[0].source
        for name, on in self._answers(opening.text, request):
            await asyncio.sleep(_REPLY_SECONDS)
            changed = _with(source, name, on=on)
            self.calls.append(switches_of(changed))
            if self.calls[-1] == BEST:
                self.is_over()
            with suppress(Refused):  # the reason goes back to the model, which costs another call
                request.gate.check(changed)
                return Proposal(changed, self.name, f"{name} {'on' if on else 'off'}: expected to help.")
        raise NoOffspring("nothing else to try")

    def _answers(self, text: str, request: Request) -> list[tuple[str, bool]]:
        """Return the switches to move, the most hopeful first, of those that lead to a program it was not told of."""
        own = switches_of(request.parents[0].source)
        lines = _LINE.findall(text)
        hopes = dict(_hopes(lines, request.random))
        if self.arity == 2:
            for name in switches_of(request.parents[1].source) - own:
                hopes[name] += hopes[name] > 1
        moves = {(name, name not in own): hope if name not in own else -1 - hope for name, hope in hopes.items()}
        told = _programs(lines, request.parents[0].id, own)
        fresh = [move for move in moves if own ^ {move[0]} not in told]
        return sorted(fresh, key=lambda move: -moves[move])[: 1 + _MOST_REPAIRS]


def _programs(lines: Lines, parent: int, own: frozenset[str]) -> set[frozenset[str]]:
    """Return the switches of the programs that the lines of a prompt amount to."""
    programs = {0: frozenset[str](), parent: own}
    for number, parents, name, _, _ in sorted(lines, key=lambda line: int(line[0])):
        first = int(parents.split()[0][1:])
        if first in programs:
            programs[int(number)] = programs[first] ^ {name}
    return set(programs.values())


def _hopes(lines: Lines, chance: random.Random) -> Iterator[tuple[str, float]]:
    """Yield each idea with what a reader of the prompt hopes of it: 1 for what was not tried, more for what helped."""
    told: dict[str, Counter[str]] = {name: Counter() for name in _NAMES}
    for _, _, name, move, outcome in lines:
        verdict = next((one for one in ("better", "worse", "a tie") if f": {one}" in outcome), "pending")
        opposite = {"better": "worse", "worse": "better"}
        told[name][verdict if move == "on" else opposite.get(verdict, verdict)] += 1
    for name, counts in told.items():
        evidence = 3 * counts["better"] - 2 * counts["worse"] - 0.7 * counts["a tie"] - 0.5 * counts["pending"]
        yield name, 1 + evidence + chance.random() / 2


def _family(request: Request) -> Iterator[Idea]:
    """Yield what prompts told before: relatives, each compared with the program shown."""
    parent = request.parents[0]
    ideas = {idea.id: idea for idea in (*request.known.memory.settled, *request.known.memory.recent)}
    for relative in request.known.context.relatives[-12:]:
        value, own = relative.objectives.get("val_bpb"), parent.objectives.get("val_bpb")
        if value is None or own is None or relative.id not in ideas:
            continue
        sigma = request.known.context.noise.get("val_bpb", 0.0)
        effect = Effect(parent.id, own - value, sigma, is_tie=abs(own - value) < 2 * sigma)
        yield replace(ideas[relative.id], fate=Fate.MEASURED, value=value, effect=effect)


def calls_needed(seed: int, tournament_size: int, *, remembers: bool, pop: int, evaluations: int) -> tuple[int, bool]:
    """Return how many calls were made until the best combination was proposed, and whether it was."""
    data = {
        "search": {"pop": pop, "gens": evaluations // pop, "seed": seed, "tournament_size": tournament_size},
        "noise": {"confirm_fraction": 0.0},
        "operators": {"weights": {"random": 1.0}, "crossover_pairs": "unrelated" if remembers else "any"},
        "workers": {"devices": ["cpu"]},
    }
    conditions = Conditions((LANGUAGE_MODEL_OBJECTIVES["val_bpb"],), Budget(60.0, Clock.WALL), "one GPU", 2048, 256)
    prompts, calls, searches = Prompts(conditions), list[frozenset[str]](), list[Search]()

    def stop() -> None:
        searches[0].interrupt()

    choice = OperatorChoice(
        [(Reader(prompts, arity, remembers, calls, stop), weight) for arity, weight in ((1, 0.8), (2, 0.2))]
    )
    loop = SimulatedTimeLoop()
    try:
        config, evaluator = resolve(parse_config(data, "benchmark"), {}), Landscape(_SLOTS, _EVALUATION_SECONDS)
        with simulated_search(config, evaluator, choice, Observer(), clock=loop.time, genome=_PROGRAM) as search:
            searches.append(search)
            loop.run_until_complete(search.run())
    finally:
        loop.close()
    return (calls.index(BEST) + 1, True) if BEST in calls else (len(calls), False)


def measure(seeds: int, evaluations: int, arms: Sequence[tuple[str, int, int]]) -> str:
    """Return the measurements as Markdown; an arm is what prompts tell, a population and a size of tournaments."""
    rows = [
        "| prompts | population | tournament | calls, mean ± standard error | median | best | worst | found |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for told, pop, size in arms:
        needed = [
            calls_needed(seed, size, remembers=told == "memory", pop=pop, evaluations=evaluations)
            for seed in range(seeds)
        ]
        calls = [count for count, _ in needed]
        found = sum(is_found for _, is_found in needed)
        error = stdev(calls) / seeds**0.5
        mean = f"{fmean(calls):.1f} ± {error:.1f}"
        cells = (told, pop, size, mean, f"{median(calls):g}", min(calls), max(calls), f"{found}/{seeds}")
        rows.append(f"| {' | '.join(map(str, cells))} |")
    settings = f"{seeds} seeds, at most {evaluations} evaluations"
    return "\n".join(rows) + f"\n\n{settings}. A run that did not find it counts with all of its calls.\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--prompts", nargs="+", default=["family", "memory"], choices=["family", "memory"])
    parser.add_argument("--pops", type=int, nargs="+", default=[8], help="sizes of the population")
    parser.add_argument("--evaluations", type=int, default=240)
    parser.add_argument("--tournaments", type=int, nargs="+", default=[2, 4], help="sizes")
    parser.add_argument("--record", action="store_true", help="write the result under experiments/records")
    arguments = parser.parse_args()
    every_arm = list(product(arguments.prompts, arguments.pops, arguments.tournaments))
    report = measure(arguments.seeds, arguments.evaluations, every_arm)
    print(report)
    if arguments.record:
        write_record("remembered-ideas" if "family" in arguments.prompts else "selection-pressure", report)
