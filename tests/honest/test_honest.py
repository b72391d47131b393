"""No unusual but honest genome of the audit is rejected.

The genomes stand in `trainer/audit/honest`; `make audit` tries each with ten seeds.
"""

from __future__ import annotations

import pytest
from audit_verdicts import Verdicts, begin_audit

from trainer.audit import HONEST, Specimen, load_specimens

SPECIMENS = load_specimens(HONEST)


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return begin_audit(request, tmp_path_factory, [])


@pytest.mark.parametrize("specimen", SPECIMENS, ids=[one.name for one in SPECIMENS])
def test_an_honest_genome_is_scored(verdicts: Verdicts, specimen: Specimen) -> None:
    result = verdicts.of(specimen)

    assert not result.surprise, result.verdict.log_tail
