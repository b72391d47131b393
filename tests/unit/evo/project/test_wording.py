"""The direction of a metric by its name, and the name of an objective by what is printed."""

import pytest

from evo.project.wording import Kind, Split, are_opponents, direction_of, identifier, is_count, split_of
from trainer.objectives import Direction


@pytest.mark.parametrize(
    "name",
    [
        "val_loss",
        "val_bpb",
        "rmse",
        "log-loss",
        "wer",
        "ppl",
        "time",
        "latency_ms",
        "seconds",
        "peak_vram_mb",
        "error_rate",
        "ms/step",
        "seconds_per_epoch",
        "valLoss",
        "negative_log_likelihood",
        "max_error",
        "neg_r2",
        "tour length",
        "bits/dim",
        "val nats per token",
        "val_bpd",
        "Mean length of routes",
        "path_length",
        "Brier score",
        "val cross-entropy",
        "accuracy gap",
    ],
)
def test_less_is_better(name: str) -> None:
    direction, kind = direction_of(name)
    assert direction is Direction.MINIMIZE
    assert kind is not Kind.UNKNOWN


@pytest.mark.parametrize("name", ["score_time", "cost time", "eval_loss_time", "reward_memory", "Accuracy latency"])
def test_a_time_is_one_whatever_it_is_the_time_of(name: str) -> None:
    assert direction_of(name) == (Direction.MINIMIZE, Kind.RESOURCE)


@pytest.mark.parametrize("name", ["mae_seconds", "rmse (ms)", "time error", "memory_score"])
def test_the_unit_of_a_quality_makes_it_no_time(name: str) -> None:
    assert direction_of(name)[1] is Kind.QUALITY


@pytest.mark.parametrize("name", ["oof_auc", "CV mean AUC", "val_loss", "held-out accuracy"])
def test_held_out_folds_are_validation_data(name: str) -> None:
    assert split_of(name) is Split.VALIDATION


@pytest.mark.parametrize(
    "name",
    [
        "val_accuracy",
        "acc",
        "Eval-AUC",
        "f1",
        "score",
        "reward",
        "bleu",
        "r2",
        "mfu",
        "throughput",
        "solve_rate",
        "tokens_per_second",
        "tok/sec",
        "log_likelihood",
        "neg_mean_squared_error",
        "valAcc",
        "average_precision",
        "dev_top1",
        "hit@10",
        "risk score",
        "neg_brier_score",
    ],
)
def test_more_is_better(name: str) -> None:
    direction, kind = direction_of(name)
    assert direction is Direction.MAXIMIZE
    assert kind is not Kind.UNKNOWN


@pytest.mark.parametrize("name", ["alpha", "chi", "delta"])
def test_a_name_that_says_nothing_is_a_guess(name: str) -> None:
    assert direction_of(name)[1] is Kind.UNKNOWN
    assert not is_count(name)


@pytest.mark.parametrize(
    "name",
    [
        "num_steps",
        "epoch",
        "depth",
        "learning_rate",
        "total_tokens_M",
        "Time budget",
        "n",
        "total",
        "3 of",
        "Total steps",
    ],
)
def test_counts_are_nothing_to_search_for(name: str) -> None:
    assert is_count(name)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("val_loss", Split.VALIDATION),
        ("Eval AUC", Split.VALIDATION),
        ("test accuracy", Split.TEST),
        ("train_loss", Split.TRAINING),
        ("accuracy", Split.UNNAMED),
        ("Out-of-sample Sharpe", Split.VALIDATION),
        ("in_sample_sharpe", Split.TRAINING),
        ("training_seconds", Split.UNNAMED),
    ],
)
def test_the_split_is_in_the_name(name: str, split: Split) -> None:
    assert split_of(name) is split


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("val_bpb", "val_bpb"),
        ("Eval AUC", "eval_auc"),
        ("Accuracy", "accuracy"),
        ("Final val_loss", "val_loss"),
        ("Accuracy of the network on the 10000 test images", "accuracy"),
        ("val epoch average loss", "val_loss"),
        ("tok/sec", "tok_per_sec"),
        ("val/loss", "val_loss"),
        ("2nd", "metric_2nd"),
    ],
)
def test_an_objective_has_a_name_that_is_an_identifier(printed: str, name: str) -> None:
    assert identifier(printed) == name


@pytest.mark.parametrize("name", ["Total value", "sum_of_radii", "area", "return on investment"])
def test_what_is_no_count_may_be_searched_for(name: str) -> None:
    assert not is_count(name)


@pytest.mark.parametrize(
    ("name", "other", "opposed"),
    [
        ("D loss", "G loss", True),
        ("generator_loss", "discriminator_loss", True),
        ("player 1 winrate", "player 2 winrate", True),
        ("agent1_score", "agent2_score", True),
        ("top 1 accuracy", "top 5 accuracy", False),
        ("actor_loss", "critic_loss", False),
        ("D loss", "G penalty", False),
    ],
)
def test_which_names_speak_of_opponents(name: str, other: str, opposed: bool) -> None:
    assert are_opponents(name, other) is are_opponents(other, name) is opposed
