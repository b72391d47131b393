"""Which numbers a program reports, and what the user should know of the one that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evo.project.choosing import reported, with_documented_directions
from evo.project.found import FirstRun, Found, Metric, Question
from evo.project.modules import Module
from evo.project.output import values_of
from evo.project.printed import DECIDES, line_pattern
from evo.project.sources import Sources
from evo.project.wording import Kind, Split, identifier
from evo.text import listed

_MOST_PROGRAMS = 20  # that are searched for the metric that the documentation names


def reported_metrics(sources: Sources, reporter: Module, run: FirstRun | None) -> list[Metric]:
    """Return what a program reports: by its source, by its run, and by the documentation.

    Args:
        run: of this program; None if it did not run.
    """
    metrics = reported(sources.metrics(reporter), run, sources.texts)
    metrics += _left(sources, metrics, run)
    if not metrics:
        metrics = [
            Metric(identifier(name), name, f"{sources.texts.program}", "", line_pattern(name), "last", is_sure=False)
            for name in sources.texts.wanted
        ]
    return with_documented_directions(metrics, sources.texts, reporter.text)


def _left(sources: Sources, metrics: Sequence[Metric], run: FirstRun | None) -> list[Metric]:
    """Return what a run left in files, where what it printed decides nothing or the documentation means a file."""
    left = [one for one in (run.left if run else ()) if one.name not in {each.name for each in metrics}]
    if left and any(one.kind is Kind.QUALITY and one.split is not Split.TRAINING for one in metrics):
        best = max(sources.texts.importance(one.label) for one in metrics)
        left = [one for one in left if sources.texts.importance(one.label) > best]
    return left


def judged_elsewhere(sources: Sources, entry: Module, first: Metric | None) -> Question | None:
    """Return what to ask where another program reports the metric that the documentation names, or any at all.

    Args:
        first: what decides of the metrics that the program reports; None if it reports none.
    """
    if first and (sources.texts.importance(first.label) or first.label == DECIDES):
        return None
    for one in sources.scripts[:_MOST_PROGRAMS]:
        named = (each for each in sources.metrics(one) if sources.texts.importance(each.label) > 2)
        is_after = sources.judges(one) or any(start.starts(one) for start in sources.texts.starts)
        is_alone = first is None and is_after and sources.measures(one)
        metric = next(named, sources.best_reported(one) if is_alone else None)
        if one is not entry and sources.runs(one) and metric:
            both = f"sh -c '{_documented(sources, entry)} && {_documented(sources, one)}'"
            says = f"The documentation names {metric.label}, which {one.name} reports and {entry.name} does not."
            says = says if first else f"{entry.name} reports nothing, and {one.name} reports {metric.name}."
            return Question(
                "command",
                f'{says} Start both, or another command that reports it: evo init --command "{both}"',
                ((both, f"reports {metric.label}"),),
            )
    return None


def _documented(sources: Sources, program: Module) -> str:
    """Return the command that starts a program, with the arguments of the documentation."""
    arguments = next((start.arguments for start in sources.texts.starts if start.starts(program)), "")
    return f"python {program.name} {arguments}".strip()


def notes_on_metrics(found: Found, first: Metric, metrics: Sequence[Metric]) -> Iterator[str]:
    """Yield what the user should know of the metric that decides.

    Args:
        found: the project's run and score command.
        first: what decides.
        metrics: all that is reported.
    """
    if first.is_guessed:
        yield f"Lower {first.name} is better: this is a guess. Correct `direction` if it is wrong."
    if first.split is Split.TRAINING or (first.split is Split.UNNAMED and first.trained):
        yield f"{first.name} is measured on the training data, so overfitting wins."
    if first.is_best and first.split is Split.VALIDATION and not found.score:
        yield (
            f"{first.name} is the best of several measurements on the same data, so that more of them better it by "
            "chance alone: judge the result on other data."
        )
    is_tested = first.split is Split.TEST or (first.split is Split.UNNAMED and first.has_test_data)
    if is_tested and not found.score:
        yield f"{first.name} is measured on the test set: after a search it is no estimate of generalization."
    elif tested := [one.name for one in metrics if one.split is Split.TEST and one is not first]:
        yield f"Measured on the test set, and so not selected on: {listed(tested)}."
    yield from _notes_on_run(found.run, first)


def _notes_on_run(run: FirstRun | None, first: Metric) -> Iterator[str]:
    if run is not None and run.problem:
        yield f"The first run failed: {run.problem.rstrip('.')}. What follows is from the source alone."
        if any("'get_ipython' is not defined" in line for line in run.lines[-1:]):
            yield "It was made from a notebook: delete the lines with get_ipython(), which only notebooks have."
    elif run is not None and not run.is_complete:
        is_seen = first.pattern is None or bool(values_of(first, run.lines))
        seen = "printed" if is_seen else "had not printed"
        yield f"The first run was stopped after {run.seconds:.0f} s; until then it {seen} {first.name}."
