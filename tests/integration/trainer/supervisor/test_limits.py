"""The limits of time, at short caps on the wall clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from trainer_runs import MODEL, genome, inhabitants, quick_settings, tiny_corpus

from trainer.evaluation import Clock, Evaluation, Job, Status
from trainer.local import SupervisorProcess

HANGS_WHEN_SERVING = """
class Model(torch.nn.Embedding):
    def forward(self, x):
        time.sleep(600)

def build_model(task):
    return Model(task.vocab_size, task.vocab_size)
"""


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    scratch = tmp_path_factory.mktemp("scratch")
    settings = quick_settings(
        tiny_corpus(tmp_path_factory), scratch, clock=Clock.WALL, setup_seconds=5, score_seconds=5
    )
    with SupervisorProcess(settings) as process:
        yield process
    assert not inhabitants(scratch)
    assert not list(scratch.iterdir())


def on_time(supervisor: SupervisorProcess, body: str, **more: float) -> Evaluation:
    """Evaluate a genome that ends within its grace unless a busy machine holds it up: it has some tries."""
    verdicts = (supervisor.evaluate(Job(genome(body), 0, **more)) for _ in range(8))
    return next(verdict for verdict in verdicts if verdict.status is not Status.TIMED_OUT)


def test_waiting_is_charged_a_short_overrun_is_forgiven_and_a_longer_one_is_not(supervisor: SupervisorProcess) -> None:
    forgiven = on_time(supervisor, "task.train_tokens()\nwhile task.seconds_left() > -0.02:\n    time.sleep(0.001)")
    late = supervisor.evaluate(
        Job(genome("task.train_tokens()\nwhile task.seconds_left() > -0.3:\n    time.sleep(0.001)"), 0)
    )

    assert forgiven.status is Status.OK, forgiven.reason
    assert forgiven.objectives["train_seconds"] == forgiven.timings.train_wall_seconds
    assert 0.5 < forgiven.objectives["train_seconds"] < 0.76
    assert late.status is Status.TIMED_OUT
    assert late.reason == "trained on beyond its 0.5 s (wall clock) and the 0.26 s of grace"
    assert late.timings.train_seconds > 0.76


@pytest.mark.parametrize("where", ["import", "train"])
def test_set_up_has_a_cap(supervisor: SupervisorProcess, where: str) -> None:
    source = {"import": genome(model="time.sleep(600)\n" + MODEL), "train": genome("time.sleep(600)")}[where]

    verdict = supervisor.evaluate(Job(source, 0))

    assert verdict.status is Status.TIMED_OUT
    assert verdict.reason == "did not ask for its data within the 5 s that set-up may take"
    assert verdict.timings.train_seconds == 0


def test_scoring_has_a_cap_and_the_next_candidate_a_scorer(supervisor: SupervisorProcess) -> None:
    verdict = supervisor.evaluate(Job(genome(model=HANGS_WHEN_SERVING), 0))
    following = supervisor.evaluate(Job(genome(), 0))

    assert verdict.status is Status.TIMED_OUT
    assert verdict.reason == "was not scored within the 5 s that scoring may take"
    assert following.status is Status.OK, following.reason


def test_who_trains_far_slower_than_its_parent_is_ended_early(supervisor: SupervisorProcess) -> None:
    body = """
    task.train_tokens()
    for step in range(10**6):
        task.log(step=step, loss=1.0, tokens=10 * step)
        time.sleep(0.001)
    """
    verdict = supervisor.evaluate(Job(genome(body), 0, floor_tokens_per_second=1e6))

    assert verdict.status is Status.TOO_SLOW
    assert verdict.reason.endswith("below the 1e+06 tokens/s at which it is given up as far slower than its parent")
    assert verdict.train_tokens_per_second is not None
    assert 0 < verdict.train_tokens_per_second <= 10_000


def test_a_rung_is_told_its_own_budget_and_held_to_it(supervisor: SupervisorProcess) -> None:
    tells = (
        "task.train_tokens()\nprint(task.budget_seconds)\nwhile task.seconds_left() > {left}:\n    time.sleep(0.001)"
    )
    kept = on_time(supervisor, tells.format(left=0), budget_fraction=0.2)
    late = supervisor.evaluate(Job(genome(tells.format(left=-0.4)), 0, budget_fraction=0.2))

    assert (kept.status, kept.log_tail.split()[0]) == (Status.OK, "0.1"), kept.reason
    assert kept.objectives["train_seconds"] < 0.4
    assert late.status is Status.TIMED_OUT
    assert late.reason.startswith("trained on beyond its 0.1 s")


def test_on_the_wall_clock_more_threads_than_given_are_charged(supervisor: SupervisorProcess) -> None:
    # Processes, since threads of Python take turns.
    body = """
    task.train_tokens()
    for _ in range(8):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(600)
    """
    verdict = supervisor.evaluate(Job(genome(body), 0))

    assert verdict.status is Status.TIMED_OUT
    assert verdict.timings.train_seconds < 5
