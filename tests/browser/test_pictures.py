"""The pictures of the documentation, made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.dashboard_pictures import DOCS, PICTURES, RUN, photograph


@pytest.mark.full
def test_the_pictures_of_the_dashboard_are_made_by_a_command(tmp_path: Path) -> None:
    made = photograph(RUN, tmp_path)
    assert [path.stem for path in made] == [*PICTURES]
    page = (DOCS / "dashboard.md").read_text()
    for path in made:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"({path.name})" in page
        assert (DOCS / path.name).is_file()
