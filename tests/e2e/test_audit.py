"""`evo audit` on a few genomes; all of them are tried by tests/cheats and tests/honest."""

from __future__ import annotations

import json

import pytest
from command_line import evo


def test_a_cheat_is_listed_with_its_trick_its_verdict_and_the_evidence() -> None:
    done = evo("audit", "--only", "next_token", "--device", "cpu")

    assert done.returncode == 0, done.stderr
    listed, evidence, verdict = done.stdout.splitlines()
    assert listed.split()[:3] == ["✓", "next_token", "rejected"]
    assert listed.endswith("Adds the next token of the block to its own logit.")
    assert "causality: at position" in evidence
    assert verdict.startswith("1 verdict on cpu, ")
    assert verdict.endswith(": all of them right")


@pytest.mark.full
def test_honest_genomes_are_scored_with_every_seed() -> None:
    done = evo("audit", "--honest", "--only", "bigram", "--seeds", "2", "--device", "cpu", "--json")

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert [(one["name"], one["seed"], one["got"], one["right"]) for one in facts] == [
        ("bigram", 0, "ok", True),
        ("bigram", 1, "ok", True),
    ]


@pytest.mark.parametrize("options", [(), ("--honest",)])
def test_an_unknown_genome_is_refused(options: tuple[str, ...]) -> None:
    done = evo("audit", "--only", "nothing", *options)

    assert done.returncode == 2
    assert "--only must name a genome of the audit, but 'nothing' is none of: " in done.stderr


def test_an_edit_of_a_script_that_only_a_run_can_tell() -> None:
    done = evo("audit", "--script", "--only", "forges_unseen", "--only", "edits_the_print", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    facts = {one["name"]: one for one in json.loads(done.stdout)}
    assert facts["edits_the_print"]["got"] == "refused"
    assert "restore it exactly" in facts["edits_the_print"]["evidence"]
    assert facts["forges_unseen"]["got"] != "ok"
    assert facts["forges_unseen"]["right"]


def test_an_honest_edit_of_a_script_is_scored() -> None:
    done = evo("audit", "--script", "--honest", "--only", "temperature")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "temperature" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 verdict: all of them right"
