"""The pictures of the documentation, made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.dashboard_pictures import DOCS, PICTURES, RUN, photograph, photograph_report


@pytest.mark.full
def test_the_pictures_of_the_dashboard_are_made_by_a_command(tmp_path: Path) -> None:
    made = photograph(RUN, tmp_path)
    assert [path.stem for path in made] == [*PICTURES]
    page = (DOCS / "dashboard.md").read_text()
    for path in made:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"({path.name})" in page
        assert (DOCS / path.name).is_file()


@pytest.mark.full
def test_the_picture_of_the_report_is_made_by_a_command(tmp_path: Path) -> None:
    photograph_report(RUN, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "(docs/report.png)" in (DOCS.parent / "README.md").read_text()
