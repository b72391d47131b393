"""A proposal that gave no individual, with everything that is known of it, as a person reads it and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import unified_diff
from typing import Any

from rich.console import Console

from evo.commands.views.individual import calls_line, print_exchange
from evo.commands.views.terminal import literal, one_line, print_block, print_whole
from evo.store import ProposalRecord, SmokeRun, StoreView, published
from operators.proposal import Exchange
from trainer.genome import source_lines, unmarked


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """A proposal with its smoke runs, oldest first, and the calls that were made for it.

    Attributes:
        changes: a unified diff from its first parent to the last program that it came to; empty where none was kept.
    """

    record: ProposalRecord
    smoke_runs: tuple[SmokeRun, ...]
    exchanges: tuple[Exchange, ...]
    changes: str

    @classmethod
    def read(cls, store: StoreView, record: ProposalRecord) -> RefusedProposal:
        """Return everything a run knows of a proposal."""
        number = record.number
        source, changes = store.refused_source(number), ""
        if source is not None and record.parents:
            before = store.source(record.parents[0])
            old, new = (source_lines(unmarked(text), keepends=True) for text in (before, source))
            changes = "".join(unified_diff(old, new, f"#{record.parents[0]}", f"#{number}"))
        return cls(record, tuple(store.smoke_runs_of(number)), tuple(store.exchanges(number)), changes)

    def to_json(self, *, prompts: bool) -> dict[str, Any]:
        """Return a JSON-serialisable form; `prompts` adds the calls of language models."""
        data = {
            **asdict(self.record, dict_factory=published),
            "smoke_runs": [asdict(one) for one in self.smoke_runs],
            "diff": self.changes,
        }
        return {**data, "exchanges": [asdict(exchange) for exchange in self.exchanges]} if prompts else data


def print_refused(console: Console, refused: RefusedProposal, *, prompts: bool) -> None:
    """Print why a proposal was refused, what its programs printed when they were tried, and its calls."""
    record = refused.record
    parents = " and ".join(f"#{parent}" for parent in record.parents)
    print_whole(console, f"[bold]#{record.number}[/] by {literal(record.operator)} from {parents}: no individual")
    print_whole(
        console, f"[red]{literal((record.kind or '').replace('_', ' ')):<18}[/] {one_line(record.reason or '')}"
    )
    if refused.exchanges:
        print_whole(console, calls_line(refused.exchanges))
    if refused.changes:
        print_whole(console, f"\n[bold]the last program that was refused[/], against #{record.parents[0]}")
        print_block(console, refused.changes.rstrip("\n"))
    for run in refused.smoke_runs:
        print_whole(console, f"\n[bold]smoke run[/] on {literal(run.device)}: {run.status}; {one_line(run.reason)}")
        if run.output.strip():
            print_block(console, run.output.strip("\n"))
    for turn, exchange in enumerate(refused.exchanges if prompts else ()):
        print_exchange(console, turn, exchange)
