"""Every cheat of the audit gets the verdict that its file expects.

The genomes themselves stand in `trainer/audit/cheats`, where the installed package finds them for `evo audit`. What
only runs away is left to tests/integration/test_trainer_hostile.py and test_trainer_limits.py.
"""

from __future__ import annotations

import pytest
from audit_verdicts import Verdicts, begin_audit

from trainer.audit import CHEATS, HONEST, Specimen, load_specimens
from trainer.evaluation import Status

RUNAWAYS = {
    *("exits_quietly", "fills_the_disk", "forks_without_end", "hogs_memory", "loops_forever", "prints_without_end"),
    *("answers_late", "segfaults", "trains_in_a_daemon"),
}
SPECIMENS = [one for one in load_specimens(CHEATS) if one.name not in RUNAWAYS]
[BIGRAM] = [one for one in load_specimens(HONEST) if one.name == "bigram"]


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return begin_audit(request, tmp_path_factory, [BIGRAM])


@pytest.mark.parametrize("specimen", SPECIMENS, ids=[one.name for one in SPECIMENS])
def test_a_cheat_gains_nothing(verdicts: Verdicts, specimen: Specimen) -> None:
    result = verdicts.of(specimen)

    assert not result.surprise, result.verdict.log_tail
    if result.verdict.status is Status.OK and result.sandbox != "process-group":
        honest = verdicts.of(BIGRAM).verdict.objectives["val_bpb"]
        assert result.verdict.objectives["val_bpb"] > honest - 0.01
