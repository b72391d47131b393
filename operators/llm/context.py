"""Renders what the search knows into prompts; every word of them stands in `prompts/`."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from operators.llm.changes import changes
from operators.llm.curves import eighths, in_line
from operators.llm.lessons import MOST_LESSONS, shown_lessons
from operators.llm.memory import Wording
from operators.llm.numbers import format_value
from operators.llm.quoting import quoted
from operators.llm.text import clean_text, fenced, tail, without_comments
from operators.prompt_styles import Direction, Needs, Style, read_directions
from operators.proposal import (
    Crash,
    Fate,
    Idea,
    LessonsRequest,
    Parent,
    Provenance,
    Relative,
    Request,
    SmokeFailed,
    Usage,
)
from trainer.evaluation import Budget
from trainer.genome import parts_of, unmarked
from trainer.languages import PYTHON, language_of
from trainer.objectives import Objective

if TYPE_CHECKING:
    import jinja2

MEMORY_TOKENS = 4_000
RECENT_TOKENS = 1_500
LESSONS_MEMORY_TOKENS = 8_000
BRIEFING_TOKENS = 20_000
"""Of the table of ideas in a file, which an agent may search."""
MOST_FAMILY = 12
MOST_LOGS = 3
LOG_CHARACTERS = 1_500
PRINTED_CHARACTERS = 1_000
MOST_INSPIRATIONS = 2
INSPIRATION_CHARACTERS = 3_000
IDEA_CHARACTERS = 300
CAUSE_CHARACTERS = 600
_SHOWN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the data and the machine; None and nothing where it is not.

    Attributes:
        train_tokens: size of the training data.
        bytes_per_token: of the training text, on average.
        memory_mib: what the process tree of an evaluation may keep in memory.
        disk_mib: what it may keep on disk, saved weights included.
        packages: what can be imported, with versions.
        packages_are_all: whether nothing else can.
    """

    train_tokens: int | None = None
    bytes_per_token: float | None = None
    memory_mib: float | None = None
    disk_mib: float | None = None
    packages: tuple[str, ...] = ()
    packages_are_all: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all individuals of a run are evaluated under.

    Attributes:
        objectives: what is measured, the decisive ones first.
        device: what training and scoring run on, in words a person would use.
        sequence_length: length of the scored blocks, tokens.
        facts: of data and machine.
        deciding: how many of the objectives selection looks at; several of them by dominance.
    """

    objectives: tuple[Objective, ...]
    budget: Budget
    device: str
    vocab_size: int
    sequence_length: int
    facts: Facts = Facts()
    deciding: int = 1


@dataclass(frozen=True, slots=True)
class ScriptConditions:
    """What all individuals of a run over a script task are evaluated under.

    Attributes:
        objectives: what is measured, the decisive ones first.
        device: in words a person would use.
        files: names of the files that evolve.
        protected: names of the code in them that no variant may change.
        command: what is run, as a shell would take it.
        score: what is run afterwards and alone reports the objectives; empty if the command reports them itself.
        fixed_seconds: the time that the command gives itself, if it does.
        time_limit: how long the command may run, in words; a longer run fails.
        constraints: bounds on what is measured.
        frozen: names and texts of files that every program is given and none may change; no text where there is no
            room for it.
        facts: of data and machine.
        smoke: what every variant is tried with before its evaluation; empty for nothing.
        deciding: how many of the objectives selection looks at; several of them by dominance.
    """

    objectives: tuple[Objective, ...]
    device: str
    files: tuple[str, ...]
    protected: tuple[str, ...]
    command: str
    score: str
    fixed_seconds: float | None
    time_limit: str
    constraints: tuple[str, ...]
    frozen: tuple[tuple[str, str], ...]
    facts: Facts = Facts()
    smoke: str = ""
    deciding: int = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message of a conversation.

    Attributes:
        shared: parts that other conversations begin with too, the most common one first.
        task: the rest, of this conversation alone.
    """

    shared: tuple[str, ...]
    task: str

    @property
    def text(self) -> str:
        """All parts."""
        return "\n".join([*self.shared, self.task])


class Prompts:
    """The prompts of one run.

    What a prompt says is ordered by how many prompts share it: `system`, `instructions`, then the `Opening`.

    Args:
        conditions: what every individual is evaluated under.
    """

    def __init__(self, conditions: Conditions | ScriptConditions) -> None:
        self.conditions = conditions

    @functools.cached_property
    def _environment(self) -> jinja2.Environment:
        import jinja2

        return jinja2.Environment(
            loader=jinja2.FunctionLoader(_read),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 - plain text for a model, not HTML for a browser
        )

    def system(self) -> str:
        """Return the part that is the same for all calls of a run, byte for byte, so that the provider can cache it."""
        return self._rules(answer="answer.md")

    def _rules(self, **values: object) -> str:
        if isinstance(self.conditions, Conditions):
            return self._render("system.md", conditions=self.conditions, languages=[PYTHON.title], **values)
        frozen = self.conditions.frozen
        shown = [(name, fenced(clean_text(text), language_of(name).name)) for name, text in frozen if text]
        hidden = [clean_text(name) for name, text in frozen if not text]
        languages = [language.title for language in dict.fromkeys(map(language_of, self.conditions.files))]
        return self._render(
            "script_system.md", conditions=self.conditions, frozen=shown, hidden=hidden, languages=languages, **values
        )

    def instructions(self, request: Request) -> str:
        """Return what the user asks for; empty for nothing."""
        program = without_comments(clean_text(request.instructions))
        told = [clean_text(hint).strip() for hint in request.hints]
        if told:
            program = self._render("hints.md", program=program, hints=told).strip()
        return self._render("instructions.md", program=program) if program else ""

    def mutate(self, request: Request, style: Style) -> Opening:
        """Return the request for a changed version of one parent, in some style."""
        is_training = isinstance(self.conditions, Conditions)
        directions = style.training_directions if is_training else style.program_directions
        direction = self._direction(directions, request)
        return self._opening(request, "mutate.md", manner=style.manner, direction=direction)

    def crossover(self, request: Request) -> Opening:
        """Return the request for a program that joins two parents, written as edits of the first."""
        direction = self._direction(read_directions(_read("crossover_directions.md")), request)
        return self._opening(
            request, "crossover.md", direction=direction, second=self._second(request.parents[1], request)
        )

    def lessons(self, request: LessonsRequest) -> tuple[str, str]:
        """Return the system prompt and the question about what the run has taught."""
        table = Wording(self._objective, request.noise).table(
            [*request.memory.settled, *request.memory.recent], LESSONS_MEMORY_TOKENS
        )
        known, noise = shown_lessons(request.lessons), self._noise(request.noise)
        question = self._render("lessons.md", lines=table, lessons=known, most=MOST_LESSONS, noise=noise)
        rules = {"conditions": self.conditions, "objective": self._objective, "most": MOST_LESSONS}
        return self._render("lessons_system.md", **rules), question

    def briefing(self, request: Request) -> dict[str, str]:
        """Return what a coding agent is told in files, by their names: the rules, the memory of the run, the parent."""
        wording = Wording(self._objective, request.known.context.noise)
        ideas = wording.table([*request.known.memory.settled, *request.known.memory.recent], BRIEFING_TOKENS)
        rules, lessons = self._rules(answer="agent_answer.md"), shown_lessons(request.lessons)
        return {
            "RULES.md": "\n".join(filter(None, (rules, self.instructions(request)))),
            "IDEAS.md": self._render("memory.md", lines=ideas or ["- nothing yet"]),
            "PARENT.md": self._render(
                "situation.md",
                lessons=lessons,
                family=[],
                recent=[],
                is_early=False,
                printed="",  # it stands in a file of its own
                **self._situation(request, wording),
            ),
        }

    def agent_task(self, request: Request, files: Sequence[str], problem: Exception | Crash | None = None) -> str:
        """Return what a coding agent is asked for.

        Args:
            files: the names of the files that it edits.
            problem: what is wrong with its last attempt, whose files it finds; None for the first one.
        """
        return self._render(
            "agent_task.md", number=request.number, files=files, bold=request.is_bold, **_complaint(problem)
        )

    def repair(self, problem: Exception | Crash) -> str:
        """Return the answer to a reply that could not be used, or whose program crashed."""
        return self._render("repair.md", **_complaint(problem))

    def _render(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(values).strip() + "\n"

    def _direction(self, directions: Iterable[Direction], request: Request) -> str:
        """Draw one of the directions that can be followed."""
        around = request.known.context
        known = {
            Needs.CURVE: bool(request.parents[0].curve),
            Needs.RELATIVES: bool(around.relatives),
            Needs.FAILURES: any(not relative.objectives for relative in around.relatives),
        }
        return request.random.choice([one.text for one in directions if one.needs is None or known[one.needs]])

    def _opening(self, request: Request, template: str, **values: object) -> Opening:
        memory, parent = request.known.memory, request.parents[0]
        wording = Wording(self._objective, request.known.context.noise)
        settled = wording.table(memory.settled, MEMORY_TOKENS)
        shared = [self._render("memory.md", lines=settled)] if settled else []
        shared.append(self._render("parent.md", parent=self._program_of(parent)))
        lines: dict[str, Any] = {"lessons": shown_lessons(request.lessons)}
        lines |= {"recent": wording.table(memory.recent, RECENT_TOKENS), "family": _family(request, settled, wording)}
        about = self._situation(request, wording) | {"is_early": not settled}
        # What a score command prints may tell of data that no program is to know.
        has_score = isinstance(self.conditions, ScriptConditions) and self.conditions.score
        printed = "" if has_score else tail(parent.log_tail, PRINTED_CHARACTERS)
        about["printed"] = fenced(printed, "text") if printed else ""
        return Opening(tuple(shared), self._render(template, **values, **lines, **about))

    @property
    def _objective(self) -> Objective:
        return self.conditions.objectives[0]

    def _situation(self, request: Request, wording: Wording) -> dict[str, Any]:
        around, first = request.known.context, request.parents[0]
        return {
            "number": request.number,
            "bold": request.is_bold,
            "parent": self._measured(first, request, wording),
            "best": self._best(around.best, first, around.noise) if around.best else "",
            "objective": self._objective.name,
            "deciding": self.conditions.deciding,
            "generation_zero": self._values(around.generation_zero, around.noise),
            "noise": self._noise(around.noise),
            "logs": _logs(around.relatives),
            "inspirations": [
                self._inspiration(other, request, wording) for other in around.inspirations[:MOST_INSPIRATIONS]
            ],
        }

    def _best(self, best: Relative, parent: Parent, noise: Mapping[str, float]) -> str:
        return (
            f"#{best.id}, this one" if best.id == parent.id else f"#{best.id}, {self._values(best.objectives, noise)}"
        )

    def _program_of(self, parent: Parent) -> dict[str, Any]:
        return {
            "id": parent.id,
            "idea": quoted(parent.idea, IDEA_CHARACTERS),
            "source": fenced(clean_text(unmarked(parent.source)), _fence(parent.source)),
        }

    def _measured(self, parent: Parent, request: Request, wording: Wording) -> dict[str, Any]:
        """Return what is known of a parent beside its program."""
        found = request.known.context.provenance.get(parent.id, Provenance())
        return {
            "id": parent.id,
            "measured": self._values(parent.objectives, request.known.context.noise, parent.replicates),
            "replicates": parent.replicates,
            "effect": wording.effect(found.effect) if found.effect else "",
            "also": self._also(parent.objectives),
            "usage": self._usage(found.usage, parent) if found.usage else "",
            **self._curves(parent, found),
        }

    def _usage(self, usage: Usage, parent: Parent) -> str:
        """Return where the time of an evaluation went, in words."""
        work = "training" if isinstance(self.conditions, Conditions) else "the command"
        shares = ", ".join(f"{part} {share:.0%}" for part, share in usage.train_parts.items())
        where = f" (its Python code was at: {shares}, such as data and waiting for the device)" if shares else ""
        setup = [f"set-up {usage.setup_seconds:.1f} s"] if usage.setup_seconds >= _SHOWN_SECONDS else []
        parts = [*setup, f"{work} {usage.train_seconds:.1f} s{where}"]
        if parent.curve and (end := parent.curve[-1])[0] > 0:
            parts.append(f"{end[1] / end[0]:.3g} steps/s")
        if usage.tokens_per_second is not None:
            parts.append(f"{usage.tokens_per_second:,.0f} training tokens/s")
        scoring = [f"scoring {usage.score_seconds:.1f} s"] if usage.score_seconds >= _SHOWN_SECONDS else []
        return ", ".join([*parts, *scoring])

    def _curves(self, parent: Parent, found: Provenance) -> dict[str, Any]:
        per_token = self.conditions.facts.bytes_per_token
        return {
            "curve": in_line(eighths(parent.curve, per_token)),
            "curve_unit": "as the program logged it" if per_token is None else "bits per byte of training text",
            "origin": found.origin,
            "origin_curve": in_line(eighths(found.origin_curve, per_token)),
        }

    def _second(self, second: Parent, request: Request) -> dict[str, Any]:
        """Return the second parent of a crossover: as changes since the common ancestor, where these are shorter."""
        wording, ancestor = Wording(self._objective, request.known.context.noise), request.known.context.common_ancestor
        program = self._program_of(second)
        whole = program["source"]
        difference = changes(unmarked(ancestor), unmarked(second.source), len(whole)) if ancestor is not None else whole
        is_shorter = difference.startswith("```") and len(difference) < len(whole)
        return self._measured(second, request, wording) | program | {"changes": difference if is_shorter else ""}

    def _values(self, values: Mapping[str, float], noise: Mapping[str, float], replicates: int = 0) -> str:
        """Return measured means, with the standard error of each where `replicates` says what they rest on."""
        shown = []
        for objective in self.conditions.objectives:
            if objective.name not in values:
                continue
            sigma = noise.get(objective.name, 0.0)
            text = f"{objective.name} {format_value(values[objective.name], sigma)}"
            if replicates and sigma > 0:
                text += f" ± {format_value(sigma / math.sqrt(replicates), sigma)}"
            shown.append(text)
        return ", ".join(shown)

    def _also(self, values: Mapping[str, float]) -> str:
        """Return what was measured beside the objectives."""
        named = {objective.name for objective in self.conditions.objectives}
        others = ((name, value) for name, value in values.items() if name not in named)
        return ", ".join(f"{name} {value:{',.0f' if abs(value) >= 1000 else '.4g'}}" for name, value in others)

    def _noise(self, noise: Mapping[str, float]) -> str:
        return ", ".join(
            f"{objective.name} {format_value(noise[objective.name], noise[objective.name])}"
            for objective in self.conditions.objectives
            if noise.get(objective.name, 0.0) > 0
        )

    def _inspiration(self, other: Parent, request: Request, wording: Wording) -> dict[str, Any]:
        """Return an individual from elsewhere, with what it changed against its own parent."""
        found = request.known.context.provenance.get(other.id, Provenance())
        return {
            "id": other.id,
            "origin": found.origin,
            "idea": quoted(other.idea, IDEA_CHARACTERS),
            "measured": self._values(other.objectives, request.known.context.noise, other.replicates),
            "effect": wording.effect(found.effect) if found.effect else "",
            "changes": ""
            if found.origin is None
            else changes(unmarked(found.origin_source), unmarked(other.source), INSPIRATION_CHARACTERS),
        }


def _complaint(problem: Exception | Crash | None) -> dict[str, Any]:
    """Return what is wrong with an attempt, and the end of what its program printed; both empty where nothing is."""
    match problem:
        case SmokeFailed():
            what = "The program was tried for a moment before its evaluation, and ended"
        case Crash():
            what = f"The program became individual #{problem.individual}. Its evaluation ended"
        case _:
            return {"problem": clean_text(str(problem or "")), "output": "", "crashed": False}
    cause = quoted(problem.cause, CAUSE_CHARACTERS) or "no reason is known"
    printed = tail(problem.output, LOG_CHARACTERS)
    return {
        "problem": f"{what} {problem.status}: {cause}.",
        "output": fenced(printed, "text") if printed else "",
        "crashed": isinstance(problem, Crash),
    }


def _fence(source: str) -> str:
    """Return what the fence around a genome says: its language, where it is one."""
    languages = {part.language.name for part in parts_of(source)}
    return languages.pop() if len(languages) == 1 else "text"


def _read(name: str) -> str:
    return (files("operators.llm") / "prompts" / name).read_text(encoding="utf-8")


def _family(request: Request, listed: Iterable[str], wording: Wording) -> list[str]:
    """Return the children and siblings of the parents that the memory's table leaves out, newest first."""
    near = {parent.id for parent in request.parents}
    origins = {request.known.context.provenance.get(parent.id, Provenance()).origin for parent in request.parents}
    near |= {origin for origin in origins if origin is not None}
    shown = set(listed)
    relatives = [idea for idea in request.known.memory.settled if near & {*idea.parents} and _is_known(idea)]
    lines = (wording.line(idea) for idea in sorted(relatives, key=lambda idea: -idea.id))
    return [line for line in lines if line not in shown][:MOST_FAMILY]


def _is_known(idea: Idea) -> bool:
    return idea.fate in (Fate.MEASURED, Fate.FAILED)


def _logs(relatives: Iterable[Relative]) -> list[dict[str, str]]:
    failed = [relative for relative in relatives if not relative.objectives and relative.log_tail.strip()]
    # Of failures that differ in numbers only, the newest shows all.
    kinds = {re.sub(r"\d+", "", relative.log_tail.strip().splitlines()[-1]): relative for relative in failed}
    failed = [relative for relative in failed if relative in kinds.values()]
    return [
        {
            "id": f"#{relative.id}",
            "status": relative.status,
            "tail": fenced(tail(relative.log_tail, LOG_CHARACTERS), "text"),
        }
        for relative in failed[-MOST_LOGS:]
    ]
