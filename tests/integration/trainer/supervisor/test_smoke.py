"""Smoke runs of genomes of the language-model task, with the real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from trainer_runs import BIGRAM, genome, quick_settings, tiny_corpus

from trainer.evaluation import Clock, Evaluation, Job, Status
from trainer.genome import built_in
from trainer.local import SupervisorProcess

BUDGET_SECONDS = 60.0


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    corpus, scratch = tiny_corpus(tmp_path_factory), tmp_path_factory.mktemp("scratch")
    with SupervisorProcess(quick_settings(corpus, scratch, train_seconds=BUDGET_SECONDS, clock=Clock.WALL)) as process:
        yield process
    assert not list(scratch.iterdir())


def smoke(supervisor: SupervisorProcess, source: str) -> Evaluation:
    return supervisor.evaluate(Job(source, 1, is_smoke=True))


def test_a_program_trains_for_a_moment_answers_and_is_not_measured(supervisor: SupervisorProcess) -> None:
    begins = "print('told', task.budget_seconds, task.seconds_left())\ntask.train_tokens()\n"
    body = begins + "while task.seconds_left() > 0:\n    pass\n"
    tried = smoke(supervisor, genome(body + "time.sleep(0.5)  # the step that is too long\nprint('trained')"))
    assert (tried.status, tried.reason, tried.objectives, tried.split_bpb) == (Status.OK, "", {}, {})
    assert f"told {BUDGET_SECONDS} 1.0" in tried.log_tail
    assert "trained" in tried.log_tail
    assert tried.timings.train_wall_seconds < BUDGET_SECONDS / 2


@pytest.mark.parametrize("name", ["", "textbook"])
def test_generation_0_has_the_size_of_its_whole_budget(supervisor: SupervisorProcess, name: str) -> None:
    tried = smoke(supervisor, built_in(name))
    assert (tried.status, tried.reason) == (Status.OK, "")


def test_nothing_is_compiled(supervisor: SupervisorProcess) -> None:
    """Compiling takes longer than everything else that is tried."""
    model = """
    def refused(graph, inputs):
        raise RuntimeError("was compiled")

    def build_model(task):
        return torch.compile(torch.nn.Embedding(task.vocab_size, task.vocab_size), backend=refused)
    """
    tried = smoke(supervisor, genome("model(task.train_tokens()[:8].long())", model))
    assert (tried.status, tried.reason) == (Status.OK, "")


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        (genome(model="def build_model(task):\n    raise ValueError('no such layer')\n"), Status.CRASHED, "no such"),
        (genome("raise RuntimeError('in the first step')"), Status.CRASHED, "in the first step"),
        (
            genome(model="def build_model(task):\n    return torch.nn.Embedding(task.vocab_size, 7)\n"),
            Status.CRASHED,
            "shape",
        ),
        (
            genome(
                "task.train_tokens()",
                """
                class Model(torch.nn.Embedding):
                    def forward(self, tokens):
                        if torch.is_inference_mode_enabled():
                            raise RuntimeError("while it answers")
                        return super().forward(tokens)

                def build_model(task):
                    return Model(task.vocab_size, task.vocab_size)
                """,
            ),
            Status.CRASHED,
            "while it answers",
        ),
    ],
    ids=["set-up", "training", "shape", "scoring"],
)
def test_what_breaks_anywhere_is_found(supervisor: SupervisorProcess, source: str, status: Status, reason: str) -> None:
    tried = smoke(supervisor, source)
    assert tried.status is status, (tried.reason, tried.log_tail)
    assert reason in tried.reason


def test_an_evaluation_follows_a_smoke_run_on_the_same_worker(supervisor: SupervisorProcess) -> None:
    assert smoke(supervisor, genome()).status is Status.OK
    scored = supervisor.evaluate(Job(genome(BIGRAM), 1))
    assert (scored.status, scored.reason) == (Status.OK, "")
    assert "val_bpb" in scored.objectives
