import json
import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from compare_samples import arms_of, results
from shown_pages import Page

from evo.compare.report.findings import decimals_for, find
from evo.compare.report.page import render_html, render_markdown, write_report
from evo.compare.report.wording import number, say, say_each
from evo.errors import ReportError
from experiments.landscape import Landscape

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)>|$x$ {{ 7 * 7 }}\u202e\n# no"


def said(sample):
    """Return all that is said of a sample, without drawing it."""
    findings = find(sample)
    return "\n".join(
        [
            say("headline", findings),
            *say_each("tally", findings),
            *(say("statement", one, findings) for one in findings.contrasts),
        ]
    )


def test_a_report_is_complete_and_loads_nothing(tmp_path):
    sample = Landscape((0.0, 4.0, 0.0), repeats=9, failure_rate=0.2).results(3, progress=True)
    failed = int((sample.runs["state"] == "failed").sum())
    assert failed
    path = write_report(find(sample), tmp_path / "new" / "folder")
    page = Page(path.read_text("utf-8"))
    markdown = (path.parent / "report.md").read_text("utf-8")
    assert all(address.startswith("data:") for address in page.addresses)
    assert page.kinds.count("script") == len(page.figures) + 2  # plotly, and what draws with it
    assert "url(" not in page.data["style"]
    for text in (page.text, markdown):
        for expected in (*sample.arms, "64 evaluations", "Holm", "generation 0", "no offspring was scored", "32 min"):
            assert expected in text
    assert sorted(page.figures) == ["anytime", "attainment", "outcomes"]
    for figure in page.figures.values():
        assert any(trace.get("x") for trace in figure["data"])
    assert "[report.html](report.html)" in markdown
    tables = {name: pd.read_csv(path.parent / f"{name}.csv") for name in ("runs", "arms", "comparisons", "targets")}
    assert tables["arms"]["failed"].sum() == failed
    assert tables["arms"]["mean"].tolist() == pytest.approx(
        [sample.runs.loc[sample.runs["arm"] == arm, "outcome"].mean() for arm in sample.arms]
    )
    assert tables["comparisons"]["arm"].tolist() == list(sample.arms[1:])
    assert not list(path.parent.rglob("*.part"))


@pytest.mark.parametrize("paired", [True, False])
def test_hostile_text_stays_text(paired):
    sample = results([("first", 0, 1.0), (HOSTILE, 0, 1.2, "failed")], paired=paired, reason=HOSTILE, usd=math.nan)
    findings = find(replace(sample, name=HOSTILE, budget=HOSTILE))
    page = render_html(findings)
    parsed = Page(page)
    assert not {"img", "iframe"} & {*parsed.kinds}
    assert [*parsed.figures] == ["outcomes"]
    assert parsed.kinds.count("script") == 3
    assert "<img" not in json.dumps(parsed.figures)
    assert "{{ 7 * 7 }}" in page
    assert "\u202e" not in page
    markdown = render_markdown(findings)
    assert re.search(r"(?<!\\)<|\n# no", markdown) is None
    assert all(line.replace(r"\|", "").count("|") in (8, 9) for line in markdown.splitlines() if line.startswith("|"))
    assert "unknown" in markdown


@pytest.mark.parametrize(
    ("runs", "arms", "expected"),
    [
        ([], ("first", "other"), "No run has an outcome to compare yet"),
        (arms_of(only=[1.0, 2.0]), None, "There is one arm, only, and nothing to compare it with"),
        (arms_of(first=[1.0], other=[0.5]), None, "Too few runs for a claim about other"),
        (arms_of(first=[1.0] * 8, other=[1.0] * 8), None, "No difference from first was shown for other"),
        (arms_of(first=[math.nan] * 8, other=[1.0] * 8), None, "ended without any number"),
        (
            [("first", 0, 1.0), ("other", 0, math.nan, "unfinished")],
            None,
            "other: 0 of 1 run finished, 1 is unfinished",
        ),
    ],
)
def test_whatever_there_is_makes_a_report(runs, arms, expected):
    assert expected in said(results(runs, arms=arms, paired=False))
    page = render_html(find(results(runs, arms=arms)))
    assert expected in page
    assert not re.search(r"\bnan\b", Page(page).text, re.IGNORECASE)


def test_too_few_runs_are_told_what_they_need():
    text = said(Landscape((0.0, 3.0, 3.0), repeats=5).results(0))
    assert "with 5 paired repeats p cannot be less than 0.0625" in text
    assert "the first claim among 2 comparisons needs 0.025 or less, which takes 7 paired repeats at least" in text
    assert re.search(r"about \d+ paired repeats would show it in 80% of experiments", text)
    unpaired = said(Landscape((0.0, 3.0), repeats=3, paired=False).results(0))
    assert "3 runs of each arm p cannot be less than 0.10" in unpaired


def test_an_open_comparison_names_the_number_and_no_equality():
    findings = find(Landscape((0.0, 0.5), repeats=10).results(1))
    assert "No difference between greedy and random was shown" in say("statement", findings.contrasts[0], findings)
    assert re.search(r"about [\d,]+ paired repeats would show it|no reasonable number", said(findings.results))
    assert "is no proof of equality. 10 paired repeats find an effect of" in " ".join(say_each("limits", findings))


def test_a_decision_says_how_large_and_how_sure():
    text = said(Landscape((0.0, 5.0), repeats=8).results(0))
    assert text.startswith("greedy is better than random")
    assert re.search(
        r"on average 0\.0\d+ nats better, 95% interval \+0\.0\d+ to \+0\.0\d+; better in 8 of 8 repeats", text
    )
    assert "(p = 0.00781, Holm p = 0.00781)" in text
    worse = said(Landscape((0.0, -5.0), repeats=8).results(0))
    assert "greedy is worse than random: on average 0.0" in worse


def test_ranks_against_means_are_pointed_out():
    first = [1.0 + index / 100 for index in range(12)]
    mostly_better = [value - 0.1 - index / 1000 for index, value in enumerate(first)]
    mostly_better[0] = first[0] + 50.0
    text = said(results(arms_of(first=first, other=mostly_better)))
    assert "Ranks and means disagree" in text


def test_what_does_not_count_is_said_in_words_and_numbers():
    runs = [*arms_of(first=[1.0, 2.0, 3.0], other=[1.0, 2.0]), ("other", 2, math.nan, "unfinished")]
    text = said(results(runs))
    assert "1 repeat (2) does not count for any arm" in text
    assert "other: 2 of 3 runs finished, 1 is unfinished." in text
    findings = find(results(runs))
    assert say("so_far", findings) == "Not complete: 5 of 6 runs have ended. What follows may still change."
    assert any("not complete" in line for line in say_each("limits", findings))


def test_a_device_that_drifted_is_named():
    sample = replace(results(arms_of(first=[1.0], other=[2.0])), drifts=("block-01/other: cpu drifts: 4.0 σ worse.",))
    assert "block-01/other: cpu drifts: 4.0 σ worse." in said(sample)


@pytest.mark.parametrize(
    ("courses", "expected"),
    [
        (
            [2.0, 2.3, 2.1, 2.2, 1.9, 2.4],
            "2.15 on average, 1.90 to 2.40, with no trend over the experiment (Kendall's τ",
        ),
        ([2.0, 2.1, 2.2, 2.3, 2.4, 2.5], "and worse from block to block (Kendall's τ −1.00, p = 0.00278): the machine"),
        ([2.5, 2.4, 2.3, 2.2, 2.1, 2.0], "and better from block to block"),
        ([2.0] * 6, "came out the same every time: 2.0000."),
        ([2.0, 2.1, 2.2, 2.3], ""),
    ],
    ids=["steady", "worse", "better", "constant", "too few blocks"],
)
def test_generation_0_is_the_sentinel_of_the_blocks(courses, expected):
    sample = results(arms_of(first=[1.0] * len(courses), other=[2.0] * len(courses)))
    runs = sample.runs.assign(generation_zero=[courses[repeat] for repeat in sample.runs["repeat"]])
    text = said(replace(sample, runs=runs))
    assert ("Generation 0, measured again in each of 6 blocks" in text) == bool(expected)
    assert expected in text


def test_a_folder_that_cannot_be_written_is_an_error_with_a_next_step(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match="Name a folder that you can write"):
        write_report(find(results(arms_of(first=[1.0], other=[2.0]))), tmp_path / "taken")


def test_numbers_have_the_digits_that_their_error_allows():
    assert number(-1234.5, 1, signed=True) == "−1,234.5"
    assert [decimals_for(spread, 4) for spread in (0.002, 0.2, 40.0, 0.0, math.nan)] == [4, 2, 0, 4, 4]


def test_a_rehearsal_claims_nothing_and_says_so_first():
    sample = replace(Landscape((0.0, 5.0), repeats=8).results(0), rehearsal=True)
    findings = find(sample)
    assert say("headline", findings) == "A rehearsal: it claims nothing about any arm"
    for text in (Page(render_html(findings)).text, render_markdown(findings)):
        assert text.index("declared a rehearsal") < text.index("greedy is better")
    assert any("declared a rehearsal" in line for line in say_each("limits", findings))


def test_p_values_that_are_not_exact_are_not_called_so():
    exact = find(results(arms_of(first=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], other=[1.1, 2.2, 3.3, 4.4, 5.5, 6.6])))
    assert "p values are exact" in " ".join(say_each("design", exact))
    tied = find(results(arms_of(first=[1.0] * 20, other=[*[1.5] * 5, *[0.5] * 15])))
    assert "those of other, where values tie, are estimated from 65,536 random draws" in " ".join(
        say_each("design", tied)
    )
    assert "(p ≈ " in say("statement", tied.contrasts[0], tied)
    many = find(results(arms_of(first=[0.0] * 60, other=[float(index) for index in range(1, 61)])))
    assert "those of other, with so many runs, are normal approximations" in " ".join(say_each("design", many))
    assert "(p < 0.0001, Holm p < 0.0001)" in say("statement", many.contrasts[0], many)


def test_the_report_says_what_self_reported_outcomes_rest_on():
    claim = "loss: self-reported. Nothing checks what the command says."
    sample = results(arms_of(one=[1.0, 2.0], two=[1.5, 2.5]))
    assert claim not in render_markdown(find(sample))
    assert f"- {claim}" in render_markdown(find(replace(sample, claim=claim)))
