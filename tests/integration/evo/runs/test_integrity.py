import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from run_inspection import unguard
from run_samples import SEARCH, admit, exchange, grow, make_run, verdict

from evo.errors import RunFolderError
from evo.lineage import Lineage, individual_ref
from evo.runs.folder import RunFolder
from evo.runs.integrity import Severity, check_run
from evo.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "a run", individuals=5)


def messages(folder: RunFolder, severity: Severity = Severity.ERROR) -> str:
    return "\n".join(found.message for found in check_run(folder.path) if found.severity is severity)


def tamper(folder: RunFolder, *statements: str) -> None:
    with closing(sqlite3.connect(folder.store)) as database, database:
        unguard(database)
        for statement in statements:
            database.execute(statement)


def test_a_finished_run_and_an_empty_one_are_in_order(folder: RunFolder, tmp_path: Path) -> None:
    assert check_run(folder.path) == []
    assert check_run(make_run(tmp_path / "empty").path) == []


def test_only_runs_are_checked(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        check_run(tmp_path)


def test_what_every_kill_leaves_is_a_note(folder: RunFolder) -> None:
    with Store.open(folder.store) as store:
        grow(store, None, range(5, 7))
        (evaluation,) = admit(store, 7, (6,))
        store.launch(evaluation, "cpu")
        with folder.lock():
            assert check_run(folder.path) == []
        found = messages(folder, Severity.NOTE)
        assert {one.severity for one in check_run(folder.path)} == {Severity.NOTE}
        assert f"the driver ended during evaluation {evaluation};" in found
        assert "5 individuals or notes are not yet in" in found
        store.release_all_running("resumed")
        Lineage.open(folder.lineage).project_missing(store)
    assert check_run(folder.path) == []


def test_a_note_may_lag_behind_but_not_differ(folder: RunFolder) -> None:
    with Store.open(folder.store) as store:
        evaluation = store.enqueue(2, SEARCH)
        store.finish(evaluation, store.launch(evaluation, "cpu"), verdict(2.0))
    assert "1 individuals or notes" in messages(folder, Severity.NOTE)
    tamper(folder, "UPDATE evaluations SET seed = 99 WHERE individual = 2")
    assert "the note on individual 2 does not say" in messages(folder)


def test_a_changed_genome_is_found(folder: RunFolder) -> None:
    tamper(folder, "UPDATE genomes SET source = 'x = 1' WHERE sha256 = (SELECT genome FROM individuals WHERE id = 1)")
    found = messages(folder)
    assert "the genome of individual 1 does not have the hash" in found
    assert "the commit of individual 1 should be" in found


def test_changed_parents_are_found(folder: RunFolder) -> None:
    tamper(folder, "UPDATE proposal_parents SET parent = 0 WHERE proposal = 4 AND position = 0")
    assert "the commit of individual 4 should be" in messages(folder)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE evaluations SET told = 9 WHERE told = 5"], "5 results are accepted, but their numbers run up to 9"),
        (
            ["UPDATE attempts SET state = 'released' WHERE evaluation = 3"],
            "evaluation 3 is done, but 0 of its attempts",
        ),
        (
            ["INSERT INTO attempts SELECT evaluation, 2, device, state, '', 0, 0 FROM attempts WHERE evaluation = 3"],
            "evaluation 3 is done, but 2 of its attempts are accepted",
        ),
        (["DELETE FROM results WHERE evaluation = 2"], "evaluation 2 is ok in the table of evaluations, but missing"),
        (["UPDATE evaluations SET status = 'crashed' WHERE id = 2"], "evaluation 2 is crashed in the table"),
        (["DELETE FROM individuals WHERE id = 4"], "proposal 4 is admitted, but"),
        (["DELETE FROM proposals WHERE number = 4"], "refers to a row of table proposals that does not exist"),
        (["UPDATE spending SET cost_usd = 0.5"], "cost 0.5 US dollars by the totals, but 0.25"),
        (["UPDATE exchanges SET output_tokens = 21"], "count 0 input and 1 output tokens more"),
        (["UPDATE exchanges SET cost_usd = NULL"], "cost 0.25 US dollars by the totals, but 0.0"),
    ],
)
def test_contradictions_in_the_store_are_found(folder: RunFolder, statements: list[str], expected: str) -> None:
    with Store.open(folder.store) as store:
        store.begin_proposal(5, "llm_mutation", (4,), result_number=5)
        store.journal(5).record_request(0, exchange().request)
        store.journal(5).record_exchange(0, exchange())
    assert check_run(folder.path) == []
    tamper(folder, *statements)
    assert expected in messages(folder)


def test_a_damaged_store_is_one_error(folder: RunFolder) -> None:
    content = folder.store.read_bytes()
    folder.store.write_bytes(content[:8192] + b"\xff" * 8192 + content[16384:])
    assert messages(folder)


def test_a_ref_without_a_row_is_found(folder: RunFolder) -> None:
    stranger = folder.lineage / individual_ref(77)
    stranger.parent.mkdir()
    stranger.write_bytes((folder.lineage / individual_ref(1)).read_bytes())
    assert messages(folder) == "refs/individuals/4d/0000004d names an individual that the store does not have"


def test_a_wrong_best_is_found(folder: RunFolder) -> None:
    (folder.lineage / "refs/heads/best").write_text("0" * 40 + "\n")
    assert "is the commit of no individual" in messages(folder)


def test_damaged_objects_are_found(folder: RunFolder) -> None:
    files = [file for file in (folder.lineage / "objects").rglob("*") if file.is_file()]
    for file in files:
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(b"")
        assert messages(folder), file
        file.write_bytes(content)
    assert check_run(folder.path) == []


def test_what_git_quotes_of_a_damaged_repository_is_told(folder: RunFolder) -> None:
    (folder.lineage / "config").write_bytes(b"[core]\n\tbare = \xfd\n")
    assert "bad boolean config value '\N{REPLACEMENT CHARACTER}'" in messages(folder)


@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs", "refs/heads/best", "refs/individuals/01", "objects"])
def test_a_pipe_in_the_repository_is_found_and_replaced(folder: RunFolder, name: str) -> None:
    place = folder.lineage / name
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    assert messages(folder) == f"{place} is neither a file nor a folder; `evo resume` replaces it"
    with Store.read(folder.store) as store:
        lineage = Lineage.open(folder.lineage)
        lineage.project_missing(store)
        lineage.set_best(1)
    assert check_run(folder.path) == []


def test_a_repository_packed_by_hand_is_in_order(folder: RunFolder) -> None:
    subprocess.run(["git", f"--git-dir={folder.lineage}", "gc", "--quiet"], check=True)
    assert check_run(folder.path) == []


def test_a_missing_repository_is_written_again(folder: RunFolder) -> None:
    shutil.rmtree(folder.lineage)
    assert [found.severity for found in check_run(folder.path)] == [Severity.NOTE]


@pytest.mark.parametrize(
    "damage",
    ["", 'seed = "cut o', "seed = 1\n", None, "pipe"],
    ids=["empty", "no TOML", "cut off", "gone", "pipe"],
)
def test_a_damaged_configuration_is_a_warning_for_the_store_has_it(folder: RunFolder, damage: str | None) -> None:
    with Store.open(folder.store) as store:
        store.record_event("configured", {"config": "seed = 1\ngens = 2\n", "newest_proposal": None})
    folder.seal("seed = 1\ngens = 2\n")
    assert check_run(folder.path) == []
    folder.seal("seed = 1\ngens = 3\n")
    assert "was edited" in messages(folder, Severity.WARNING)
    folder.config.unlink()
    if damage == "pipe":
        os.mkfifo(folder.config)
    elif damage is not None:
        folder.config.write_text(damage)
    assert "writes it again from the store" in messages(folder, Severity.WARNING)


def test_a_configuration_that_is_nowhere_is_an_error(folder: RunFolder) -> None:
    folder.config.write_text("")
    assert check_run(folder.path) == []  # an empty table, as far as is known
    folder.config.write_text("[")
    assert "the store does not have it" in messages(folder)
