"""Whom to blame for lost evaluations."""

from evo.workers.pool import MOST_GIVEN_UP, MOST_LOSSES, Loss, LostEvaluations


def lose(losses: LostEvaluations, evaluation: int, *, any_measured: bool = True) -> list[Loss]:
    return [losses.lost(evaluation, any_measured=any_measured) for _ in range(MOST_LOSSES)]


def test_one_candidate_is_given_up_after_its_last_chance() -> None:
    again = [Loss.RUN_AGAIN] * (MOST_LOSSES - 1)
    assert lose(LostEvaluations(), 7) == [*again, Loss.GIVE_UP]


def test_before_anything_was_measured_the_machine_is_to_blame() -> None:
    assert lose(LostEvaluations(), 1, any_measured=False)[-1] is Loss.MACHINE_FAILS


def test_several_in_a_row_are_the_machines_fault() -> None:
    losses = LostEvaluations()
    last = [lose(losses, evaluation)[-1] for evaluation in range(MOST_GIVEN_UP)]
    assert last == [Loss.GIVE_UP] * (MOST_GIVEN_UP - 1) + [Loss.MACHINE_FAILS]


def test_a_verdict_in_between_acquits_the_machine() -> None:
    losses = LostEvaluations()
    for evaluation in range(2 * MOST_GIVEN_UP):
        assert lose(losses, evaluation)[-1] is Loss.GIVE_UP
        losses.evaluated(100 + evaluation)
