"""A proposal that gave no individual, with everything that is known of it, as a person reads it and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from evo.commands.views.individual import calls_line, print_exchange
from evo.commands.views.terminal import literal, one_line, print_block, print_whole
from evo.store import ProposalRecord, SmokeRun, StoreView, published
from operators.proposal import Exchange


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """A proposal with its smoke runs, oldest first, and the calls that were made for it."""

    record: ProposalRecord
    smoke_runs: tuple[SmokeRun, ...]
    exchanges: tuple[Exchange, ...]

    @classmethod
    def read(cls, store: StoreView, record: ProposalRecord) -> RefusedProposal:
        """Return everything a run knows of a proposal."""
        number = record.number
        return cls(record, tuple(store.smoke_runs_of(number)), tuple(store.exchanges(number)))

    def to_json(self, *, prompts: bool) -> dict[str, Any]:
        """Return a JSON-serialisable form; `prompts` adds the calls of language models."""
        data = {
            **asdict(self.record, dict_factory=published),
            "smoke_runs": [asdict(one) for one in self.smoke_runs],
        }
        return {**data, "exchanges": [asdict(exchange) for exchange in self.exchanges]} if prompts else data


def print_refused(console: Console, refused: RefusedProposal, *, prompts: bool) -> None:
    """Print why a proposal was refused, what its programs printed when they were tried, and its calls."""
    record = refused.record
    parents = " and ".join(f"#{parent}" for parent in record.parents)
    print_whole(console, f"[bold]#{record.number}[/] by {literal(record.operator)} from {parents}: no individual")
    print_whole(console, f"[red]{literal(record.kind or ''):<18}[/] {one_line(record.reason or '')}")
    if refused.exchanges:
        print_whole(console, calls_line(refused.exchanges))
    for run in refused.smoke_runs:
        print_whole(console, f"\n[bold]smoke run[/] on {literal(run.device)}: {run.status}; {one_line(run.reason)}")
        if run.output.strip():
            print_block(console, run.output.strip("\n"))
    for turn, exchange in enumerate(refused.exchanges if prompts else ()):
        print_exchange(console, turn, exchange)
