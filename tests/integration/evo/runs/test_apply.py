"""Individuals as commits in real repositories, whatever state these are in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.apply import Applied, apply_individual
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import view
from evo.store import EvaluationRequest, Purpose, Store
from trainer.errors import EvoError, MachineError, UsageError
from trainer.evaluation import Clock, Evaluation, Split, Status
from trainer.genome import join

ZERO = "# é\nLR = 0.01\nDEPTH = 4\n"
BETTER = ZERO.replace("0.01", "0.02")
DEEPER = ZERO.replace("= 4", "= 6")
IDEA = "LR 0.01 → 0.02"
BOTH = (Split.SELECTION, Split.HOLDOUT)


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode().strip("\n")


def repository(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Make a repository with one commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "begin")
    return folder


def verdict(bpb: float, seed: int, status: Status = Status.OK) -> Evaluation:
    measured = {"val_bpb": bpb, "tokens_per_second": 1e5, "run_seconds": 2.0} if status is Status.OK else {}
    splits = {"S": bpb, "G": bpb + 0.1} if measured else {}
    return Evaluation(status, seed, "cpu", Clock.CPU, "none", objectives=measured, split_bpb=splits)


def run(
    folder: Path,
    task: dict[str, Any],
    sources: Sequence[str] = (ZERO, BETTER, DEEPER),
    ideas: Mapping[int, str] | None = None,
) -> Path:
    """Make a run whose individuals have these sources; individual 1 is confirmed, 2 crashes."""
    created = RunFolder.create(folder)
    created.seal(resolve(parse_config({"task": task}), {}).to_toml())
    with Store.create(created.store) as store:
        for number, source in enumerate(sources):
            purpose = {0: Purpose.BASELINE, 1: Purpose.CONFIRM}.get(number, Purpose.SEARCH)
            seeds = (1,) if purpose is Purpose.SEARCH else (1, 2, 3)
            store.begin_proposal(
                number, "constants" if number else "seed", (0,) if number else (), store.last_result_number()
            )
            requests = [EvaluationRequest(seed, BOTH, purpose) for seed in seeds]
            idea = (ideas or {}).get(number, IDEA if number else "Generation 0")
            ids = store.admit(number, source=source, normal_form=source, idea=idea, evaluations=requests)
            for seed, id_ in zip(seeds, ids, strict=True):
                status = Status.CRASHED if number == 2 else Status.OK
                store.finish(id_, store.launch(id_, "cpu"), verdict(1.5 - number / 10 + seed / 1000, seed, status))
    return folder


def apply(path: Path, individual: int = 1) -> Applied:
    with view(path) as viewed:
        return apply_individual(viewed, viewed.store.individual(individual))


def refusal(path: Path, individual: int = 1, kind: type[EvoError] = UsageError) -> str:
    with pytest.raises(kind) as refused:
        apply(path, individual)
    text = str(refused.value)
    assert "\n" not in text
    return text


@dataclass(frozen=True)
class State:
    """Everything of a repository that must stay as it is."""

    head: str
    index: bytes
    status: str
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> State:
        own = (path for path in folder.rglob("*") if ".git" not in path.parts and path.is_file())
        index = Path(git(folder, "rev-parse", "--absolute-git-dir")) / "index"
        return cls(
            head=(index.parent / "HEAD").read_text(),
            index=index.read_bytes(),
            status=git(folder, "--no-optional-locks", "status", "--porcelain"),
            files={str(path): path.read_bytes() for path in own},
        )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"train.py": ZERO, "README.md": "mine\n"})


@pytest.fixture
def path(tmp_path: Path, project: Path) -> Path:
    return run(tmp_path / "runs" / "tonight", {"genome": str(project / "train.py")})


def test_the_first_commit_begins_at_head_and_the_next_goes_on_top(project: Path, path: Path) -> None:
    first = apply(path)
    assert first == Applied(project, "evo/tonight", git(project, "rev-parse", "evo/tonight"), first.parent, is_new=True)
    assert first.parent == git(project, "rev-parse", "main")
    assert git(project, "show", "evo/tonight:train.py") + "\n" == BETTER
    assert git(project, "diff", "--name-only", "main", "evo/tonight") == "train.py"
    second = apply(path, 2)
    assert second.parent == first.commit
    assert git(project, "show", "evo/tonight:train.py") + "\n" == DEEPER
    assert apply(path, 2) == Applied(project, "evo/tonight", second.commit, first.commit, is_new=False)
    assert git(project, "rev-list", "--count", "evo/tonight") == "3"
    git(project, "fsck", "--strict")


def test_the_message_says_what_was_measured(project: Path, path: Path) -> None:
    apply(path)
    subject, gain, table, trailers = git(project, "log", "-1", "--format=%B", "evo/tonight").strip().split("\n\n")
    assert subject == IDEA
    assert " ".join(gain.split()) == (
        "Gain over generation 0 in val_bpb: +0.1000 bits per byte, 95% interval +0.1000 to +0.1000, with 3 training "
        "seeds on held-out text that selection never used; beyond noise."
    )
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["val_bpb", "1.5020", "1.4020", "bits", "per", "byte"],
        ["tokens_per_second", "100,000", "100,000", "tokens/s"],
    ]
    assert trailers == "Evo-Run: tonight\nEvo-Individual: 1\nEvo-Operator: constants"
    apply(path, 2)
    message = git(project, "log", "-1", "--format=%B", "evo/tonight")
    assert "Gain over generation 0: not confirmed (evaluations: 1 crashed)." in message


def test_an_idea_is_text_and_nothing_else(tmp_path: Path, project: Path) -> None:
    idea = "--amend -m\x1b[31m `touch hacked`\n\nEvo-Individual: 99\nSigned-off-by: you\u202e " + "word " * 40
    path = run(tmp_path / "r", {"genome": str(project / "train.py")}, ideas={1: idea})
    apply(path)
    subject = git(project, "log", "-1", "--format=%s", "evo/r")
    assert subject.startswith(r"--amend -m\u001b[31m `touch hacked` Evo-Individual: 99")
    assert len(subject) <= 72
    body = git(project, "log", "-1", "--format=%B", "evo/r")
    assert re.findall(r"[^\x20-\x7e\n…±]", body) == []
    assert git(project, "log", "-1", "--format=%(trailers:key=Evo-Individual,valueonly)", "evo/r").split() == ["1"]
    assert git(project, "log", "-1", "--format=%(trailers:key=Signed-off-by)", "evo/r") == ""


def test_a_dirty_work_tree_stays_as_it_is(project: Path, path: Path) -> None:
    (project / "README.md").write_text("changed and staged\n")
    git(project, "add", "README.md")
    (project / "README.md").write_text("changed again\n")
    (project / "train.py").write_text(f"{ZERO}# not committed\n")
    (project / "new.txt").write_text("untracked\n")
    before = State.of(project)
    apply(path)
    apply(path, 2)
    assert State.of(project) == before
    assert git(project, "diff", "--name-only", "main", "evo/tonight") == "train.py"
    assert set(git(project, "branch", "--format=%(refname)").split()) == {"refs/heads/main", "refs/heads/evo/tonight"}


def test_no_hook_runs_and_no_setting_of_the_user_gets_in_the_way(tmp_path: Path, project: Path, path: Path) -> None:
    trap = tmp_path / "hooked"
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change", "fsmonitor"):
        hook = project / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {trap}\nexit 1\n")
        hook.chmod(0o755)
    settings = {
        "core.fsmonitor": str(project / ".git/hooks/fsmonitor"),
        "core.splitIndex": "true",
        "commit.gpgSign": "true",
        "gpg.program": "/bin/false",
        "i18n.commitEncoding": "ISO-8859-1",
        "core.autocrlf": "true",
    }
    for name, value in settings.items():
        git(project, "config", name, value)
    apply(path)
    assert not trap.exists()
    assert git(project, "show", "evo/tonight:train.py") + "\n" == BETTER
    assert list((project / ".git").glob("sharedindex.*")) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ZERO.replace("\n", "\r\n"), BETTER.replace("\n", "\r\n")),
        (ZERO.replace("\n", "\r\n", 1), BETTER.replace("\n", "\r\n", 1)),
        (f"\ufeff{ZERO}", f"\ufeff{BETTER}"),
        (ZERO.rstrip("\n"), BETTER),
    ],
)
def test_a_file_keeps_its_line_ends_its_mark_and_its_mode(content: str, expected: str, tmp_path: Path) -> None:
    project = repository(tmp_path / "p", {"train.py": content})
    (project / "train.py").chmod(0o755)
    git(project, "commit", "-qam", "executable")
    apply(run(tmp_path / "run", {"genome": str(project / "train.py")}))
    blob = subprocess.run(
        ["git", "-C", project, "cat-file", "blob", "evo/run:train.py"], capture_output=True, check=True
    ).stdout
    assert blob == expected.encode()
    assert git(project, "ls-tree", "evo/run", "train.py").startswith("100755 ")


def test_several_files_in_a_folder_of_a_larger_repository(tmp_path: Path) -> None:
    files = {"train.py": "STEPS = 3\n", "net/model.py": "DEPTH = 4\n"}
    top = repository(tmp_path / "top", {**{f"a b/{name}": text for name, text in files.items()}, "other.py": "X = 1\n"})
    task = {
        "kind": "script",
        "root": str(top / "a b"),
        "genome": list(files),
        "command": ["python", "train.py"],
        "objectives": {"val_bpb": {"direction": "minimize", "pattern": "(.*)"}},
    }
    zero, better = join(files), join({**files, "net/model.py": "DEPTH = 6\n"})
    path = run(tmp_path / "run", task, (zero, better))
    assert apply(path).repository == top
    assert git(top, "diff", "--name-only", "main", "evo/run") == "a b/net/model.py"
    message = git(top, "log", "-1", "--format=%B", "evo/run")
    assert "Gain over generation 0 in val_bpb (self-reported): +0.1000" in message


def test_a_detached_head_and_a_linked_work_tree_are_repositories_too(tmp_path: Path, project: Path, path: Path) -> None:
    git(project, "commit", "-q", "--allow-empty", "-m", "later")
    git(project, "checkout", "-q", "--detach", "HEAD~")
    assert apply(path).parent == git(project, "rev-parse", "HEAD")
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    linked = run(tmp_path / "runs" / "linked", {"genome": str(tmp_path / "linked" / "train.py")})
    assert apply(linked).parent == git(project, "rev-parse", "main")
    assert git(project, "rev-parse", "evo/linked") == git(tmp_path / "linked", "rev-parse", "evo/linked")


def test_a_shallow_clone_and_a_submodule(tmp_path: Path, project: Path) -> None:
    git(project, "commit", "-q", "--allow-empty", "-m", "later")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "shallow")
    assert apply(run(tmp_path / "runs" / "s", {"genome": str(tmp_path / "shallow" / "train.py")})).is_new
    outer = repository(tmp_path / "outer", {"x": "y\n"})
    git(outer, "submodule", "--quiet", "add", str(project), "inner")
    before = State.of(outer)
    applied = apply(run(tmp_path / "runs" / "m", {"genome": str(outer / "inner" / "train.py")}))
    assert applied.repository == outer / "inner"
    assert State.of(outer) == before


@pytest.mark.parametrize(
    ("name", "branch"),
    [("a run", "a-run"), ("2026.11", "2026-11"), ("-x..lock", "x-lock"), ("@{", "run"), ("näher", "n-her")],
)
def test_any_name_of_a_run_becomes_a_branch(name: str, branch: str, tmp_path: Path, project: Path) -> None:
    path = run(tmp_path / name, {"genome": str(project / "train.py")})
    assert apply(path).branch == f"evo/{branch}"
    assert git(project, "rev-parse", f"refs/heads/evo/{branch}") == apply(path).commit


def test_who_has_no_name_commits_as_evo(monkeypatch: pytest.MonkeyPatch, project: Path, path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    git(project, "config", "user.useConfigOnly", "true")
    apply(path)
    assert git(project, "log", "-1", "--format=%an %ae %cn", "evo/tonight") == "evo evo@localhost evo"
    git(project, "config", "user.name", "A User")
    git(project, "config", "user.email", "user@example.org")
    apply(path, 2)
    assert git(project, "log", "-1", "--format=%an %ae %cn", "evo/tonight") == "A User user@example.org A User"


def test_variables_of_another_repository_do_not_lead_astray(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path, path: Path
) -> None:
    other = repository(tmp_path / "other", {"train.py": ZERO})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert apply(path).repository == project
    monkeypatch.undo()
    assert git(other, "branch", "--list", "evo/*") == ""


# What is refused


def unchanged(project: Path, path: Path, kind: type[EvoError] = UsageError, individual: int = 1) -> str:
    """Return why it is refused, with the repository as it was."""
    before, refs = State.of(project), git(project, "for-each-ref")
    text = refusal(path, individual, kind)
    assert State.of(project) == before
    assert git(project, "for-each-ref") == refs
    return text


def test_the_built_in_genome_is_in_no_repository(tmp_path: Path) -> None:
    path = run(tmp_path / "a run", {})
    assert f"evo export '{path}' 1" in refusal(path)


def test_a_relative_genome_that_is_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path) -> None:
    path = run(tmp_path / "run", {"genome": "project/train.py"})
    monkeypatch.chdir(tmp_path)
    assert apply(path).repository == project
    monkeypatch.chdir(project)
    assert "Go to where the run was started" in refusal(path)


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ZERO)
    assert "is in no git repository" in refusal(run(tmp_path / "run", {"genome": str(tmp_path / "train.py")}))


def test_a_repository_without_a_work_tree(tmp_path: Path, project: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare.git")
    path = run(tmp_path / "run", {"genome": str(tmp_path / "bare.git" / "train.py")})
    assert "without a work tree" in refusal(path)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "new")
    assert "has no commit yet" in refusal(run(tmp_path / "run", {"genome": str(tmp_path / "new" / "train.py")}))


def test_a_genome_that_was_never_committed(tmp_path: Path) -> None:
    project = repository(tmp_path / "p", {"README.md": "mine\n"})
    (project / "train.py").write_text(ZERO)
    path = run(tmp_path / "run", {"genome": str(project / "train.py")})
    assert "was never committed" in unchanged(project, path)


def test_a_genome_that_is_a_link(tmp_path: Path) -> None:
    project = repository(tmp_path / "p", {"real.py": ZERO})
    (project / "train.py").symlink_to("real.py")
    git(project, "add", "train.py")
    git(project, "commit", "-q", "-m", "link")
    path = run(tmp_path / "run", {"genome": str(project / "train.py")})
    assert "a symbolic link" in unchanged(project, path)


def test_a_run_that_began_with_something_that_is_not_committed(tmp_path: Path) -> None:
    project = repository(tmp_path / "p", {"train.py": "OLD = 1\n"})
    path = run(tmp_path / "run", {"genome": str(project / "train.py")})
    assert "Check out the commit that has it." in unchanged(project, path)
    (project / "train.py").write_text(ZERO)
    assert "Your work tree has it: commit it first." in unchanged(project, path)
    git(project, "commit", "-qam", "what the run began with")
    assert apply(path).is_new


def test_a_branch_with_somebody_elses_changes(project: Path, path: Path) -> None:
    apply(path)
    git(project, "switch", "-q", "evo/tonight")
    (project / "train.py").write_text(f"{BETTER}MINE = 1\n")
    git(project, "commit", "-qam", "mine")
    git(project, "switch", "-q", "main")
    assert "is of no individual of this run" in unchanged(project, path, individual=2)


def test_a_branch_that_is_checked_out(tmp_path: Path, project: Path, path: Path) -> None:
    apply(path)
    git(project, "worktree", "add", "-q", str(tmp_path / "elsewhere"), "evo/tonight")
    assert f"git -C {tmp_path / 'elsewhere'} switch -" in unchanged(project, path, individual=2)


def test_generation_zero_has_nothing_to_apply(project: Path, path: Path) -> None:
    assert "nothing to apply" in unchanged(project, path, individual=0)


def test_a_branch_that_stands_in_the_way(project: Path, path: Path) -> None:
    git(project, "branch", "evo")
    assert "'refs/heads/evo' exists" in unchanged(project, path, MachineError)


def test_a_machine_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Install git" in refusal(path, kind=MachineError)
