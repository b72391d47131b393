"""How far ahead a search proposes."""

import asyncio
from pathlib import Path

from paced_evaluator import PacedEvaluator
from searches import GENOME, Numbering, configuration, opened

from operators.proposal import Proposal, Request


class Laborious(Numbering):
    """Keeps this process busy with each proposal."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    async def propose(self, request: Request) -> Proposal:
        self.now += 50.0
        return await super().propose(request)


def test_a_proposal_that_waits_for_others_of_this_process_brings_no_more_of_them(tmp_path: Path) -> None:
    operator = Laborious()
    evaluator = PacedEvaluator(GENOME, slots=2, turns=3)
    with opened(tmp_path / "run", configuration(4, 15), evaluator, operator, clock=lambda: operator.now) as (
        search,
        store,
    ):
        asyncio.run(search.run())
        ahead = max(one.number - one.result_number for one in store.proposals())
    assert ahead < 20  # the whole budget, if its own queue counted as latency
