"""The documentation as a site."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import evo
from evo.config.config import Config

ROOT = Path(__file__).parents[2]


def test_the_site_is_built_without_a_warning_and_loads_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--quiet", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    pages = {page.name: page.read_text("utf-8") for page in tmp_path.glob("*.html")}
    assert {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")} <= set(pages)
    loads = re.compile(r'<(?:script|img|iframe|link)[^>]* (?:src|href)="(?:https?:)?//')
    assert [name for name, page in pages.items() if loads.search(page)] == []
    for name in evo.__all__:
        assert f"{getattr(evo, name).__qualname__}</" in pages["python-api.html"]
    for section in Config.model_fields:
        for key in type(getattr(Config(), section)).model_fields:
            assert f"<code>{key}</code>" in pages["configuration-keys.html"], key
    records = re.findall(r'href="(repository/[^"#]+)"', pages["numbers.html"])
    assert records
    assert all((tmp_path / record).is_file() for record in records)
