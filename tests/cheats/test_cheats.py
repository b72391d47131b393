"""Every cheat of the audit gets the verdict that its file expects.

The genomes themselves stand in `trainer/audit/cheats`, where the installed package finds them for `evo audit`. What
only runs away is left to tests/integration/trainer/supervisor.
"""

from __future__ import annotations

import pytest
from audit_verdicts import Verdicts, begin_audit, in_short_form

from trainer.audit import CHEATS, HONEST, Specimen, load_specimens
from trainer.evaluation import Status

RUNAWAYS = {
    *("exits_quietly", "fills_the_disk", "forks_without_end", "hogs_memory", "loops_forever", "prints_without_end"),
    *("answers_late", "segfaults", "trains_in_a_daemon"),
}
SPECIMENS = [one for one in load_specimens(CHEATS) if one.name not in RUNAWAYS]
SHORT_FORM = frozenset(
    (
        *("a_little_everywhere", "answers_ahead", "attention_mask_off_by_one", "batch_norm_over_time"),
        *(
            "code_in_the_docstring",
            "note_in_a_file_lock",
            "changes_answers_afterwards",
            "every_sixteenth_position",
            "last_row_of_a_batch",
            "not_normalised",
        ),
        *("reads_secrets", "reads_the_held_out_tokens", "remembers_the_test_text", "sends_its_own_score"),
        *("stops_the_clock", "weights_by_pickle"),
    )
)
[BIGRAM] = [one for one in load_specimens(HONEST) if one.name == "bigram"]


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return begin_audit(request, tmp_path_factory, [BIGRAM])


@pytest.mark.parametrize("specimen", in_short_form(SPECIMENS, SHORT_FORM))
def test_a_cheat_gains_nothing(verdicts: Verdicts, specimen: Specimen) -> None:
    result = verdicts.of(specimen)

    assert not result.surprise, result.verdict.log_tail
    if result.verdict.status is Status.OK and result.sandbox != "process-group":
        honest = verdicts.of(BIGRAM).verdict.objectives["val_bpb"]
        assert result.verdict.objectives["val_bpb"] > honest - 0.01
