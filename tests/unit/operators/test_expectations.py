"""The expected effect of an idea is read from its words."""

from __future__ import annotations

import pytest

from operators.expectations import expected_change


@pytest.mark.parametrize(
    ("idea", "change"),
    [
        ("Wider layers (expected val_bpb -0.01)", -0.01),
        ("Wider layers (expected val_bpb −0.01).", -0.01),
        ("Wider layers, Expected val_bpb +.5 at best", 0.5),
        ("Wider layers (expected val_bpb -1e-3)", -0.001),
        ("Wider layers (expected val_bpb -0.01 to -0.02)", -0.01),
        ("Wider layers (expected val_bpb -1%)", None),
        ("Wider layers (expected train_loss -0.01)", None),
        ("Wider layers are expected to help", None),
        ("", None),
    ],
)
def test_the_expected_change_is_the_one_that_is_stated_in_the_objective(idea: str, change: float | None) -> None:
    assert expected_change(idea, "val_bpb") == change
