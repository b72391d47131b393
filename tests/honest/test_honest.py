"""No unusual but honest genome of the audit is rejected.

The genomes stand in `trainer/audit/honest`; `make audit` tries each with ten seeds.
"""

from __future__ import annotations

import pytest
from audit_verdicts import Verdicts, begin_audit, in_short_form

from trainer.audit import HONEST, Specimen, load_specimens

SPECIMENS = load_specimens(HONEST)
SHORT_FORM = frozenset((*("autocast", "batch_norm_running", "mixture_of_experts", "sliding_window"),))


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return begin_audit(request, tmp_path_factory, [])


@pytest.mark.parametrize("specimen", in_short_form(SPECIMENS, SHORT_FORM))
def test_an_honest_genome_is_scored(verdicts: Verdicts, specimen: Specimen) -> None:
    result = verdicts.of(specimen)

    assert not result.surprise, result.verdict.log_tail
