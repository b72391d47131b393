import json
import re
from dataclasses import asdict, replace

import pytest
from report_samples import SOURCE, bare_run, changed, confirmed, gains_over_generation_0, sample_run
from shown_pages import Page

from evo.report.data import EvaluationRow, LineStep
from evo.report.diffs import diff_of
from evo.report.family import curve, seats
from evo.report.front import front_chart
from evo.report.outcome import Tone, finding_of
from evo.report.progress import progress_chart
from evo.report.render import render_report
from evo.report.tree import tree_chart
from evo.standings.gains import ConfirmedMember
from evo.standings.individuals import OperatorResults, Standing
from evo.standings.standings import Lead
from evo.store import Spending
from evo.text import duration, hover, money, price, relative, visible
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective, quantity

LOSS = Objective("loss", Direction.MINIMIZE, "")
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\ud800\x00"


def _run_with(*rows, evaluations=(), noise=None, **changes):
    gains = gains_over_generation_0(rows, (noise or {}).get("val_bpb")) if "objectives" not in changes else {}
    fields = {"individuals": tuple(rows), "evaluations": tuple(evaluations), "noise": noise or {}, "gains": gains}
    return bare_run(**fields, **changes)


def _scored(id_, bpb, *, parents=(0,), replicates=1, operator="random_mutation"):
    return Standing(id_, parents if id_ else (), operator, "an idea", Status.OK, {"val_bpb": bpb}, replicates)


def test_the_page_loads_nothing():
    page = Page(render_report(sample_run(30)))
    assert {address for address in page.addresses if not address.startswith("#")} == {"data:,"}
    style = page.data["style"]
    assert "@import" not in style
    assert "url(" not in style


def test_the_page_shows_the_run_from_headline_to_facts():
    report = sample_run(60)
    text = Page(render_report(report)).text
    for expected in (
        f"Individual {report.best}",
        "Confirmed on split G",
        "$14.37",
        "5 h 12 min",
        "bubblewrap",
        "cpu (2 cores)",
        "30 s on the cpu clock",
        "out of memory",
        "llm_crossover",
        "Top ten",
        "Family tree",
        "From generation 0 to the best",
    ):
        assert expected in text


def test_hostile_text_stays_text_everywhere():
    report = sample_run(20)
    hostile = replace(
        report,
        name=HOSTILE,
        task=HOSTILE,
        state=HOSTILE,
        devices=(HOSTILE,),
        sandbox_levels=(HOSTILE,),
        individuals=tuple(replace(row, idea=HOSTILE, operator=HOSTILE) for row in report.individuals),
        evaluations=tuple(replace(row, reason=HOSTILE) for row in report.evaluations),
        best_line=tuple(replace(step, source=f"x = '{HOSTILE}' # {step.individual}\n") for step in report.best_line),
        operators=(OperatorResults(HOSTILE, 3, 3, 0, 0, 0, None),),
    )
    clean, page = render_report(report), render_report(hostile)
    page.encode("utf-8")
    assert len(_scripts(page)) == len(_scripts(clean))
    assert "img" not in Page(page).kinds
    assert "{{ 7 * 7 }}" in Page(page).text
    assert "\\ud800" in page
    figures = [Page(page).figures[key] for key in ("progress", "front", "tree")]
    labels = [text for figure in figures for trace in figure["data"] for text in trace.get("hovertext") or ()]
    names = [trace.get("name") or "" for figure in figures for trace in figure["data"]]
    assert labels
    assert set(re.findall("<[^>]*>", "".join(labels + names))) == {"<b>", "</b>", "<br>"}


def _scripts(page):
    return re.findall("<script", page)


def test_the_policy_admits_exactly_the_page_s_own_scripts():
    page = Page(render_report(bare_run()))
    policy = next(attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv"))
    scripts = [tag for tag, attributes in page.tags if tag == "script" and "type" not in attributes]
    assert policy.startswith("default-src 'none';")
    assert len(set(re.findall("'sha256-[^']+'", policy))) == len(scripts) == 2
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize(
    "report",
    [
        bare_run(),
        bare_run(evaluations=(EvaluationRow(1, 0, 0, Status.CRASHED, "cpu", reason="ImportError"),)),
        bare_run(
            front_objectives=(),
            objectives=(Objective("score", Direction.MAXIMIZE, "points"),),
            self_reported=True,
            claim="score: self-reported. Nothing checks what the command says.",
        ),
        sample_run(0),
        sample_run(1, population=1),
        sample_run(5, gain=None, noise={}, spending=Spending(unpriced_calls=1)),
    ],
    ids=["nothing yet", "only a failure", "one script objective", "generation 0 only", "one offspring", "no noise"],
)
def test_a_run_of_any_size_has_a_report(report):
    page = Page(render_report(report))
    assert {"figure-progress", "figure-tree"} <= set(page.data)
    assert ("figure-front" in page.data) == bool(report.front_objectives and report.ranking)
    assert ("self-reported" in page.text) == report.self_reported


@pytest.mark.parametrize(
    ("gain", "noise", "verdict", "tone"),
    [
        (
            confirmed(1, 1.6, 1.7),
            {},
            "Confirmed on split G, which selection never saw, with 3 seeds.",
            Tone.GOOD,
        ),
        (confirmed(1, 1.69, 1.7), {}, "Not confirmed: on split G", Tone.OPEN),
        (confirmed(1, 1.8, 1.7), {}, "it is not better beyond the noise", Tone.OPEN),
        (None, {}, "the noise was not measured", Tone.OPEN),
        (None, {"val_bpb": 0.001}, "Beyond the noise where selection looked; not confirmed", Tone.OPEN),
        (None, {"val_bpb": 0.2}, "Within the noise: a tie", Tone.OPEN),
    ],
)
def test_the_verdict_never_claims_more_than_was_measured(gain, noise, verdict, tone):
    report = _run_with(_scored(0, 1.7), _scored(1, 1.5), best=1, gain=gain, noise=noise)
    outcome = finding_of(report)
    assert verdict in outcome.verdict
    assert outcome.tone is tone


def test_the_headline_names_the_best_its_gain_and_its_noise():
    report = _run_with(_scored(0, 1.7, replicates=4), _scored(1, 1.5, replicates=4), best=1, noise={"val_bpb": 0.02})
    assert finding_of(report).headline == (
        "Individual 1: val_bpb 1.5000, 0.2000 ± 0.0141 (11.8%) better than generation 0"
    )
    slow = replace(report.by_id[1], broken=("seconds < 9", "peak_memory_mib < 5"))
    infeasible = finding_of(changed(report, individuals=(report.by_id[0], slow), gain=confirmed(1, 1.5, 1.7)))
    assert infeasible.verdict.startswith("Infeasible: it breaks seconds < 9 and peak_memory_mib < 5. Confirmed on")
    assert infeasible.tone is Tone.OPEN
    worse = changed(report, gain=confirmed(1, 1.8, 1.7, seeds=1))
    assert finding_of(worse).headline == (
        "Individual 1: val_bpb 1.8000 on split G, 0.1000 ± 0.0100 (5.9%) worse than generation 0"
    )
    assert "Where selection looked, it is 0.2000 ± 0.0141 (11.8%) better." in finding_of(worse).verdict
    assert "where it did not look" in finding_of(changed(report, best=0)).verdict
    assert finding_of(changed(report, best=0)).headline == "Generation 0 is still the best: val_bpb 1.7000"
    alone = sample_run(0)
    assert finding_of(alone).verdict == "Nothing but generation 0 has been evaluated."
    assert finding_of(bare_run()).headline == "Nothing was scored"


def test_the_chart_draws_the_best_so_far_to_its_end():
    report = sample_run(20, leads=(Lead(1, 0, 2.0), Lead(2, 1, 1.0), Lead(4, 1, 2.0)))
    (line,) = [trace for trace in progress_chart(report).figure.data if trace.name == "best mean so far"]
    last = len(report.evaluations)
    assert list(zip(line.x, line.y, strict=True)) == [(1, 2.0), (2, 1.0), (4, 2.0), (last, 2.0)]


def test_a_report_is_plain_data():
    assert json.loads(json.dumps(asdict(sample_run(20))))["summary"]["best"]["id"] == sample_run(20).best


def test_every_evaluation_is_on_the_progress_chart_once():
    report = sample_run(300, seed=3)
    chart = progress_chart(report)
    drawn = sorted(x for trace in chart.figure.data if trace.mode == "markers" for x in trace.x)
    assert drawn == [row.number for row in report.evaluations]
    crosses = next(trace for trace in chart.figure.data if trace.name == "failed")
    assert len(crosses.x) == sum(row.status is not Status.OK for row in report.evaluations)
    assert chart.note.startswith("Triangles along the edge")


@pytest.mark.parametrize("direction", list(Direction))
def test_outliers_on_the_worse_side_do_not_flatten_the_chart(direction):
    sign = 1.0 if direction is Direction.MINIMIZE else -1.0
    objective = Objective("score", direction, "points")
    values = [5.0, 5.0 - sign * 0.2, 5.0 - sign * 0.1, 5.0 + sign * 4000]
    rows = [Standing(i, (0,) if i else (), "op", "", Status.OK, {"score": v}, 1) for i, v in enumerate(values)]
    result_number = [EvaluationRow(i + 1, i, 0, Status.OK, "cpu", {"score": v}) for i, v in enumerate(values)]
    report = _run_with(*rows, evaluations=result_number, objectives=(objective,), front_objectives=())
    low, high = progress_chart(report).figure.layout.yaxis.range
    assert low < min(values[:3]) <= max(values[:3]) < high
    assert high - low < 1


def test_the_front_chart_splits_everyone_into_front_and_dominated():
    report = sample_run(120)
    traces = {trace.name: trace for trace in front_chart(report).figure.data}
    scored = sum(bool(row.objectives) for row in report.individuals)
    assert len(traces["front"].x) == len(report.front)
    assert len(traces["front"].x) + len(traces["dominated"].x) == scored
    assert list(traces["boundary"].x) == sorted(traces["front"].x)
    assert len(traces["generation 0"].x) == len(traces["best"].x) == len(traces["knee"].x) == 1


@pytest.mark.parametrize(
    ("directions", "corners"),
    [(("minimize", "minimize"), [0, 1]), (("maximize", "minimize"), [2, 1]), (("minimize", "maximize"), [0, 2])],
)
def test_the_boundary_goes_through_whom_nobody_dominates_in_the_two_that_are_drawn(directions, corners):
    objectives = tuple(Objective(name, Direction(one), "") for name, one in zip("ab", directions, strict=True))
    points = [(1.0, 3.0), (2.0, 2.0), (3.0, 4.0)]
    rows = [Standing(i, (), "", "", Status.OK, dict(zip("ab", p, strict=True)), 1) for i, p in enumerate(points)]
    third = Objective("c", Direction.MINIMIZE, "")
    report = _run_with(*rows, objectives=objectives, front_objectives=(*objectives, third), front=(0, 1, 2))
    (boundary,) = [trace for trace in front_chart(report).figure.data if trace.name == "boundary"]
    assert [(x, y) for x, y in zip(boundary.x, boundary.y, strict=True)] == [points[corner] for corner in corners]


def test_the_page_shows_what_was_confirmed_of_the_front():
    report = sample_run(20)
    member, *_ = report.front
    means, errors = {"val_bpb": 1.61803, "tokens_per_second": 31415.9}, {"val_bpb": 0.001234, "tokens_per_second": 27.1}
    again = ConfirmedMember(member, means, errors, 3, holds=False)
    text = Page(render_report(changed(report, confirmed_front=(again,)))).text
    assert "Confirmed front" in text
    assert "1.6180 ± 0.0012" in " ".join(text.split())
    assert "Confirmed front" not in Page(render_report(report)).text


def test_the_tree_has_everyone_and_every_edge():
    report = sample_run(640)
    chart = tree_chart(report)
    drawn = sum(len(trace.x) for trace in chart.figure.data if trace.mode == "markers")
    assert drawn == len(report.individuals)
    edges = next(trace for trace in chart.figure.data if trace.name == "parent")
    assert list(edges.x).count(None) == sum(len(row.parents) for row in report.individuals)
    assert chart.figure.layout.height <= 1600


def test_seats_never_collide_and_children_stand_below_their_parents():
    report = sample_run(640, seed=5)
    parents = {row.id: row.parents for row in report.individuals}
    line = [step.individual for step in report.best_line]
    places = seats(parents, set(line), 16)
    assert len(set(places.values())) == len(parents)
    assert all(places[parent].y < places[child].y for child in parents for parent in parents[child])
    assert all(places[id_].x == 0 for id_ in line)
    assert all((places[id_].x == 0) == (id_ in line) for id_ in parents)
    assert max(abs(seat.x) for seat in places.values()) <= 8


def test_an_edge_starts_and_ends_at_its_seats():
    places = seats({0: (), 1: (0,), 2: (1,)}, {0}, 2)
    xs, ys = curve(places[0], places[2])
    assert (xs[0], ys[0]) == places[0]
    assert (xs[-1], ys[-1]) == places[2]
    assert ys == sorted(ys)


def test_a_diff_shows_the_change_with_both_line_numbers():
    diff = diff_of(SOURCE, SOURCE.replace("DEPTH = 4\n", "DEPTH = 6\nHEADS = 2\n"))
    changed = [(line.sign, line.number, re.sub("<[^>]+>", "", line.code)) for line in diff.hunks[0] if line.sign != " "]
    assert changed == [("-", 6, "DEPTH = 4"), ("+", 6, "DEPTH = 6"), ("+", 7, "HEADS = 2")]
    assert (diff.added, diff.removed) == (2, 1)
    assert "<span" in diff.hunks[0][0].code or "<span" in diff.hunks[0][4].code


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n",
        "x = 1",
        "x = '''a\n\n\x0cb\u2028c'''\r\ny = 2\r",
        "def broken(:\n\t<b>&amp;</b>\n",
        "é = '\ud800'\n\n\n",
    ],
)
def test_any_source_can_stand_on_either_side_of_a_diff(source):
    for old, new in ((source, SOURCE), (SOURCE, source), (source, source)):
        diff = diff_of(old, new)
        shown = "\n".join(line.code for hunk in diff.hunks for line in hunk)
        shown.encode("utf-8")
        assert "<b>" not in shown
    assert diff_of(source, source).hunks == ()


def test_a_step_without_a_changed_line_says_so():
    report = sample_run(5)
    line = (LineStep(0, SOURCE), LineStep(1, SOURCE))
    page = render_report(changed(report, best_line=line, best=1))
    assert "no line differs" in page


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (visible("a\x00b\u202ec\nd\te\ud800"), "a\\u0000b\\u202ec\nd\te\\ud800"),
        (visible("no\u2060thing\U000e0041"), "no\\u2060thing\\U000e0041"),
        (hover("#1", "<b>x</b>", idea="a & b"), "<b>#1</b><br>&lt;b&gt;x&lt;/b&gt;<br>a &amp; b"),
        (quantity(1.93456), "1.9346"),
        (quantity(-0.01, signed=True), "−0.0100"),
        (quantity(52_000.4), "52,000"),
        (quantity(640.0), "640"),
        (quantity(123.456), "123.46"),
        (quantity(-3.217e-5, signed=True), "−3.22e−05"),
        (quantity(0.000188, 0.000335, signed=True), "+0.0002 ± 0.0003"),
        (quantity(0.00002, 0.0003, signed=True), "+0.0000 ± 0.0003"),
        (quantity(3e-13, 2e-12), "3e−13 ± 2e−12"),
        (quantity(0.0), "0"),
        (quantity(4.1785e92), "4.18e+92"),
        (quantity(0.00052, digits=4), "0.0005"),
        (quantity(0.000052, digits=4), "5.2e−05"),
        (quantity(60.0, digits=1), "60.0"),
        (quantity(1234.5, 0.5), "1,234.5 ± 0.5"),
        (quantity(10.108, 0.00799, digits=1), "10.108 ± 0.008"),
        (quantity(403.0, 0.068), "403.00 ± 0.07"),
        (quantity(1.5, 2e-9), "1.500000 ± 2e−09"),
        (quantity(2.0, 0.25, signed=True), "+2.0000 ± 0.2500"),
        (quantity(52_000.4, 31.0), "52,000 ± 31"),
        (quantity(1.5, 0.00002), "1.50000 ± 0.00002"),
        (quantity(0.5, 0.0), "0.5000 ± 0.0000"),
        (quantity(0.5, 1e-17), "0.5000 ± 0.0000"),
        (quantity(-0.0, signed=True), "+0"),
        (LOSS.interval(0.5, 0.02), ("0.5000", "0.4800", "0.5200")),
        (LOSS.interval(0.00012, 0.00002, signed=True), ("+0.00012", "+0.00010", "+0.00014")),
        (LOSS.interval(0.5, 1e-17), ("0.5000", "0.5000", "0.5000")),
        (relative(1.96, 2.0), "2.0%"),
        (relative(0.1, 2000.0), "20,000-fold"),
        (relative(0.9, 0.001), "900-fold"),
        (relative(4.2, 1.0), "4.2-fold"),
        (relative(-0.5, -0.52), "3.8%"),
        (relative(-0.1, -2000.0), "20,000-fold"),
        (relative(0.3, -0.1), ""),
        (relative(0.3, 0.0), ""),
        (duration(0), "0 s"),
        (duration(61), "1 min 1 s"),
        (duration(3 * 3600), "3 h"),
        (duration(200_000), "2 d 7 h"),
        (money(None), "unknown"),
        (money(0.0), "$0.00"),
    ],
)
def test_texts_and_numbers_are_fit_for_the_page(shown, expected):
    assert shown == expected


def test_a_long_idea_is_cut_in_hover_labels():
    assert hover("#1", idea="word " * 400).count("<br>") <= 6


def test_calls_of_unknown_price_are_among_those_counted() -> None:
    assert price(0.125, 3, 0) == "for $0.12"
    assert price(0.0, 3, 3) == price(0.0, 3, 5) == "of unknown price"
    assert price(0.5, 0, 2) == "for $0.50"
    assert price(0.5, 3, 2, digits=4) == "for $0.5000, 2 of them of unknown price"
