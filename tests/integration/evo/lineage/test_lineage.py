import subprocess
import threading
from pathlib import Path

import psutil
import pytest
from run_samples import admit, evaluate, grow, verdict

from evo.errors import LineageError
from evo.lineage import Lineage, individual_ref
from evo.lineage.lineage import PACK_EVERY
from evo.store import IndividualRecord, Store
from trainer.evaluation import Status

ALL_REFS = ["for-each-ref", "--format=%(refname) %(objectname)"]


@pytest.fixture
def store(tmp_path: Path):
    with Store.create(tmp_path / "evo.db") as store:
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a run, é" / "lineage.git"


def git(path: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={path}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def grown(path: Path, store: Store, individuals: int = 6) -> Lineage:
    lineage = Lineage.open(path)
    grow(store, lineage, range(individuals))
    lineage.project_notes(store)
    lineage.set_best(individuals - 1)
    return lineage


def record(number: int, parents: tuple[int, ...] = (), idea: str = "an idea") -> IndividualRecord:
    return IndividualRecord(number, "llm_mutation", parents, idea, "", 1_790_000_000.75)


def test_an_individual_is_a_commit_of_its_genome(path: Path, store: Store) -> None:
    lineage = grown(path, store)
    ref = individual_ref(4)
    assert ref == "refs/individuals/04/00000004"
    assert git(path, "rev-parse", ref).strip() == lineage.commit_of(4)
    assert git(path, "show", f"{ref}:train.py") == store.source(4)
    assert git(path, "log", "-1", "--format=%s|%an|%at|%ct", ref) == "try a new width|evo|{0}|{0}\n".format(
        int(store.individual(4).created_at)
    )
    trailers = git(path, "log", "-1", "--format=%(trailers:only,unfold)", ref)
    assert trailers.strip() == "Evo-Individual: 4\nEvo-Operator: random_mutation"


def test_crossover_is_a_commit_of_two_parents(path: Path, store: Store) -> None:
    lineage = grown(path, store)
    assert git(path, "log", "-1", "--format=%P", individual_ref(4)).split() == [
        lineage.commit_of(3),
        lineage.commit_of(2),
    ]
    graph = git(path, "log", "--graph", "--format=%s", "--glob=refs/individuals")
    assert "|\\" in graph


def test_evaluations_are_notes(path: Path, store: Store) -> None:
    grown(path, store)
    (failed,) = admit(store, 6, (5,))
    evaluate(store, failed, verdict(status=Status.OUT_OF_MEMORY))
    lineage = Lineage.open(path)
    lineage.project(store.individual(6), store.source(6))
    lineage.project_missing(store)
    notes = git(path, "log", "-1", "--notes=evaluations", "--format=%N", individual_ref(3)).strip()
    assert notes == (
        "4. search, seed 1, attempt 1 on cpu: ok: tokens_per_second 100000.0, val_bpb 1.497, val_bpb[S] 1.497"
    )
    assert "out_of_memory" in git(path, "notes", "--ref=evaluations", "show", individual_ref(6))


def test_head_is_the_best(path: Path, store: Store) -> None:
    lineage = grown(path, store)
    lineage.set_best(2)
    assert git(path, "rev-parse", "HEAD").strip() == lineage.commit_of(2)


def test_git_finds_nothing_wrong(path: Path, store: Store) -> None:
    grown(path, store)
    checked = subprocess.run(
        ["git", f"--git-dir={path}", "fsck", "--strict"], capture_output=True, text=True, check=True
    )
    assert "dangling" not in checked.stdout
    assert checked.stderr == ""


def test_projecting_again_gives_the_same_hashes(path: Path, store: Store, tmp_path: Path) -> None:
    lineage = grown(path, store)
    lineage.project_missing(store)
    again = Lineage.open(tmp_path / "again.git")
    again.project_missing(store)
    again.set_best(5)
    assert git(again.path, *ALL_REFS) == git(path, *ALL_REFS)


def test_notes_do_not_depend_on_when_they_were_projected(path: Path, store: Store, tmp_path: Path) -> None:
    often, once = Lineage.open(path), Lineage.open(tmp_path / "once.git")
    for number in range(6):
        grow(store, often, range(number, number + 1))
        often.project_notes(store)
    once.project_missing(store)
    assert git(path, *ALL_REFS) == git(once.path, *ALL_REFS)


def test_nothing_is_missing_after_a_clean_run(path: Path, store: Store) -> None:
    lineage = grown(path, store)
    assert lineage.project_missing(store) == 0
    assert Lineage.open(path).project_missing(store) == 0


@pytest.mark.parametrize("content", [b"", b"\x78\x9cgarbage", None])
@pytest.mark.parametrize("revision", ["{}", "{}^{{tree}}", "{}:train.py"])
def test_a_damaged_object_is_written_again(path: Path, store: Store, content: bytes | None, revision: str) -> None:
    grown(path, store)
    name = git(path, "rev-parse", revision.format(individual_ref(3))).strip()
    damaged = path / "objects" / name[:2] / name[2:]
    damaged.unlink()
    if content is not None:
        damaged.write_bytes(content)
    assert Lineage.open(path).project_missing(store) == 1
    git(path, "fsck", "--strict")


def test_missing_and_damaged_refs_are_written_again(path: Path, store: Store) -> None:
    grown(path, store)
    before = git(path, *ALL_REFS)
    (path / individual_ref(1)).unlink()
    (path / individual_ref(2)).write_bytes(b"")
    (path / "refs/notes/evaluations").write_bytes(b"")
    (path / "refs/heads/best").write_bytes(b"")
    lineage = Lineage.open(path)
    assert lineage.project_missing(store) == 3
    lineage.set_best(5)
    assert git(path, *ALL_REFS) == before
    git(path, "fsck", "--strict")


def test_leftovers_of_a_kill_do_not_stand_in_the_way(path: Path, store: Store) -> None:
    grown(path, store)
    git(path, "pack-refs", "--all")
    leftovers = [path / f"{individual_ref(3)}.lock", path / "packed-refs.lock", path / "packed-refs.new"]
    leftovers.append(path / "objects" / "objx1y2z3")
    for leftover in leftovers:
        leftover.parent.mkdir(parents=True, exist_ok=True)
        leftover.touch()
    (path / "HEAD").write_bytes(b"")
    with (path / "packed-refs").open("ab") as file:
        file.write(b"12ab")
    lineage = Lineage.open(path)
    assert lineage.project_missing(store) == 7
    assert not any(leftover.exists() for leftover in leftovers)
    lineage._refs.pack()
    git(path, "fsck", "--strict")


def test_a_repository_packed_by_hand_still_works(path: Path, store: Store) -> None:
    grown(path, store)
    git(path, "gc", "--quiet")
    lineage = Lineage.open(path)
    before = lineage.commit_of(5)
    grow(store, lineage, range(6, 8))
    lineage.project_missing(store)
    assert lineage.commit_of(5) == before
    git(path, "fsck", "--strict")


def test_what_a_person_adds_to_the_repository_stays(path: Path, store: Store) -> None:
    grown(path, store)
    git(path, "remote", "add", "origin", "https://example.org/x.git")
    git(path, "tag", "favourite", individual_ref(3))
    git(path, "symbolic-ref", "refs/heads/latest", "refs/heads/best")
    before = git(path, *ALL_REFS)
    assert Lineage.open(path).project_missing(store) == 0
    assert git(path, *ALL_REFS) == before
    assert git(path, "remote").split() == ["origin"]


def test_a_ref_is_written_once_a_person_s_git_lets_go_of_it(path: Path) -> None:
    lineage = Lineage.open(path)
    lock = path / f"{individual_ref(0)}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    let_go = threading.Timer(0.1, lock.unlink)
    let_go.start()
    lineage.project(record(0), "x = 1\n")
    let_go.join()
    assert git(path, "rev-parse", individual_ref(0)).strip() == lineage.commit_of(0)


def test_a_parent_without_a_commit_is_an_error(path: Path) -> None:
    lineage = Lineage.open(path)
    with pytest.raises(LineageError, match="Individual 3 was expected to have a commit"):
        lineage.project(record(4, (3,)), "x = 1\n")


def test_a_repository_that_cannot_be_written_is_an_error_that_says_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a file in the way")
    with pytest.raises(LineageError, match="The store still holds everything"):
        Lineage.open(path)


def test_a_folder_that_was_moved_meanwhile_is_continued_where_it_is(path: Path) -> None:
    lineage = Lineage.open(path)
    path.parent.rename(path.parent.with_name("moved"))
    with pytest.raises(LineageError, match="If it was moved, continue there"):
        lineage.project(record(0), "x = 1\n")


@pytest.mark.parametrize(
    ("idea", "subject"),
    [
        ("", "Individual 0"),
        ("-- --upload-pack=x", "-- --upload-pack=x"),
        ("\x00\x1b[31mred\x07 \u202eflip\u2066 \ufeffbom", "[31mred flip bom"),
        ("é" * 300, "é" * 99 + "…"),
        ("\nlater line", "later line"),
    ],
)
def test_ideas_are_made_safe_to_show(path: Path, idea: str, subject: str) -> None:
    Lineage.open(path).project(record(0, idea=idea), "x = 1\n")
    assert git(path, "log", "-1", "--format=%s", individual_ref(0)).rstrip("\n") == subject


def test_an_idea_cannot_forge_trailers(path: Path) -> None:
    Lineage.open(path).project(record(0, idea="faster\n\nEvo-Individual: 99"), "x = 1\n")
    trailers = git(path, "log", "-1", "--format=%(trailers:key=Evo-Individual,valueonly)", individual_ref(0))
    assert trailers.split() == ["0"]


def test_the_settings_of_the_user_have_no_influence(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = Lineage.open(tmp_path / "plain.git").project(record(0), "x = 1\n")
    home = tmp_path / "home"
    (home / "templates" / "hooks").mkdir(parents=True)
    (home / ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {home / 'templates'}\n\tdefaultObjectFormat = sha256\n"
        "[i18n]\n\tcommitEncoding = latin1\n[commit]\n\tgpgSign = true\n[user]\n\tname = Me\n\temail = me@x\n"
    )
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_DATE", "GIT_DEFAULT_HASH"):
        monkeypatch.setenv(name, "sha256")
    monkeypatch.setenv("HOME", str(home))
    lineage = Lineage.open(path)
    assert lineage.project(record(0), "x = 1\n") == plain
    lineage._refs.pack()
    assert not (tmp_path / "elsewhere").exists()
    assert not (path / "hooks").exists()
    assert plain in (path / "packed-refs").read_text()


def test_many_commits_leak_no_descriptors_and_pack_their_refs(path: Path) -> None:
    lineage = Lineage.open(path)
    lineage.project(record(0), "x = 0\n")
    before = len(list(Path("/proc/self/fd").iterdir()))
    children = psutil.Process().children()
    for number in range(1, PACK_EVERY + 1):
        lineage.project(record(number, (number // 2,)), f"x = {number}\n")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    loose = [file for file in (path / "refs").rglob("*") if file.is_file()]
    assert len(loose) == 1
    assert Lineage.open(path).commit_of(7) == lineage.commit_of(7)
    assert psutil.Process().children() == children
