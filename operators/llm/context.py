"""Renders what the search knows into prompts; every word of them stands in `prompts/`."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from operators.llm.text import clean_text, fenced, one_line, tail
from operators.prompt_styles import Style, listed
from operators.proposal import Context, Parent, Relative, Request
from trainer.evaluation import Budget, CurvePoint
from trainer.genome import parts_of, unmarked
from trainer.languages import PYTHON, language_of
from trainer.objectives import Direction, Objective

if TYPE_CHECKING:
    import jinja2

CURVE_POINTS = 8
MOST_RELATIVES = 12
MOST_LOGS = 3
LOG_CHARACTERS = 1_500
MOST_INSPIRATIONS = 2
INSPIRATION_CHARACTERS = 8_000
MOST_REMOVED_LINES = 40
LINE_CHARACTERS = 160
REASON_CHARACTERS = 240  # the evidence of a broken rule fits
IDEA_CHARACTERS = 300
TIE_SIGMAS = 2.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all individuals of a run are evaluated under.

    Attributes:
        objectives: what is measured, the decisive one first.
        device: what training and scoring run on, in words a person would use.
        sequence_length: length of the scored blocks, tokens.
    """

    objectives: tuple[Objective, ...]
    budget: Budget
    device: str
    vocab_size: int
    sequence_length: int


@dataclass(frozen=True, slots=True)
class ScriptConditions:
    """What all individuals of a run over a script task are evaluated under.

    Attributes:
        objectives: what is measured, the decisive one first.
        device: in words a person would use.
        files: names of the files that evolve.
        protected: names of the code in them that no variant may change.
        command: what is run, as a shell would take it.
        score: what is run afterwards and alone reports the objectives; empty if the command reports them itself.
        fixed_seconds: the time that the command gives itself, if it does.
        time_limit: how long the command may run, in words; a longer run fails.
        constraints: bounds on what is measured.
        frozen: names and texts of files that every program is given and none may change.
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


class Prompts:
    """The prompts of one run.

    Args:
        conditions: what every individual is evaluated under.
        program: the user's own instructions, the text of `program.md`.
    """

    def __init__(self, conditions: Conditions | ScriptConditions, program: str = "") -> None:
        self.conditions = conditions
        self._program = clean_text(program).strip()

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
        if isinstance(self.conditions, Conditions):
            return self._render(
                "system.md", conditions=self.conditions, program=self._program, languages=[PYTHON.title]
            )
        frozen = [(name, fenced(clean_text(text), language_of(name).name)) for name, text in self.conditions.frozen]
        languages = [language.title for language in dict.fromkeys(map(language_of, self.conditions.files))]
        return self._render(
            "script_system.md", conditions=self.conditions, program=self._program, frozen=frozen, languages=languages
        )

    def mutate(self, request: Request, style: Style) -> str:
        """Return the request for a changed version of one parent, in some style."""
        is_training = isinstance(self.conditions, Conditions)
        direction = request.random.choice(style.training_directions if is_training else style.program_directions)
        return self._render("mutate.md", manner=style.manner, direction=direction, **self._situation(request))

    def crossover(self, request: Request) -> str:
        """Return the request for a program that joins two parents, written as edits of the first."""
        direction = request.random.choice(listed(_read("crossover_directions.md")))
        second = request.parents[1]
        return self._render(
            "crossover.md", direction=direction, second=self._parent(second, request), **self._situation(request)
        )

    def repair(self, problem: str) -> str:
        """Return the answer to a reply that could not be used."""
        return self._render("repair.md", problem=clean_text(problem))

    def _render(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(values).strip() + "\n"

    def _situation(self, request: Request) -> dict[str, Any]:
        around = request.context
        first = request.parents[0]
        relatives = list(around.relatives)[-MOST_RELATIVES:]
        return {
            "bold": request.is_bold,
            "parent": self._parent(first, request),
            "best": self._values(around.best.objectives, around.noise) if around.best else "",
            "generation_zero": self._values(around.generation_zero, around.noise),
            "noise": self._noise(around.noise),
            "relatives": [self._relative(relative, first, around) for relative in relatives],
            "logs": _logs(around.relatives),
            "inspirations": [
                self._inspiration(other, first, request) for other in around.inspirations[:MOST_INSPIRATIONS]
            ],
            "removed_lines": fenced("\n".join(_removed(around.removed_lines)), _fence(first.source))
            if around.removed_lines
            else "",
        }

    def _parent(self, parent: Parent, request: Request) -> dict[str, Any]:
        noise = request.context.noise
        return {
            "id": parent.id,
            "idea": one_line(parent.idea, IDEA_CHARACTERS),
            "source": fenced(clean_text(unmarked(parent.source)), _fence(parent.source)),
            "measured": self._values(parent.objectives, noise, parent.replicates),
            "replicates": parent.replicates,
            "curve": _curve(parent.curve),
        }

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

    def _noise(self, noise: Mapping[str, float]) -> str:
        return ", ".join(
            f"{objective.name} {format_value(noise[objective.name], noise[objective.name])}"
            for objective in self.conditions.objectives
            if noise.get(objective.name, 0.0) > 0
        )

    def _relative(self, relative: Relative, parent: Parent, around: Context) -> dict[str, str]:
        outcome = relative.status + (f": {one_line(relative.reason, REASON_CHARACTERS)}" if relative.reason else "")
        if relative.objectives:
            outcome = self._values(relative.objectives, around.noise) + self._comparison(relative, parent, around)
        return {
            "kind": "child" if parent.id in relative.parents else "sibling",
            "idea": one_line(relative.idea, IDEA_CHARACTERS) or relative.operator,
            "outcome": outcome,
        }

    def _comparison(self, relative: Relative, parent: Parent, around: Context) -> str:
        """Return how a relative's decisive objective compares with the parent's; a tie is called a tie."""
        objective = self.conditions.objectives[0]
        if objective.name not in relative.objectives or objective.name not in parent.objectives:
            return ""
        gain = relative.objectives[objective.name] - parent.objectives[objective.name]
        sigma = around.noise.get(objective.name, 0.0)
        if abs(gain) < TIE_SIGMAS * sigma or gain == 0:
            verdict = "a tie within the noise"
        else:
            verdict = "better" if (gain < 0) == (objective.direction is Direction.MINIMIZE) else "worse"
        return f" ({'+' if gain > 0 else '−'}{format_value(abs(gain), sigma)} against the parent: {verdict})"

    def _inspiration(self, other: Parent, parent: Parent, request: Request) -> dict[str, str]:
        """Return an individual from elsewhere, its program as the difference from the parent's, which is shorter."""
        before, after = (clean_text(unmarked(individual.source)).split("\n") for individual in (parent, other))
        difference = "\n".join(list(difflib.unified_diff(before, after, n=2, lineterm=""))[2:])
        return {
            "idea": one_line(other.idea, IDEA_CHARACTERS),
            "measured": self._values(other.objectives, request.context.noise, other.replicates),
            "difference": fenced(difference[:INSPIRATION_CHARACTERS], "diff"),
        }


def format_value(value: float, sigma: float) -> str:
    """Return `value` with decimals enough for differences well below `sigma`; with six digits where that is unknown."""
    scale = sigma / 10 if sigma > 0 else abs(value) / 1e5
    decimals = min(8, max(0, math.ceil(-math.log10(scale)))) if scale > 0 else 0
    return f"{value:.{decimals}f}"


def _fence(source: str) -> str:
    """Return what the fence around a genome says: its language, where it is one."""
    languages = {part.language.name for part in parts_of(source)}
    return languages.pop() if len(languages) == 1 else "text"


def _read(name: str) -> str:
    return (files("operators.llm") / "prompts" / name).read_text(encoding="utf-8")


def _curve(curve: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return some points spread evenly over the curve, the last among them."""
    points = [CurvePoint(*point) for point in curve]
    if len(points) <= CURVE_POINTS:
        return points
    return [points[round(index * (len(points) - 1) / (CURVE_POINTS - 1))] for index in range(CURVE_POINTS)]


def _logs(relatives: Iterable[Relative]) -> list[dict[str, str]]:
    failed = [relative for relative in relatives if not relative.objectives and relative.log_tail.strip()]
    return [
        {"status": relative.status, "tail": fenced(tail(relative.log_tail, LOG_CHARACTERS), "text")}
        for relative in failed[-MOST_LOGS:]
    ]


def _removed(lines: Sequence[str]) -> list[str]:
    return [clean_text(line).rstrip()[:LINE_CHARACTERS] for line in lines[-MOST_REMOVED_LINES:]]
