"""How the tests are shared out: the longest files first, so that no process is left alone with one at the end.

And where their temporary folders are: in memory, if the machine has enough of it. And how properties are tried.
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

LONGEST = (
    "e2e/test_readme.py",
    "e2e/test_interrupts.py",
    "cheats/test_cheats.py",
    "e2e/test_llm_run.py",
    "e2e/test_commands_look.py",  # looks at a run that the first file makes
    "e2e/test_extending.py",
    "integration/evo/workers/test_ray.py",
    "integration/experiments/test_notebook.py",
    "e2e/test_old_runs.py",
    "contract/test_evaluator_contract.py",
    "integration/trainer/supervisor/test_kills.py",
    "integration/trainer/supervisor/test_evaluation.py",
    "integration/trainer/supervisor/test_hostile.py",
    "integration/evo/search/test_kill.py",
    "e2e/test_script_task.py",
    "e2e/test_studies.py",
    "integration/experiments/test_example_programs.py",
    "integration/trainer/sandbox/test_sandbox.py",
    "e2e/test_examples.py",
    "e2e/test_following.py",
    "honest/test_honest.py",
    "integration/evo/workers/test_local.py",
    "integration/trainer/supervisor/test_limits.py",
    "e2e/test_audit.py",
    "integration/evo/search/test_signals.py",
    "integration/evo/search/test_disk.py",
    "integration/trainer/script/test_supervisor.py",
    "integration/trainer/corpus/test_preparation.py",
)
"""By the seconds that `make test` needs for them, the longest first."""

_PLACES = {TESTS / name: place for place, name in enumerate(LONGEST)}

_MOST_PROCESSES = 4

# A busy machine fails no property; one that fails prints how to repeat it.
settings.register_profile("usual", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=10_000)
settings.load_profile("usual")

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30


def pytest_configure() -> None:
    """Keep temporary folders in memory: what a test waits for is then not a disk that syncs stores and repositories.

    What a kill leaves in files does not depend on where they are, and no test is about what a power cut leaves.
    """
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES and not _forbids_programs(_MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _forbids_programs(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than cores: for half of their time and more, tests wait for the disk or the clock."""
    return min(_MOST_PROCESSES, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file alone: the tests of a file keep their order."""
    assert all(path.exists() for path in _PLACES), "LONGEST names a file that is not there"
    items.sort(key=lambda item: _PLACES.get(item.path, len(LONGEST)))
