"""The contract between the search and its operators: a `Request` goes in, a `Proposal` comes out.

Operators know nothing of the store, of git or of evaluation. What they may look at stands in the request; what they
spend (money, tokens, seconds) is journaled through `Request.journal` before it is used, so that a killed search can
repeat the same proposal without paying twice.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from operators.protection import UNPROTECTED, Protection
from operators.source.constants import Value
from trainer.evaluation import CurvePoint

SMOKE = "smoke"
"""The kind of a refusal after a failed smoke run."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How much better an individual is than the better of its parents, in the first objective.

    Attributes:
        parent: id of that parent.
        value: in the objective's unit; positive is better.
        standard_error: of `value`; None while the noise is unknown.
        is_tie: whether it lies within the noise.
    """

    parent: int
    value: float
    standard_error: float | None
    is_tie: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Where the time of one evaluation went.

    Attributes:
        setup_seconds: wall time of neither training nor scoring: imports, building and compiling the model, saving it.
        train_seconds: on the budget's clock.
        score_seconds: wall time.
        train_parts: the share of the training that its Python code spent on each part of it, by name; empty
            where that is unknown.
        tokens_per_second: of training; None where the program counted no tokens.
    """

    setup_seconds: float
    train_seconds: float
    score_seconds: float
    tokens_per_second: float | None = None
    train_parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an individual comes from, and where the time of its evaluation went.

    Attributes:
        effect: on its own parents; None where that is unknown.
        usage: None before it was measured.
        origin: the id of its own first parent, which its program was made from; None for generation 0.
        origin_source: the program of that parent.
        origin_curve: the training curve of that parent.
    """

    effect: Effect | None = None
    usage: Usage | None = None
    origin: int | None = None
    origin_source: str = ""
    origin_curve: Sequence[CurvePoint] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """An evaluated individual that offspring are made from.

    Attributes:
        objectives: mean over its evaluations, by objective name.
        replicates: how many evaluations those means rest on.
        curve: training curve of one of its evaluations.
        log_tail: the end of what it printed in that one.
    """

    id: int
    source: str
    idea: str
    objectives: Mapping[str, float]
    replicates: int = 1
    curve: Sequence[CurvePoint] = ()
    log_tail: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One evaluation of an individual whose code is the parent's but for its constants.

    Attributes:
        constants: values by name.
        objectives: of this evaluation, by objective name; empty where it failed.
    """

    individual: int
    constants: Mapping[str, Value]
    objectives: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Relative:
    """What became of an earlier offspring of the same family; `objectives` is empty when it failed."""

    id: int
    parents: tuple[int, ...]
    idea: str
    operator: str
    status: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    log_tail: str = ""


class Fate(StrEnum):
    """What became of an idea so far."""

    PROPOSED = "being written"
    WAITING = "not measured yet"
    MEASURED = "measured"
    SCREENED = "tried with a part of the budget"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Idea:
    """What is remembered of one proposal of the run.

    Attributes:
        id: the proposal's number, which is also that of its individual.
        text: the idea in the words of its author; empty while there is none.
        outcome: how it failed or why it was refused; otherwise empty.
        value: mean of the first objective; None unless measured.
        others: means of the other objectives that decide, by name.
        broken: the constraints that its means break.
        effect: on its own parents; None where that is unknown.
        seconds: that workers spent on it.
        cost_usd: of language models; 0 where none was asked or its price is unknown.
        led: whether it was the best so far in the first objective when it was first measured.
        offspring: how many measured individuals have it for a parent.
        crossed_into: those among them with a second parent.
        repaired: the individual that crashed, which it mends; None for all others.
    """

    id: int
    parents: tuple[int, ...]
    operator: str
    text: str
    fate: Fate
    outcome: str = ""
    value: float | None = None
    replicates: int = 0
    others: Mapping[str, float] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    effect: Effect | None = None
    seconds: float = 0.0
    cost_usd: float = 0.0
    led: bool = False
    offspring: int = 0
    crossed_into: tuple[int, ...] = ()
    repaired: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Every idea of a run that was had before a proposal, by id.

    Attributes:
        settled: as of an earlier result, the same for all proposals until the next such result, so that the part of a
            prompt that tells them can be cached.
        recent: what came since, with what is under way.
    """

    settled: Sequence[Idea] = ()
    recent: Sequence[Idea] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the search knows around the parents.

    Attributes:
        noise: standard deviation of one evaluation, by objective name (from replicates of generation 0).
        generation_zero: mean objectives of generation 0.
        best: the best individual's id and objectives so far.
        relatives: evaluated children and siblings of the parents, oldest first.
        inspirations: the best of the population that are neither the parents nor their children or ancestors.
        provenance: of the parents and the inspirations, by id.
        common_ancestor: source of the parents' nearest common ancestor (generation 0 at worst); None with one parent.
    """

    noise: Mapping[str, float] = field(default_factory=dict)
    generation_zero: Mapping[str, float] = field(default_factory=dict)
    best: Relative | None = None
    relatives: Sequence[Relative] = ()
    inspirations: Sequence[Parent] = ()
    provenance: Mapping[int, Provenance] = field(default_factory=dict)
    common_ancestor: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answered call of a language model.

    Attributes:
        request: the JSON body that was sent, without credentials.
        reply: the JSON message that came back.
        cost_usd: None where the model's price is unknown (never zero for "unknown").
        latency_seconds: from sending to the last byte, waits between retries included.
    """

    request: Mapping[str, Any]
    reply: Mapping[str, Any]
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    latency_seconds: float


class Journal(Protocol):
    """Durable memory of one proposal's exchanges; turns count from 0."""

    def request(self, turn: int) -> Mapping[str, Any] | None:
        """Return the request journaled for `turn`, or None."""
        ...

    def exchange(self, turn: int) -> Exchange | None:
        """Return the answered exchange journaled for `turn`, or None."""
        ...

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        """Store a request durably before it is sent."""
        ...

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        """Store a reply durably before it is used."""
        ...

    def record_abandoned(self, turn: int, exchange: Exchange) -> None:
        """Store what a call cost that was cancelled or given up; its reply is empty, and the turn stays unanswered."""
        ...

    def record_stand_in(self, turn: int, model: str, stand_in: str, reason: str) -> None:
        """Store that another model is asked in `turn` instead of `model`, which refused or could not be used."""
        ...


class Gate(Protocol):
    """Decides whether a source may become an individual."""

    def check(self, source: str) -> None:
        """Raise `Refused` if `source` does not parse, breaks the contract, changes protected code, or is known."""
        ...


async def _pass(_: str) -> None:
    """Let any source pass."""


@dataclass(frozen=True)
class Known:
    """What the search knows around a proposal; each part is gathered once, when it is asked for."""

    gather_context: Callable[[], Context] = Context
    recall: Callable[[], Memory] = Memory
    find_variants: Callable[[], Sequence[Variant]] = tuple
    find_repeatable: Callable[[], Set[int]] = frozenset

    @cached_property
    def context(self) -> Context:
        """What is known around the parents."""
        return self.gather_context()

    @cached_property
    def memory(self) -> Memory:
        """Every idea of the run so far."""
        return self.recall()

    @cached_property
    def variants(self) -> Sequence[Variant]:
        """What was measured of the first parent, and of individuals with its code but for constants, oldest first."""
        return self.find_variants()

    @cached_property
    def repeatable(self) -> Set[int]:
        """The individuals that may be evaluated with another seed instead of an offspring (`MeasureAgain`)."""
        return self.find_repeatable()

    def gather(self) -> None:
        """Gather all of it now, before further results are told."""
        _ = self.context, self.memory, self.variants, self.repeatable


@dataclass(frozen=True, slots=True)
class Crash:
    """An offspring that crashed in its evaluation, to be mended by the operator that made it.

    Attributes:
        source: its program.
        status: how its evaluation ended.
        cause: why, as far as is known; holds words of the program.
        output: the end of what it printed, before it could know any held-out text.
        exchange: the call that led to it.
    """

    individual: int
    source: str
    status: str
    cause: str
    output: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Request:
    """Everything an operator gets for one offspring.

    Attributes:
        number: the proposal's number within the run.
        parents: as many as the operator's `arity`.
        random: seeded from (run seed, number); the only source of randomness an operator may use.
        is_bold: whether the search has stalled, and a larger change than usual is wanted.
        protection: what operators leave as it is.
        instructions: of the user to the language model, the text of `program.md`; empty for none.
        hints: what the user has told the language model since the run began, dated, oldest first.
        lessons: of the run so far, one a line, with the individuals that they rest on.
        try_out: raises `SmokeFailed` where a source that passed the gate fails its smoke run, which takes seconds and
            waits for a worker. The search does it with every proposal; an operator that can mend a source may do it
            before, at no further cost.
        crash: what is to be mended, where the offspring is to take the place of one that crashed; `parents` are those
            of that one. Only operators that call a language model are asked for this.
    """

    number: int
    parents: tuple[Parent, ...]
    known: Known
    random: random.Random
    journal: Journal
    gate: Gate
    is_bold: bool = False
    protection: Protection = UNPROTECTED
    instructions: str = ""
    hints: Sequence[str] = ()
    lessons: Sequence[str] = ()
    try_out: Callable[[str], Awaitable[None]] = _pass
    crash: Crash | None = None


@dataclass(frozen=True, slots=True)
class LessonsRequest:
    """What lessons are drawn from.

    Attributes:
        number: of the newest result.
        memory: every idea of the run up to that.
        lessons: those of before, one a line.
        noise: standard deviation of one evaluation, by objective name.
        date: of today, such as 2026-11-29.
    """

    number: int
    memory: Memory
    lessons: Sequence[str]
    noise: Mapping[str, float]
    date: str
    journal: Journal


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offspring that passed the gate. `idea` is one or more lines saying what was changed and why."""

    source: str
    operator: str
    idea: str


class Operator(Protocol):
    """Makes one offspring from one or two parents."""

    name: str
    arity: int

    async def propose(self, request: Request) -> Proposal:
        """Return an offspring that passed `request.gate`.

        Raises:
            NoOffspring: the operator found nothing acceptable; the search goes on with another proposal.
            MeasureAgain: it would rather know more of an individual that is `request.known.repeatable`.
            OperatorUnavailable: the service behind the operator refuses to work; the search must stop.
        """
        ...


@runtime_checkable
class Connected(Protocol):
    """An operator behind which stands a service; the search closes its connections at the end."""

    @property
    def is_away(self) -> bool:
        """Whether the service cannot be used now."""
        ...

    @property
    def most_calls(self) -> float:
        """How many proposals at a time the service can take; infinite where it sets no limit."""
        ...

    async def close(self) -> None:
        """Close them; more than once is fine."""
        ...


@runtime_checkable
class Teacher(Connected, Protocol):
    """An operator that can say what a run has taught."""

    async def distil(self, request: LessonsRequest) -> Sequence[str]:
        """Return the lessons, one a line, in the place of those of before.

        Raises:
            NoOffspring: the reply holds none, or the prompt was refused.
            OperatorUnavailable: no service can be used.
            CostLimitReached: the call could exceed the spending limit.
        """
        ...


class Refused(Exception):  # noqa: N818 - a verdict that operators handle, not an error of the product
    """A source did not pass the gate; the message says why, in words an LLM or a person can act on.

    Attributes:
        kind: `unparsable`, `contract`, `protected`, `duplicate`, `near_duplicate`, `too_large` or `smoke`.
        twin: the individual that is the same program, where that is the reason.
        source: what was refused, where that is known.
    """

    def __init__(self, kind: str, reason: str, twin: int | None = None, source: str | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.twin = twin
        self.source = source


class SmokeFailed(Refused):
    """A source passed the gate, but failed when it was tried for a moment.

    Attributes:
        status: how it ended.
        cause: why, as far as is known; holds words of the program.
        output: the end of what it printed.
    """

    def __init__(self, status: str, cause: str, output: str, source: str | None = None) -> None:
        super().__init__(SMOKE, f"its smoke run ended {status}: {cause}", source=source)
        self.status = status
        self.cause = cause
        self.output = output


class MeasureAgain(Exception):  # noqa: N818 - an expected outcome of a proposal
    """An operator would propose what exists, and is measured, once more: its next evaluation is that one's."""

    def __init__(self, individual: int) -> None:
        super().__init__(f"individual {individual} is evaluated with another seed instead")
        self.individual = individual


class NoOffspring(Exception):  # noqa: N818 - an expected outcome of a proposal
    """An operator gave up on one proposal; the message says why.

    Attributes:
        kind: `no_offspring`, or `smoke` where the last thing that it tried failed its smoke run.
        source: the last program that was refused; None where it came to none.
    """

    def __init__(self, reason: str, cause: Exception | None = None) -> None:
        super().__init__(reason)
        self.kind = SMOKE if isinstance(cause, SmokeFailed) else "no_offspring"
        self.source = cause.source if isinstance(cause, Refused) else None
