import json
from pathlib import Path
from typing import Any

import pytest

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.errors import ChangedExperiment, RunFolderError
from evo.studies.folder import StudyFolder, comparable


def recorded(**sections: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is kept."""
    config = resolve(parse_config({"workers": {"devices": ["cpu"]}, **sections}, "evo.toml"), {})
    kept: dict[str, Any] = json.loads(json.dumps(comparable(config)))
    return kept


NOW = {"experiment": {"repeats": 2}, "arms": {"one": recorded(search={"pop": 4})}}


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
        begin(folder, {**larger, "arms": {"one": recorded(search={"pop": 5})}})
    begin(folder, NOW, is_open=True)
    assert folder.begun == NOW


def test_a_key_that_was_renamed_is_no_change(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    renamed = {**NOW, "arms": {"one": recorded(noise={"confirm_fraction": 0.1})}}
    older = recorded(noise={"confirm_fraction": 0.1})
    older["noise"]["confirm_share"] = older["noise"].pop("confirm_fraction")
    folder.write("begun.json", {**NOW, "arms": {"one": older}})
    begin(folder, renamed)
    assert folder.begun == renamed


def test_a_key_that_came_since_is_no_change_where_it_has_its_default(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    config, older = recorded(), recorded()
    del older["search"]["fixed_constants"]
    older["llm"]["program_sha256"] = config["llm"]["program_sha256"] = "0" * 64
    folder.write("begun.json", {**NOW, "arms": {"one": older}})
    begin(folder, {**NOW, "arms": {"one": config}})
    config["search"]["fixed_constants"] = ["DEPTH"]
    with pytest.raises(ChangedExperiment, match=r"`arms\.one\.search\.fixed_constants` was \[\]"):
        begin(folder, {**NOW, "arms": {"one": config}})


def test_the_folder_of_other_work_is_left_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write("begun.json", {"ladder": {}, "scales": {}})
    for is_open in (False, True):
        with pytest.raises(RunFolderError, match="another command"):
            begin(folder, NOW, is_open=is_open)
    (tmp_path / "evo.db").touch()
    with pytest.raises(RunFolderError, match="holds a run"):
        folder.lock()
