"""Which level a machine offers: found by launching a process in each, strongest first, that tries to get out."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import ConfigError
from trainer.machine.scratch import Scratch
from trainer.sandbox import attempts
from trainer.sandbox.bubblewrap import BubblewrapSandbox
from trainer.sandbox.environment import library_paths
from trainer.sandbox.floor import ProcessGroupSandbox
from trainer.sandbox.landlock import LandlockSandbox
from trainer.sandbox.levels import CONFINED, Access, Command, Level, Sandbox, Unavailable
from trainer.settings import Limits

AUTO = "auto"
STRICT = "strict"

_SIGNAL = "signal another process"
# Landlock guards signals since Linux 6.12 only; the level is worth having without.
_TOLERATED = {Level.BUBBLEWRAP: frozenset[str](), Level.LANDLOCK: frozenset((_SIGNAL,))}
_NEEDED = frozenset(("use its scratch folder", "read its packages"))
_NEEDED_OF_GPU = "use its GPU"
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What this machine offers.

    Attributes:
        level: the strongest that holds.
        reasons: why each stronger one is not available, strongest first.
    """

    level: Level
    reasons: dict[Level, str]

    def __str__(self) -> str:
        """Return the level, and why it is not a stronger one."""
        if not self.reasons:
            return str(self.level)
        why = "; ".join(f"no {level}: {reason}" for level, reason in self.reasons.items())
        return f"{self.level} ({why})"


def survey(device: str = "cpu") -> Survey:
    """Find the strongest level for a device (as torch calls it)."""
    reasons: dict[Level, str] = {}
    for level in Level:
        if not (obstacle := _obstacle(level, device)):
            return Survey(level, reasons)
        reasons[level] = obstacle
    raise AssertionError("the last level has no obstacle")


def choose_sandbox(wanted: str, limits: Limits, device: str, access: Access = CONFINED) -> Sandbox:
    """Return the sandbox for a device, in which `access` is granted; raise ConfigError as `choose_level` does."""
    return _build(choose_level(wanted, device), limits, device, access)


def choose_level(wanted: str, device: str) -> Level:
    """Return the level that a setting stands for on this machine.

    Args:
        wanted: `auto` for the strongest there is, `strict` for the top level or none, or a level by name.
        device: as torch calls it.

    Raises:
        ConfigError: it is not available here; says why.
    """
    if wanted == AUTO:
        return survey(device).level
    level = Level.BUBBLEWRAP if wanted == STRICT else Level(wanted)
    if obstacle := _obstacle(level, device):
        raise ConfigError(
            f"--sandbox {wanted} needs {level}, which does not work here: {obstacle}. "
            "Give --sandbox auto for the strongest level that does."
        )
    return level


def describe(wanted: str, device: str) -> str:
    """Return in words what `choose_level` chooses; for `auto` with the reason why it is not a stronger level."""
    return str(survey(device) if wanted == AUTO else choose_level(wanted, device))


@functools.cache
def _obstacle(level: Level, device: str) -> str:
    """Return why a level is not available, empty if it is; cached, since trying takes some tens of ms."""
    try:
        if level is not Level.PROCESS_GROUP:
            _try(_build(level, Limits(), device), device)
    except Unavailable as error:
        return str(error)
    return ""


def _build(level: Level, limits: Limits, device: str, access: Access = CONFINED) -> Sandbox:
    if level is Level.BUBBLEWRAP:
        return BubblewrapSandbox(limits, device, access)
    if level is Level.LANDLOCK:
        return LandlockSandbox(limits, device, access)
    return ProcessGroupSandbox(limits, access)


def _try(sandbox: Sandbox, device: str) -> None:
    """Raise Unavailable when a process cannot be started in a sandbox, or gets out of it."""
    with _outside() as (scratch, arguments):
        source = Path(attempts.__file__).read_text(encoding="utf-8")
        words = [sys.executable, "-I", "-S", "-c", source, *arguments]
        try:
            process = sandbox.launch(Command(words, scratch, library_paths()))
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"it cannot be started ({error})") from error
        with process:
            try:
                printed = process.communicate(timeout=_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise Unavailable(f"a process in it did not answer within {_PATIENCE_SECONDS:g} s") from None
    output, complaint = (text.decode("utf-8", "replace").strip() for text in printed)
    if process.returncode != 0:
        said = complaint or output
        raise Unavailable(said.splitlines()[-1] if said else f"it ended with code {process.returncode}")
    _judge(sandbox.level, device, output)


def _judge(level: Level, device: str, output: str) -> None:
    worked = set(json.loads(output.splitlines()[-1]))
    needed = _NEEDED | {_NEEDED_OF_GPU} if device == "cuda" else _NEEDED
    if missing := needed - worked:
        raise Unavailable(f"a process in it cannot {' or '.join(sorted(missing))}")
    if holes := worked - _NEEDED - {_NEEDED_OF_GPU} - _TOLERATED[level]:
        raise Unavailable(f"a process in it can {' and '.join(sorted(holes))}")


@contextmanager
def _outside() -> Iterator[tuple[Path, list[str]]]:
    """Yield a scratch folder, and what a process that works in it must not reach: a file, a port, this process."""
    # A scratch folder as candidates have, so that it is swept if this process is killed meanwhile.
    with contextlib.closing(Scratch(None)) as outside, socket.create_server(("127.0.0.1", 0)) as server:
        canary = outside.folder / "canary"
        canary.write_text("out of reach", encoding="utf-8")
        scratch = outside.new_folder()
        own = next((f"{name}={value}" for name, value in os.environ.items()), "")
        packages = sysconfig.get_path("purelib")
        yield scratch, [str(canary), str(server.getsockname()[1]), str(os.getpid()), own, packages]
