"""A search on several objectives: its front is looked at again and confirmed, also when it was stopped in between."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from rich.console import Console
from searches import GENOME, StopsAt, configuration, opened

from evo.commands.views.summary import print_front
from evo.standings.summary import Summary, summarize
from evo.store import Purpose


@pytest.mark.parametrize("objectives", [("val_bpb", "tokens_per_second"), ("tokens_per_second", "val_bpb")])
def test_a_front_is_looked_at_again_and_confirmed(objectives: tuple[str, str], tmp_path: Path) -> None:
    config = configuration(8, 12, objectives=objectives)
    observer = StopsAt(92)  # in the middle of the confirmation
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=2), observer=observer) as (search, store):
        observer.search = search
        asyncio.run(search.run())
        assert store.last_result_number() < 96
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=2)) as (search, store):
        assert asyncio.run(search.run()).stop_reason == "complete"
        standings, outcomes = search.standings, list(store.outcomes())
    assert len(outcomes) == 96
    looked_at = Counter(one.individual for one in outcomes if one.purpose is Purpose.REPLICATE)
    assert set(looked_at.values()) == {1}
    confirmed = Counter((one.individual, one.seed) for one in outcomes if one.purpose is Purpose.CONFIRM)
    assert set(confirmed.values()) == {1}
    members = standings.confirmations.front()
    assert {one.individual for one in members} == {individual for individual, _ in confirmed} - {0}
    assert {one.individual for one in members} <= {*looked_at}
    assert len(members) >= 2
    assert all(one.seeds >= 2 for one in members)
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME)) as (search, store):
        assert search.standings.confirmations.front() == members
        assert search.standings.archive.front_history == standings.archive.front_history
        assert search.standings.archive.front.individuals == standings.archive.front.individuals
        shown = _shown(summarize(config, store, search.standings))
    assert "Confirmed front: with fresh seeds, val_bpb on held-out split G\n" in shown
    for one in members:
        bpb, error = one.means["val_bpb"], one.errors["val_bpb"]
        assert re.search(rf"#{one.individual} .* {bpb:.4f} ± {error:.4f} ", shown)
    assert re.search(r"hypervolume   \S+  \d+\.\d%\n", shown)


def _shown(summary: Summary) -> str:
    text = StringIO()
    print_front(Console(file=text, width=200), summary)
    return text.getvalue()
