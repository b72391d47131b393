from pathlib import Path
from typing import Any

import pytest

from evo.errors import ChangedExperiment, RunFolderError
from evo.studies.folder import StudyFolder

NOW = {"experiment": {"repeats": 2}, "arms": {"one": {"search": {"pop": 4}}}}


def begin(folder: StudyFolder, now: dict[str, Any], **more: bool) -> None:
    def may_change(key: str, before: Any, after: Any) -> bool:
        return key == "experiment.repeats" and bool(before < after)

    folder.begin(now, "arms", may_change, "Only `repeats` may grow.", **more)


def test_what_began_goes_on_with_the_same_definition_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    begin(folder, NOW)
    begin(folder, NOW)
    larger = {**NOW, "experiment": {"repeats": 3}}
    begin(folder, larger)
    assert folder.begun == larger
    with pytest.raises(ChangedExperiment, match=r"`repeats` was 3 and is 2\. Results"):
        begin(folder, NOW)
    with pytest.raises(ChangedExperiment, match=r"`arms\.one\.search\.pop` was 4 and is 5"):
        begin(folder, {**larger, "arms": {"one": {"search": {"pop": 5}}}})
    begin(folder, NOW, is_open=True)
    assert folder.begun == NOW


def test_a_key_that_was_renamed_is_no_change(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write("begun.json", {**NOW, "arms": {"one": {"noise": {"confirm_share": 0.1}}}})
    renamed = {**NOW, "arms": {"one": {"noise": {"confirm_fraction": 0.1}}}}
    begin(folder, renamed)
    assert folder.begun == renamed


def test_the_folder_of_other_work_is_left_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write("begun.json", {"ladder": {}, "scales": {}})
    for is_open in (False, True):
        with pytest.raises(RunFolderError, match="another command"):
            begin(folder, NOW, is_open=is_open)
    (tmp_path / "evo.db").touch()
    with pytest.raises(RunFolderError, match="holds a run"):
        folder.lock()
