"""`evo audit`: whether scoring on this machine rejects genomes that cheat, and no honest one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from evo.commands.options import Json, example, print_json
from trainer.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from evo.project.audit import Case, Verdict
    from trainer.audit import AuditResult, Specimen

_NamedT = TypeVar("_NamedT", "Specimen", "Case")

_VOCAB_SIZE = 512


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        epilog=example(
            "evo audit\nevo audit --honest --seeds 10\nevo audit --only next_token --json\nevo audit --script",
            "Each genome is evaluated as in a run, with half a second of training. With --script, edits of scripts "
            "are judged as offspring of a script task: by the gate, and by a run where they pass it. Exit code 1 if a "
            "verdict is wrong.",
        )
    )(audit)


def audit(
    honest: Annotated[bool, typer.Option("--honest", help="Evaluate honest genomes; none may be rejected.")] = False,
    script: Annotated[bool, typer.Option("--script", help="Judge edits of scripts instead of genomes.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Training seeds of each genome.")] = 1,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Parallel evaluations.")] = 1,
    device: Annotated[str, typer.Option("--device", help="cpu, mps, or a GPU. [default: the first GPU]")] = "",
    sandbox: Annotated[str, typer.Option("--sandbox", help="auto, strict, or a level by name.")] = "auto",
    only: Annotated[list[str] | None, typer.Option("--only", help="A genome by name; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Check that scoring on this machine catches genomes that cheat."""
    if script:
        if seeds > 1 or workers > 1 or device:
            raise UsageError("--script judges each edit once, on the CPU; leave out --seeds, --workers and --device.")
        _audit_scripts(honest=honest, sandbox=sandbox, only=only, as_json=as_json)
        return
    from evo.commands.views.live import preparation_bar
    from evo.commands.views.terminal import stdout_console
    from evo.config.workplaces import machine_devices
    from trainer.audit import CHEATS, HONEST, audit_settings, load_specimens, run_audit
    from trainer.corpus import prepare

    specimens = _named(load_specimens(HONEST if honest else CHEATS), only)
    with preparation_bar() as progress:
        corpus = prepare(vocab_size=_VOCAB_SIZE, progress=progress)
    found = machine_devices([device] if device else ())[0]
    settings = audit_settings(corpus.folder, found.kind, found.id, sandbox)
    results = map(_facts, run_audit(settings, specimens, range(seeds), workers))
    _report(stdout_console(), results, settings.device_name, as_json=as_json)


def _audit_scripts(*, honest: bool, sandbox: str, only: list[str] | None, as_json: bool) -> None:
    from evo.commands.views.terminal import stdout_console
    from evo.project.audit import load_cases, run_cases

    verdicts = run_cases(_named(load_cases("honest" if honest else "cheats"), only), sandbox)
    _report(stdout_console(), map(_verdict_facts, verdicts), as_json=as_json)


def _report(console: Console, verdicts: Iterable[dict[str, Any]], device: str = "", *, as_json: bool) -> None:
    """Print each verdict as it comes, then how many are wrong; exit with 1 if one is."""
    from evo.commands.views.terminal import print_whole
    from trainer.errors import counted

    told = []
    for facts in verdicts:
        told.append(facts)
        if not as_json:
            _print_verdict(console, facts)
    wrong = sum(not facts["right"] for facts in told)
    if as_json:
        print_json(told)
    else:
        conclusion = f"[red]{wrong} of them wrong[/]" if wrong else "[green]all of them right[/]"
        where = f" on {device}, {told[-1]['sandbox']}" if device else ""
        print_whole(console, f"{counted(len(told), 'verdict')}{where}: {conclusion}")
    if wrong:
        raise typer.Exit(1)


def _print_verdict(console: Console, facts: dict[str, Any]) -> None:
    from evo.commands.views.terminal import literal, one_line, print_line

    mark = "[green]✓[/]" if facts["right"] else "[red]✗[/]"
    is_surprise = "expected" in facts and not facts["right"]
    expected = f" [red](expected {literal(' or '.join(facts['expected']))})[/]" if is_surprise else ""
    script = f"{facts['script']}: " if "script" in facts else ""
    print_line(console, f"{mark} {facts['name']:<28} {facts['got']:<13}{expected} {literal(script + facts['trick'])}")
    print_line(console, f"  [dim]{'':<28} {one_line(facts['evidence'])}[/]")


def _verdict_facts(verdict: Verdict) -> dict[str, Any]:
    case = verdict.case
    return {
        "name": case.name,
        "script": case.script,
        "trick": case.trick,
        "got": verdict.status,
        "evidence": verdict.evidence,
        "right": verdict.is_right,
    }


def _named(specimens: list[_NamedT], only: list[str] | None) -> list[_NamedT]:
    known = {specimen.name: specimen for specimen in specimens}
    for name in only or ():
        if name not in known:
            raise UsageError(f"--only must name a genome of the audit, but {name!r} is none of: {', '.join(known)}.")
    return [known[name] for name in only] if only else specimens


def _facts(result: AuditResult) -> dict[str, Any]:
    specimen, verdict = result.specimen, result.verdict
    return {
        "name": specimen.name,
        "trick": specimen.trick,
        "seed": result.seed,
        "sandbox": result.sandbox,
        "expected": list(specimen.expected),
        "got": verdict.status,
        "evidence": verdict.reason or f"val_bpb {verdict.objectives['val_bpb']:.4f} by the trainer's own measure",
        "right": not result.surprise,
    }
