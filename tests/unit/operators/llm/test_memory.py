from __future__ import annotations

from dataclasses import replace

import pytest

from operators.llm.memory import CHARACTERS_PER_TOKEN, Wording
from operators.proposal import Effect, Fate, Idea
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

WORDING = Wording(LANGUAGE_MODEL_OBJECTIVES["val_bpb"], {"val_bpb": 0.005})


def idea(number: int, gain: float = 0.0, fate: Fate = Fate.MEASURED, text: str = "Wider") -> Idea:
    effect = Effect(0, gain, 0.007, is_tie=abs(gain) < 0.014) if fate is Fate.MEASURED else None
    value = 1.5 - gain if fate is Fate.MEASURED else None
    return Idea(number, (0,), "llm_mutation:structure", text, fate, value=value, replicates=1, effect=effect)


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (0.0221, "−0.0221 ± 0.0070 on #0: better"),
        (-0.0221, "+0.0221 ± 0.0070 on #0: worse"),
        (0.013, "−0.0130 ± 0.0070 on #0: a tie"),
        (0.00001, "→ val_bpb 1.5000; 0.0000 ± 0.0070 on #0: a tie"),
    ],
)
def test_an_effect_is_told_against_its_own_parent_with_its_error(gain: float, verdict: str) -> None:
    line = WORDING.line(idea(4, gain))
    assert line.startswith("- #4 from #0 by llm_mutation:structure: “Wider” → val_bpb 1.")
    assert verdict in line


def test_a_line_says_what_became_of_an_idea() -> None:
    one = replace(idea(4, 0.1), parents=(0, 2), led=True, offspring=3, crossed_into=(9,), seconds=41.2, cost_usd=0.031)
    assert WORDING.line(one).endswith("better; new best then; combined in #9; varied 2 times; 41 s, $0.03")
    assert WORDING.line(one).startswith("- #4 from #0 × #2 by ")
    mended = replace(idea(6, 0.1), parents=(0,), repaired=5)
    assert WORDING.line(mended).startswith("- #6 from #0 by llm_mutation:structure, mending #5: ")
    failed = replace(idea(5, fate=Fate.FAILED), outcome="crashed: exit code 1", seconds=3.0)
    assert WORDING.line(failed).endswith("→ failed, “crashed: exit code 1”; 3 s")
    assert WORDING.line(idea(6, fate=Fate.PROPOSED, text="")).endswith("structure → being written")
    other = replace(idea(7, 0.1), others={"tokens_per_second": 12_345.6}, broken=("parameters < 1000",))
    assert "→ val_bpb 1.4000, tokens_per_second 12345.6; breaks parameters < 1000; −0.1000" in WORDING.line(other)
    tuned = replace(idea(8, text="tuning: LR 1 -> 2"), operator="tuning")
    assert WORDING.line(tuned).startswith("- #8 from #0 by tuning: “LR 1 -> 2” → ")


def test_what_was_expected_stands_beside_what_was_measured() -> None:
    text = "Wider layers" + " of many channels" * 15 + " (expected val_bpb -0.01)"
    line = WORDING.line(idea(4, 0.0221, text=text))
    assert "−0.0221 ± 0.0070 on #0: better (expected -0.01)" in line


def test_a_short_run_is_told_whole_newest_first() -> None:
    lines = WORDING.table([idea(number) for number in range(1, 11)], 2_000)
    assert [line.split()[1] for line in lines] == [f"#{number}" for number in range(10, 0, -1)]


@pytest.mark.parametrize("count", [10, 100, 2_000])
def test_a_table_stays_within_its_budget_and_keeps_the_newest_and_the_most_telling(count: int) -> None:
    gains = {1: 0.3, 2: -0.4}
    ideas = [idea(number, gains.get(number, 0.0), text="x" * 500) for number in range(1, count + 1)]
    lines = WORDING.table(ideas, 1_000)
    assert sum(map(len, lines)) < 1_100 * CHARACTERS_PER_TOKEN
    numbers = {line.split()[1] for line in lines}
    assert {"#1", "#2", f"#{count}"} <= numbers
    if count > 10:
        left_out = count - len(lines) + 1
        assert lines[-1] == f"- {left_out} more, not listed: {left_out} ties"
