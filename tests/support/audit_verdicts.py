"""The verdicts on the audit's genomes, evaluated while the tests that ask for them run."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

import pytest
from trainer_runs import tiny_corpus

from trainer.audit import AuditResult, Specimen, audit_settings, run_audit

_SUPERVISORS = 1 if (os.cpu_count() or 1) <= 2 else 2  # other tests run beside it


class Verdicts:
    """Takes the verdicts as they come, in the order of the genomes."""

    def __init__(self, coming: Iterator[AuditResult]) -> None:
        self._coming = coming
        self._come: dict[str, AuditResult] = {}

    def of(self, specimen: Specimen) -> AuditResult:
        """Return the verdict on a genome, waiting for it."""
        while specimen.name not in self._come:
            result = next(self._coming)
            self._come[result.specimen.name] = result
        return self._come[specimen.name]


def in_short_form(specimens: Sequence[Specimen], names: Collection[str]) -> list[object]:
    """Return parameters of which only those with `names` belong to the short form of the audit."""
    unknown = set(names) - {one.name for one in specimens}
    assert not unknown, f"no such genomes: {sorted(unknown)}"
    return [pytest.param(one, id=one.name, marks=() if one.name in names else pytest.mark.full) for one in specimens]


def begin_audit(request: pytest.FixtureRequest, factory: pytest.TempPathFactory, also: Sequence[Specimen]) -> Verdicts:
    """Evaluate the genomes that the collected tests of a module are parametrised with, and some more before them."""
    chosen = list(also)
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec"):
            specimen = item.callspec.params["specimen"]
            chosen += [specimen] if specimen not in chosen else []
    settings = audit_settings(tiny_corpus(factory).folder, "cpu")
    coming = run_audit(settings, chosen, supervisors=_SUPERVISORS)
    request.addfinalizer(coming.close)
    return Verdicts(coming)
