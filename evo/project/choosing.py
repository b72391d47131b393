"""Which metric decides: the user's flag, then the documentation, then what the names of the metrics mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from evo.project.found import FirstRun, FixedTime, Metric, Question, Unclear
from evo.project.instructions import Instructions, mention_of
from evo.project.output import WHERE, metrics_in, values_of
from evo.project.printed import DECIDES
from evo.project.wording import (
    Kind,
    Split,
    are_opponents,
    direction_near,
    direction_of_sign,
    identifier,
    is_of_all,
    is_of_data,
    is_open,
    is_part_of_another,
    is_reward,
    split_of,
    words,
)
from evo.text import listed
from trainer.errors import ConfigError
from trainer.objectives import Direction

_MOST_OTHERS = 3
_AIM = 2
"""How clearly the documentation names an aim, as `Instructions.importance` counts it."""
_WISH = re.compile(r"(?P<name>[^=]+?)(?:=(?P<pattern>.+?))?(?::(?P<direction>max|min|maximize|minimize))?", re.DOTALL)
_FOLD = re.compile(r"\b(?:fold|split|repeat|repetition|trial|run|seed)s?\b", re.IGNORECASE)
"""What begins the line of one of several measurements."""
_ONE_FOLD = re.compile(_FOLD.pattern.removesuffix(r"\b") + r"[\s_#-]*\d", re.IGNORECASE)
"""What names a metric of one of them alone: `fold 1 MAE`."""
_NUMBER_LINE = r"^\s*{name}[\"']?\s*[:=\s]\s*(\S+)"


@dataclass(frozen=True, slots=True)
class Wish:
    """The metric that the user named: `NAME[=PATTERN][:max|min]`.

    Attributes:
        pattern: reads it from a printed line; None to find it.
        direction: which is better; None to find it.
    """

    name: str
    pattern: str | None = None
    direction: Direction | None = None

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Return a wish as written on the command line.

        Raises:
            ConfigError: it has no name, or the pattern is no regular expression with one group.
        """
        match = _WISH.fullmatch(text.strip())
        if match is None:
            raise ConfigError(f"--metric must look like NAME, NAME:max or NAME=PATTERN:min, but it was {text!r}.")
        pattern, direction = match["pattern"], match["direction"]
        if pattern is not None:
            _refuse_pattern(pattern)
        return cls(match["name"].strip(), pattern, _direction(direction) if direction else None)


def _direction(text: str) -> Direction:
    return Direction.MAXIMIZE if text.startswith("max") else Direction.MINIMIZE


def _refuse_pattern(pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ConfigError(
            f"The pattern of --metric must be a regular expression, but {pattern!r} is none: {error}."
        ) from None
    if groups != 1:
        raise ConfigError(
            f"The pattern of --metric must have one group, around the number, but {pattern!r} has {groups}."
        )


def reported(metrics: Sequence[Metric], run: FirstRun | None, texts: Instructions) -> list[Metric]:
    """Return metrics as a first run confirms them: what it printed, and of the others what it may print later.

    Args:
        metrics: found in the source.
        run: what was printed; None if nothing was run.
    """
    if run is None or not (run.lines or run.left):
        return list(metrics)
    printed = metrics_in(run.lines, lambda label: texts.importance(label) >= _AIM)
    with_unit = {one.name: one for one in printed if one.unit}
    found: list[Metric] = []
    for one in metrics:
        values = values_of(one, run.lines)
        if values:
            take = "last" if len(set(values)) > 1 else one.take
            told = one.told or direction_of_sign(one.label, values[-1])
            # The unit may be the program's choice, which only what it printed shows.
            shown = with_unit.get(one.name, one)
            confirmed = replace(one, take=take, is_sure=True, is_logged=False, told=told)
            found.append(replace(confirmed, pattern=shown.pattern, unit=shown.unit))
        elif one.pattern is None or not run.is_complete:
            found.append(one)
    names = {one.name for one in found}
    read = [(f" {one.label}", values_of(one, run.lines)) for one in found if one.pattern]
    return [
        *found,
        # A word that the program chose may stand before a label: `best: ridge  rmse 0.5`.
        *(
            one
            for one in printed
            if one.name not in names
            and not any(one.label.endswith(end) and values == values_of(one, run.lines) for end, values in read)
        ),
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """Chooses among the metrics that a program reports.

    Attributes:
        metrics: that it reports.
        reporter: name of the program.
        run: its first run; None if there was none.
        is_trusted: whether the program scores what another one left, so that its test data are for selection.
    """

    metrics: Sequence[Metric]
    reporter: str
    texts: Instructions
    run: FirstRun | None
    is_trusted: bool = False

    def first(self, wish: Wish | None) -> Metric:
        """Return the metric that decides; raise Unclear if that is the user's to say."""
        if wish is not None:
            return self._wished(wish)
        if not self.metrics:
            raise Unclear(_no_metric(self.reporter, self.run))
        best, *others = sorted(self.metrics, key=self._rank)
        is_documented = self.texts.importance(best.label) > 0
        if not is_documented:
            if together := self._of_all_folds(best):
                return together
            if self._needs_test_data(best):
                self._ask_about_test_data()
            unnamed = self._unnamed_beside(best)
            if unnamed or (best.kind is Kind.RESOURCE and is_of_data(best.label)):
                self._ask([*unnamed, best], f"What decides is not clear: {self.reporter} reports")
        highest = self._rank(best)
        equal = [*takewhile(lambda one: self._rank(one) == highest, others)]
        is_guess = any(one.is_guessed for one in (best, *equal))
        rivals = equal if is_guess else [one for one in equal if one.scope != best.scope]
        if rivals:
            self._ask([best, *equal], f"The metric to optimize is ambiguous: {self.reporter} reports")
        if not is_documented and (opposed := self._opposed_to(best)):
            self._ask(
                [best, *opposed],
                f"{self.reporter} reports numbers of which none tells alone how good the result is. Print one that "
                "does, or choose knowingly among",
            )
        if best.is_guessed:
            self._ask([best], f"Which direction is better is not clear from the name of what {self.reporter} reports,")
        return best

    def _of_all_folds(self, best: Metric) -> Metric | None:
        """Return what is reported once for all folds, where a metric is reported fold by fold: `CV: 0.81`."""
        if best.pattern is None or not _FOLD.search(best.pattern):
            return None
        together = [one for one in self.metrics if one.take == "only" and one.is_guessed and is_of_all(one.label)]
        return replace(together[-1], told=best.direction) if together else None

    def others(self, first: Metric, fixed: FixedTime | None) -> tuple[Metric, ...]:
        """Return what is recorded beside the metric that decides, and is not selected on."""
        found = [
            one
            for one in self.metrics
            if one is not first
            and one.name != first.name
            and one.is_sure
            and (one.kind is not Kind.QUALITY or one.split is Split.VALIDATION or one.split is first.split)
            and one.split is not Split.TRAINING
            and one.kind is not Kind.UNKNOWN
            and not (fixed and one.kind is Kind.RESOURCE and one.name.endswith(("seconds", "time", "elapsed")))
        ]
        return tuple(found[:_MOST_OTHERS])

    def _wished(self, wish: Wish) -> Metric:
        label = wish.name
        if wish.pattern is not None:
            return Metric(identifier(label), label, "--metric", "", wish.pattern, "last", told=wish.direction)
        found = self._named(label)
        if found is not None:
            return replace(found, told=wish.direction or found.told)
        if self.run is not None and self.run.is_complete:
            self._ask(self.metrics, f"{self.reporter} printed no {label} when it ran; it reports")
        pattern = _NUMBER_LINE.format(name=re.escape(label))
        return Metric(
            identifier(label), label, "--metric; not found in the source", "", pattern, "last", told=wish.direction
        )

    def _named(self, name: str) -> Metric | None:
        """Return the metric of a name, as it is written or nearly so."""
        wanted = words(name)
        for matches in (
            [one for one in self.metrics if name in (one.name, one.label)],
            [one for one in self.metrics if wanted in (words(one.name), words(one.label))],
            [one for one in self.metrics if set(wanted) <= set(words(one.name))],
        ):
            if matches:
                return min(matches, key=lambda one: (one.split, len(words(one.name))))
        return None

    def _rank(self, metric: Metric) -> tuple[int, ...]:
        """Sort metrics: those that the documentation names, then quality before speed, and validation data first."""
        named = set(words(metric.label))
        importance = self.texts.importance(metric.label)
        longer = [one.label for one in self.metrics if named < set(words(one.label))]
        is_part = importance and any(
            self.texts.importance(one) >= importance
            or (one in self.texts.wanted and split_of(one) in (Split.VALIDATION, Split.UNNAMED))
            for one in longer
        )
        return (
            metric.label != DECIDES,
            -importance if not is_part or metric.label in self.texts.wanted else 0,
            metric.kind,
            "loss" in words(metric.label) and any(is_reward(one.label) for one in self.metrics),
            bool(_ONE_FOLD.search(metric.label) or _FOLD.search(metric.pattern or "")),
            metric.split,
            metric.trained is not None and metric.trained.is_part,
            _row_rank(metric),
            is_part_of_another(metric.label, (one.label for one in self.metrics)),
            not metric.is_sure,
            metric.take != "only",
        )

    def _unnamed_beside(self, best: Metric) -> list[Metric]:
        """Return what may be meant where only a time, memory or loss of the training has a known name.

        As `sum_of_radii` beside `seconds`, or `drift` at the end, behind the `loss` of every step.
        """
        unnamed = [one for one in self.metrics if one.is_guessed and one.is_sure]
        if _is_of_training(best) and self.run is not None:
            lines = self.run.lines
            return [one for one in unnamed if len(values_of(one, lines)) == 1 < len(values_of(best, lines))]
        return unnamed if best.kind is Kind.RESOURCE else []

    def _opposed_to(self, best: Metric) -> list[Metric]:
        """Return what grows worse while a metric is made better: of its opponent, or another part of a trained sum."""
        if best.split is not Split.UNNAMED or best.kind is not Kind.QUALITY:
            return []
        others = (one for one in self.metrics if one.split is best.split and one.kind is best.kind)
        return [one for one in others if are_opponents(one.label, best.label) or _are_both_trained(one, best)]

    def _needs_test_data(self, best: Metric) -> bool:
        """Return whether only test data, or else a loss of training batches, could decide."""
        has_test = any(one.split is Split.TEST and one.kind is Kind.QUALITY for one in self.metrics)
        is_quality = best.kind is Kind.QUALITY and not self.is_trusted
        return has_test and is_quality and (best.split is Split.TEST or _is_of_training(best))

    def _ask_about_test_data(self) -> None:
        tested = [one for one in self.metrics if one.split is Split.TEST and one.kind is Kind.QUALITY]
        self._ask(
            tested,
            f"{self.reporter} prints no validation metric, and selecting on the test set would leave nothing to check "
            "the result on. Print one on data held out from training, or choose knowingly among",
        )

    def _ask(self, metrics: Sequence[Metric], text: str) -> None:
        options = tuple((one.name, f"{one.direction.value}, {one.where}") for one in metrics)
        named = (listed([one.name for one in metrics]) or "nothing") + _failure(self.run)
        example = metrics[0].name if metrics else "NAME"
        example += f":max, or {example}:min" if metrics and metrics[0].is_guessed else ""
        raise Unclear(Question("objectives", f"{text} {named}. Answer: evo init --metric {example}", options), metrics)


def _are_both_trained(one: Metric, other: Metric) -> bool:
    """Return whether two metrics show different losses that are trained, or different parts of one."""
    if one.trained is None or other.trained is None:
        return False
    return one.trained.name != other.trained.name and one.trained.is_part is other.trained.is_part


def _is_of_training(metric: Metric) -> bool:
    """Return whether a metric is, or seems to be, the loss of training batches: one of no named data, in many lines."""
    is_loss = metric.take == "last" and "loss" in words(metric.label)
    return metric.split is Split.UNNAMED and (metric.trained is not None or is_loss)


def _row_rank(metric: Metric) -> int:
    """Sort what stands alone before the rows of a table, and of these first what they gave together."""
    _, is_row, name = metric.scope.partition(f"{WHERE}: ")
    return 0 if not is_row else 1 if is_of_all(name) else 2


def with_documented_directions(metrics: Sequence[Metric], texts: Instructions, source: str) -> list[Metric]:
    """Return metrics whose names leave the direction open with that of the documentation, or else of the source."""
    lines = source.split("\n")
    return [
        replace(one, told=texts.direction(one.label) or direction_near(mention_of(one.label), lines))
        if one.told is None and is_open(one.label)
        else one
        for one in metrics
    ]


def _failure(run: FirstRun | None) -> str:
    """Return why a first run failed, in brackets behind a question; empty if it did not."""
    return f" (its first run failed: {run.problem})" if run and run.problem else ""


def _no_metric(reporter: str, run: FirstRun | None) -> Question:
    what = (
        "prints no metric that could be found"
        if run is None or not run.is_complete
        else "printed no number that its label makes a metric"
    )
    return Question(
        "objectives",
        f"{reporter} {what}{_failure(run)}. Print a line such as `val_loss: 0.5` at the end, "
        "print(f\"val_loss: {value}\"), or say how to read one: evo init --metric 'NAME=PATTERN:min'",
    )
