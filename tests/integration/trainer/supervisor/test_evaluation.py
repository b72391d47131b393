"""What an evaluation measures, charges and records, with real training of a tiny model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from trainer_runs import BIGRAM, MODEL, genome, inhabitants, quick_settings, role, tiny_corpus

from trainer.corpus import Corpus
from trainer.evaluation import Clock, Evaluation, Job, Split, Status
from trainer.local import SupervisorProcess
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

SECRET = "not-for-candidates"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tiny_corpus(tmp_path_factory)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def supervisor(corpus: Corpus, scratch: Path) -> Iterator[SupervisorProcess]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", SECRET)
        process = SupervisorProcess(quick_settings(corpus, scratch))
    with process:
        yield process
        assert process.alive
    assert not inhabitants(scratch)
    assert not list(scratch.iterdir())


@pytest.fixture(scope="module")
def bigram(supervisor: SupervisorProcess) -> Evaluation:
    return supervisor.evaluate(Job(genome(BIGRAM + "    print('\\033[1mdone\\033[0m\\r\\x00')\n"), 7, tuple(Split)))


def printed(supervisor: SupervisorProcess, body: str) -> str:
    """Run `body` as training and return what it printed."""
    verdict = supervisor.evaluate(Job(genome(body), 0))
    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    return verdict.log_tail


def test_every_objective_is_measured(bigram: Evaluation) -> None:
    assert bigram.status is Status.OK, (bigram.reason, bigram.log_tail)
    assert bigram.objectives.keys() == LANGUAGE_MODEL_OBJECTIVES.keys()
    assert 300 * 300 < bigram.objectives["parameters"] < 300 * 300 + 40  # and the header of the file
    assert bigram.objectives["code_lines"] == 12
    assert bigram.objectives["peak_memory_mib"] > 100
    assert bigram.objectives["tokens_per_second"] > 1000
    assert bigram.objectives["train_seconds"] == bigram.timings.train_seconds > 0
    assert (bigram.seed, bigram.device, bigram.clock, bigram.reason) == (7, "cpu", Clock.CPU, "")


def test_the_score_is_the_cross_entropy_of_the_held_out_text_per_byte(corpus: Corpus, bigram: Evaluation) -> None:
    import numpy as np

    tokens = np.fromfile(corpus.train_path, "<i4")
    counts = np.full((300, 300), 0.01)
    np.add.at(counts, (tokens[:-1], tokens[1:]), 1)
    bits = -np.log2(counts / counts.sum(1, keepdims=True))
    for split in Split:
        held_out = corpus.held_out(split)
        starts = np.linspace(0, len(held_out) - 33, 64).astype(int)
        blocks = held_out[starts[:, None] + np.arange(33)]
        inputs, targets = blocks[:, :-1], blocks[:, 1:]
        text_bytes = corpus.token_bytes[targets]
        expected = bits[inputs, targets][text_bytes > 0].sum() / text_bytes.sum()
        assert bigram.split_bpb[split] == pytest.approx(expected, rel=1e-5)
    assert bigram.objectives["val_bpb"] == bigram.split_bpb[Split.SELECTION]


@pytest.mark.parametrize(("margin", "splits"), [(0.01, {"S", "G"}), (-0.01, {"S"})])
def test_who_scores_below_the_best_is_scored_on_the_holdout_split_as_well(
    supervisor: SupervisorProcess, bigram: Evaluation, margin: float, splits: set[str]
) -> None:
    below = bigram.split_bpb["S"] + margin

    verdict = supervisor.evaluate(Job(genome(), 7, holdout_below=below))

    assert verdict.status is Status.OK, verdict.reason
    assert verdict.split_bpb == pytest.approx({split: bigram.split_bpb[split] for split in splits})
    assert verdict.objectives["val_bpb"] == verdict.split_bpb["S"]


@pytest.mark.parametrize(
    ("splits", "holdout_below", "probes"),
    [(("S",), 0.0, 16), (("S",), 99.0, 128), (("S", "F"), 99.0, 192), (("S", "G"), 0.0, 128), (("S",), None, 16)],
)
def test_possible_incumbents_have_every_block_probed(
    supervisor: SupervisorProcess, splits: tuple[str, ...], holdout_below: float | None, probes: int
) -> None:
    model = "def build_model(task):\n    return Moody(task.vocab_size)\n" + MOODY

    verdict = supervisor.evaluate(Job(genome(model=model), 0, tuple(map(Split, splits)), holdout_below))

    assert verdict.status is Status.REJECTED
    assert f"({probes} of {probes} probes moved)" in re.sub("tolerance [^;]*; ", "", verdict.reason)


MOODY = """
class Moody(torch.nn.Embedding):
    def __init__(self, size):
        super().__init__(size, size)
        self.mood = torch.tensor(list(os.urandom(size))) / 64
    def forward(self, x):
        return super().forward(x) + self.mood
"""


def test_the_seconds_of_a_worker_are_accounted_for(bigram: Evaluation) -> None:
    timings = bigram.timings

    assert 0 < timings.train_wall_seconds < timings.total_seconds
    assert 0 < timings.score_seconds < timings.total_seconds
    assert timings.outside_seconds == pytest.approx(
        timings.total_seconds - timings.train_wall_seconds - timings.score_seconds
    )


@pytest.mark.parametrize(
    ("part", "step"),
    [
        ("forward", "layer(batch)"),
        ("backward", "loss.backward(retain_graph=True)"),
        ("optimizer", "[optimizer.step() for _ in range(10)]"),
        ("elsewhere", "batch @ layer.weight"),
    ],
)
def test_where_the_time_of_a_training_went_is_sampled(supervisor: SupervisorProcess, part: str, step: str) -> None:
    body = f"""
    layer, batch = torch.nn.Linear(1500, 1500), torch.randn(1000, 1500)
    optimizer = torch.optim.AdamW(layer.parameters())
    loss = layer(batch).square().mean()
    loss.backward(retain_graph=True)
    task.train_tokens()
    while task.seconds_left() > 0:
        {step}
    """
    parts = supervisor.evaluate(Job(genome(body), 0)).timings.train_parts
    assert max(parts, key=lambda one: parts[one]) == part
    assert sum(parts.values()) == pytest.approx(1)


def test_a_training_without_a_thread_to_spare_is_not_sampled(supervisor: SupervisorProcess) -> None:
    body = "import threading\nthreading.stack_size(2**46)  # more than there is\ntask.train_tokens()\n"
    verdict = supervisor.evaluate(Job(genome(body), 0))
    assert (verdict.status, verdict.timings.train_parts) == (Status.OK, {}), verdict.reason


def test_the_curve_and_the_clean_end_of_the_output_are_recorded(bigram: Evaluation) -> None:
    assert [(point.step, point.loss) for point in bigram.curve] == [(1, 1.0)]
    assert 0 < bigram.curve[0].seconds < 0.76
    assert bigram.log_tail == "done"


def test_a_verdict_survives_json(bigram: Evaluation) -> None:
    assert Evaluation.from_json(bigram.to_json()) == bigram


def test_the_seed_decides_every_generator_in_training(supervisor: SupervisorProcess) -> None:
    model = MODEL.replace(
        "):\n", "):\n    import numpy, random\n    print(torch.rand(1).item(), random.random(), numpy.random.rand())\n"
    )

    one, again, other = (supervisor.evaluate(Job(genome("pass", model), seed)) for seed in (0, 0, 1))

    assert one.log_tail == again.log_tail
    assert all(here != there for here, there in zip(one.log_tail.split(), other.log_tail.split(), strict=True))


def test_the_data_is_handed_over_once_and_is_private(supervisor: SupervisorProcess, corpus: Corpus) -> None:
    before = corpus.train_path.read_bytes()

    said = printed(
        supervisor,
        """
        assert task.seconds_left() == task.budget_seconds == 0.5
        tokens = task.train_tokens()
        assert tokens is task.train_tokens() and 0 < task.seconds_left() < 0.5
        print(tokens.dtype, tokens.shape, tokens.device, int(tokens.max()))
        tokens.fill_(0)
        """,
    )

    assert said == f"torch.int32 torch.Size([{corpus.train_tokens}]) cpu 299"
    assert corpus.train_path.read_bytes() == before


def test_waiting_is_not_charged_on_the_cpu_clock(supervisor: SupervisorProcess) -> None:
    verdict = supervisor.evaluate(Job(genome("task.train_tokens()\ntime.sleep(1.2)"), 0))

    assert verdict.status is Status.OK
    assert verdict.objectives["train_seconds"] < 0.5
    assert verdict.timings.train_wall_seconds > 1.2


@pytest.mark.parametrize("reaping", ["os.waitpid(child, 0)", "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"])
def test_the_work_of_children_and_orphans_is_charged(supervisor: SupervisorProcess, reaping: str) -> None:
    body = f"""
        task.train_tokens()
        finished, working = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                while time.process_time() < 0.35:
                    pass
            os._exit(0)
        {reaping}
        os.close(working)
        os.read(finished, 1)  # returns when the last of them has ended
        """

    verdict = supervisor.evaluate(Job(genome(body), 0))

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert verdict.objectives["train_seconds"] > 0.3


def test_a_genome_that_trains_nothing_is_scored(supervisor: SupervisorProcess) -> None:
    verdict = supervisor.evaluate(Job(genome("pass", "def build_model(task):\n    return Zeros()\n" + ZEROS), 0))

    assert verdict.status is Status.OK, (verdict.reason, verdict.log_tail)
    assert verdict.objectives["train_seconds"] == 0
    assert verdict.objectives["parameters"] < 40


ZEROS = """
class Zeros(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Parameter(torch.zeros(1))
    def forward(self, x):
        logits = torch.zeros(*x.shape, 300)
        logits[..., 299] = -math.inf  # a token that is never a target
        return logits + self.one
"""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def train(:", "SyntaxError: "),
        ("x = '\udcff'", "UnicodeEncodeError: "),
        ("x = 0\0", "(SyntaxError|ValueError): "),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module' .line 1"),
        ("", "must define a function `build_model`"),
        ("def build_model(task): return 3\ndef train(model, task): pass", "must return a torch.nn.Module"),
    ],
)
def test_what_is_no_genome_is_told_why(supervisor: SupervisorProcess, source: str, reason: str) -> None:
    verdict = supervisor.evaluate(Job(source, 0))

    assert verdict.status in (Status.CRASHED, Status.REJECTED)
    assert pytest.approx(0) == verdict.timings.train_seconds
    assert re.search(reason, verdict.reason)


def test_no_process_of_a_worker_knows_a_secret(supervisor: SupervisorProcess) -> None:
    family = [psutil.Process(supervisor.pid), *psutil.Process(supervisor.pid).children(recursive=True)]

    assert {role(process) for process in family} == {
        f"trainer.{role}" for role in ("supervisor", "scoring", "candidate")
    }
    for process in family:
        assert "ANTHROPIC_API_KEY" not in process.environ()
        assert SECRET not in Path(f"/proc/{process.pid}/environ").read_text()
    assert SECRET not in printed(supervisor, "print(dict(os.environ))")


def test_the_curve_is_seen_while_the_training_goes_on(corpus: Corpus, tmp_path: Path) -> None:
    live = tmp_path / "live" / "0.json"
    seen: list[Any] = []
    with SupervisorProcess(replace(quick_settings(corpus, tmp_path / "scratch"), live=live)) as supervisor:
        with ThreadPoolExecutor(1) as threads:
            trained = threads.submit(supervisor.evaluate, Job(genome(BIGRAM + "    time.sleep(1)\n"), 7))
            while not wait([trained], 0.02).done:
                with suppress(OSError):
                    seen.append(json.loads(live.read_text()))
        assert trained.result().status is Status.OK, trained.result().log_tail
    assert {(one["name"], len(one["points"])) for one in seen} == {("training loss", 1)}
    assert seen[0]["points"][0][1] == 1.0
    assert list(live.parent.iterdir()) == []
