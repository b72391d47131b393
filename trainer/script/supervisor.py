"""The supervisor of a script task on its device: `python -m trainer.script DESCRIPTOR`.

For each job it lays the genome's files and the frozen ones into a fresh folder and runs the command there, confined,
until it ends or has to be ended. Where the task has a `score` command, that runs next, in another fresh folder and
sandbox: it finds what the command left under `artifacts`, and what it reports is all that counts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from trainer.errors import GenomeError, MachineError
from trainer.evaluation import SMOKE_SECONDS, Evaluation, Job, Status, Timings
from trainer.genome import split
from trainer.ipc.channel import Channel
from trainer.machine.output import Stream
from trainer.machine.scratch import remove
from trainer.sandbox import Access, Command, Level, candidate_environment, program_folders
from trainer.script.compiled import CompiledStore
from trainer.script.frozen import Frozen
from trainer.script.imports import import_roots, marked, take_marks
from trainer.script.left import copy_left
from trainer.script.programs import find_program, search_path, toolchain_folders, toolchains, without_environment
from trainer.script.readings import Reader
from trainer.script.seeds import with_seed
from trainer.script.settings import ScriptSettings
from trainer.supervisor.live import LiveCurve
from trainer.supervisor.measurements import code_lines
from trainer.supervisor.process_tree import ProcessTree, Workplace
from trainer.supervisor.service import Deaths, Recording, serve_driver
from trainer.supervisor.watch import Ended, Guard, TimeLimit

ARTIFACTS = "artifacts"
"""Where the score command finds what the command left, relative to its working folder."""

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "offline",
}
"""What makes libraries do without the network, which a candidate has not; the task's own variables go before."""

_SHARED_MEMORY = re.compile(
    r"SemLock|/dev/shm|shared memory (?:object|file)|torch_shm"
    r"|multiprocessing[\s\S]*(?:Permission denied|Operation not permitted)"
)
"""What programs say whose worker processes the level landlock keeps from sharing memory."""

_FORBIDDEN = re.compile(r"PermissionError|Permission denied|Operation not permitted|Read-only file system")
"""What programs say that want what a sandbox does not give."""

_OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|\bOutOfMemoryError\b|out of memory|Cannot allocate memory", re.IGNORECASE)


class ScriptSupervisor:
    """Evaluates jobs one after the other.

    Raises:
        MachineError: the machine lacks something, or a frozen file is not what it was.
    """

    def __init__(self, settings: ScriptSettings, driver: Channel) -> None:
        self._settings = settings
        self._driver = driver
        self._frozen, self._held_out = settings.frozen, settings.held_out
        self._deaths = Deaths()
        self._live = LiveCurve(settings.live)
        self._check_frozen()
        named = (settings.command, settings.score, settings.smoke)
        commands = [without_environment(command)[1] for command in named if command]
        programs = {find_program(command[0], settings.root) for command in commands}
        visible = [path for program in sorted(programs) for path in program_folders(program)] + toolchain_folders()
        self._toolchains = {name: str(folder) for name, folder in toolchains().items()}
        # Libraries that share a cache among their processes lock it, and no held-out text is seen here.
        self._workplace = Workplace(settings, Access(visible, observable_state=True))
        self._sandbox = self._workplace.sandbox
        self._refuse_misplaced()
        # Below, one candidate could change what the next one runs.
        parent = settings.compiled if self._protects_frozen else None
        self._compiled = CompiledStore(parent, self._compiler_key(programs))

    @property
    def sandbox_level(self) -> str:
        """Name of the isolation that commands run under."""
        return self._sandbox.level

    def close(self) -> None:
        """End every child and leave nothing behind."""
        self._workplace.close()

    def evaluate(self, job: Job) -> Evaluation:
        """Run one genome; raise MachineError when a frozen file changed since the run began, and for nothing else."""
        self._check_frozen()
        recording = Recording()
        status, reason = Status.OK, ""
        self._live.begin()
        try:
            recording.objectives["code_lines"] = float(code_lines(job.genome))
            self._run_and_score(job, recording)
            if not self._protects_frozen:
                self._refuse_changes()
        except Ended as end:
            status, reason = self._deaths.verdict(job, end)
        except GenomeError as error:
            status, reason = Status.REJECTED, str(error)
        except OSError as error:
            status, reason = Status.LOST, f"the machine failed: {error}"
        finally:
            self._live.end()
        if curve := self._live.curve:
            recording.curve, recording.curve_name = curve, self._live.name
        if self._protects_frozen:
            self._check_frozen()  # a change from outside may be the reason for any result
        device, clock = self._settings.device_name, self._settings.clock
        return recording.evaluation(job, status, reason, device=device, clock=clock, sandbox=self.sandbox_level)

    def _compiler_key(self, programs: Iterable[Path]) -> list[str]:
        """Return what tells the compilations of this task from those of others: what runs, and where, with what."""
        settings = self._settings
        packages = [folder for one in programs for folder in one.parents[1].glob("lib/python3*/site-packages")]
        changed = [f"{folder} {folder.stat().st_mtime_ns}" for folder in packages]
        frozen = [one.sha256 for one in settings.frozen]
        return [str(settings.root), settings.device, *settings.genome, *settings.command, *frozen, *changed]

    def _run_and_score(self, job: Job, recording: Recording) -> None:
        settings = self._settings
        command, what = (settings.smoke, "the smoke command") if job.is_smoke else (settings.command, "the command")
        reader = Reader(() if settings.score or job.is_smoke else settings.readings)
        files = {
            name: self._varied(name, content, job.seed) for name, content in split(job.genome, settings.genome).items()
        }
        folder = self._workplace.scratch.new_folder()
        if job.is_reference:
            files = marked(files, self._sandbox.home(folder))
        self._compiled.give(folder)
        with (
            self._given(job.seed) as given,
            self._process(command, job, given, recording, reader, files, folder) as tree,
        ):
            started = time.monotonic()
            try:
                seconds = self._finish(tree, what, self._limit(job, job.longest_seconds)) - started
            finally:
                self._keep_left(tree.scratch)
            recording.timings = Timings(train_seconds=seconds, train_wall_seconds=seconds)
            self._refuse_replaced(tree.scratch, given)
            if job.is_smoke:
                return
            recording.objectives |= reader.values(tree.scratch)
            if job.is_reference:
                self._refuse_other_files(tree.scratch)
                self._compiled.take(tree.scratch)
            recording.objectives |= {"run_seconds": seconds, "peak_memory_mib": tree.peak_memory_mib}
            if settings.score:
                recording.objectives |= self._score(job, tree.scratch, recording)

    def _keep_left(self, folder: Path) -> None:
        """Copy the files with numbers that the command left, where the settings ask for that."""
        if self._settings.left:
            copy_left(folder, self._settings.left, [*self._settings.genome, *(one.name for one in self._frozen)])

    def _varied(self, name: str, text: str, seed: int) -> str:
        """Return the text of a file with the seed of a job in place of the literal ones that the task names."""
        varied, _ = with_seed(text, [place for place in self._settings.seeds if place.file == name], seed)
        return varied

    @contextlib.contextmanager
    def _given(self, seed: int) -> Iterator[tuple[Frozen, ...]]:
        """Give the frozen files; of those that hold a literal seed, copies with another one."""
        named = {place.file for place in self._settings.seeds} & {one.name for one in self._frozen}
        if not named:
            yield self._frozen
            return
        folder = self._workplace.scratch.new_folder()
        try:
            yield tuple(
                one.with_text(self._varied(one.name, one.path.read_text(encoding="utf-8"), seed), folder)
                if one.name in named
                else one
                for one in self._frozen
            )
        finally:
            remove(folder)

    def _score(self, job: Job, left: Path, recording: Recording) -> dict[str, float]:
        """Run the trusted command on what the other one left, and return what it reports."""
        started = time.monotonic()
        settings = self._settings
        reader = Reader(settings.readings)
        given = (*self._frozen, *self._held_out)
        folder = self._workplace.scratch.new_folder()
        try:
            _take_artifacts(left, folder / ARTIFACTS, given)
            with self._process(settings.score, job, given, recording, reader, {}, folder) as tree:
                self._finish(tree, "the score command", self._limit(job))
                return reader.values(folder)
        finally:
            recording.timings = replace(recording.timings, score_seconds=time.monotonic() - started)
            remove(folder)

    @contextlib.contextmanager
    def _process(
        self,
        command: Sequence[str],
        job: Job,
        given: Sequence[Frozen],
        recording: Recording,
        reader: Reader,
        files: Mapping[str, str],
        scratch: Path,
    ) -> Iterator[ProcessTree]:
        """Start a command in a fresh folder with some files, and end it with everything that it started."""
        for name, content in files.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")

        trains = command is not self._settings.score

        def printed(data: bytes, stream: Stream) -> None:
            reader.feed(data, stream)
            if trains:
                self._live.follow(data, reader.latest())

        environment = self._environment(command, scratch, job)
        variables, command = without_environment(self._filled_in(command, job))
        words = [self._program(command[0]), *command[1:]]
        frozen = {one.name: one.path for one in given}
        tree = ProcessTree(self._workplace, Command(words, scratch, environment | variables, frozen=frozen), printed)
        try:
            yield tree
        finally:
            tree.kill()
            recording.log_tail += tree.output.tail()
            tree.close()

    def _limit(self, job: Job, longest_seconds: float | None = None) -> TimeLimit:
        """Return when a command that starts now must have ended.

        Args:
            longest_seconds: what it may take where its time is fixed; None for no such limit.
        """
        seconds = self._settings.wall_seconds if job.wall_seconds is None else job.wall_seconds
        reason = f"did not end within {seconds:.4g} s"
        if longest_seconds is not None and longest_seconds < seconds:
            seconds = longest_seconds
            reason = f"ran for more than {seconds:.4g} s, but its time is fixed at {self._seconds(job)} s"
        return TimeLimit(time.monotonic() + seconds, reason)

    def _finish(self, tree: ProcessTree, what: str, limit: TimeLimit) -> float:
        """Wait for the end of a command and return its monotonic time; raise Ended unless it ended well."""
        tree.begin()
        try:
            return Guard(tree, self._settings.limits, self._driver, tree.find_main).until_exit(limit)
        except Ended as end:
            said, last = tree.output.tail().strip(), tree.output.last_line
            if end.status is Status.CRASHED and _OUT_OF_MEMORY.search(said):
                raise Ended(Status.OUT_OF_MEMORY, _with_last_line(f"{what} ran out of memory", last)) from end
            why = f"{what} {end}"
            if self._sandbox.level is Level.LANDLOCK and _SHARED_MEMORY.search(said):
                why += (
                    ": it shares memory among processes, as data loaders with workers do, which the sandbox level "
                    "landlock forbids. Load data without workers (num_workers=0), or install bubblewrap"
                )
            elif self._sandbox.level is not Level.PROCESS_GROUP and _FORBIDDEN.search(last):
                why += f", perhaps for what the sandbox ({self._sandbox.level}) forbids: see docs/security.md"
            end.explain(_with_last_line(why, last))
            raise

    def _filled_in(self, command: Sequence[str], job: Job) -> list[str]:
        values = {"{seed}": str(job.seed), "{seconds}": self._seconds(job)}
        return [re.sub("{seed}|{seconds}", lambda found: values[found[0]], part) for part in command]

    def _program(self, name: str) -> str:
        """Return the path of a program; one of the project's own is run from the working folder."""
        given = [one.name for one in (*self._frozen, *self._held_out)]
        if "/" in name and any(PurePosixPath(name).is_relative_to(folder) for folder in given):
            return f"./{PurePosixPath(name)}"
        return str(find_program(name, self._settings.root))

    def _environment(self, command: Sequence[str], scratch: Path, job: Job) -> dict[str, str]:
        settings = self._settings
        home = self._sandbox.home(scratch)
        environment = candidate_environment(home, settings.device_id, settings.threads)
        roots = import_roots(settings.root, settings.genome, [one.name for one in self._frozen])
        paths = [*(str(home / one) for one in roots), *filter(None, [settings.environment.get("PYTHONPATH")])]
        usual = {"PATH": search_path(), **_OFFLINE, **self._toolchains, **self._compiled.variables(home)}
        environment |= {**usual, **settings.environment}
        environment |= {
            "PYTHONPATH": os.pathsep.join(paths),
            "EVO_SEED": str(job.seed),
            "EVO_DEVICE": settings.device,
            # What one command leaves in its folder the other one finds in a folder below its own.
            "EVO_ARTIFACTS": str(home / ARTIFACTS if command is settings.score else home),
        }
        if seconds := self._seconds(job):
            environment["EVO_SECONDS"] = seconds
        return environment

    def _seconds(self, job: Job) -> str:
        """Return the time that the command is to give itself; empty where the task sets none."""
        fixed = self._settings.fixed_seconds
        if fixed is None:
            return ""
        return f"{min(SMOKE_SECONDS, fixed) if job.is_smoke else job.budget_fraction * fixed:g}"

    def _check_frozen(self) -> None:
        changed = self._changed()
        if changed:
            raise MachineError(
                f"The frozen {' and '.join(changed)} changed since the run began, and results before and after are not "
                "comparable. Undo the change and continue with `evo resume`, or begin a new run."
            )

    @property
    def _protects_frozen(self) -> bool:
        """Whether no command can change what is frozen."""
        return self._sandbox.level is not Level.PROCESS_GROUP

    def _refuse_misplaced(self) -> None:
        """Raise MachineError where the sandbox cannot show a file at the place where the command looks for it."""
        if self._sandbox.level is Level.BUBBLEWRAP:
            return
        for one in (*self._frozen, *self._held_out):
            parts = PurePosixPath(one.name).parts
            if parts[0] == ".." and (
                len(parts) > 2 or parts[-1] == ".." or parts[-1].startswith(("candidate-", "lock"))
            ):
                raise MachineError(
                    f"The frozen {one.name} can be given at that place with the sandbox level bubblewrap only, and "
                    f"this is {self._sandbox.level}. Give the program its absolute path, and name that in `frozen`."
                )

    def _refuse_changes(self) -> None:
        """Raise Ended when a command changed what is frozen."""
        if changed := self._changed():
            raise Ended(Status.REJECTED, f"the frozen {' and '.join(changed)} changed while it ran")

    def _refuse_other_files(self, folder: Path) -> None:
        """Raise Ended when the command did not run the files that evolve: no change in them would count."""
        if missing := take_marks(self._settings.genome, folder):
            raise Ended(
                Status.REJECTED,
                f"ran without executing {' and '.join(missing)} of its working folder, so that no change of it would "
                "count. If the project is installed, Python found that copy first: freeze the rest of its package (the "
                "__init__.py files), and let nothing put another folder first on Python's path; else correct `command`",
            )

    def _refuse_replaced(self, folder: Path, given: Iterable[Frozen]) -> None:
        """Raise Ended when the command replaced frozen files, which bubblewrap's mounts do not allow."""
        if self._sandbox.level is Level.BUBBLEWRAP:
            return
        replaced = [one.name for one in given if not one.stands_in(folder)]
        if replaced:
            raise Ended(Status.REJECTED, f"replaced the frozen {' and '.join(replaced)}")

    def _changed(self) -> list[str]:
        """Return the names of frozen files with another content; of others, remember the new signature."""
        again = {one: one.looked_at_again() for one in (*self._frozen, *self._held_out)}
        self._frozen = tuple(again[one] or one for one in self._frozen)
        self._held_out = tuple(again[one] or one for one in self._held_out)
        return [one.name for one, now in again.items() if now is None]


def _take_artifacts(left: Path, artifacts: Path, given: Iterable[Frozen]) -> None:
    """Move the plain files and folders that a command left; a link could lead to held-out data."""
    try:
        shutil.copytree(left, artifacts, symlinks=True, copy_function=os.rename, ignore=_special)
        for one in given:
            if one.is_outside:
                continue
            place = artifacts / one.name
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    except (OSError, RecursionError) as error:
        raise Ended(Status.CRASHED, f"left files that cannot be taken: {error}") from error


def _special(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not _is_plain(Path(folder, name))]


def _is_plain(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _with_last_line(reason: str, last: str) -> str:
    said = last.strip(" \t|│┃")  # a message may stand in a box
    return f"{reason}; its last line: {said}" if said else reason


def main() -> None:
    """Serve the driver until it closes the line."""
    serve_driver(lambda settings, driver: ScriptSupervisor(ScriptSettings.from_json(settings), driver))
