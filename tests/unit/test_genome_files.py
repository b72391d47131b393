"""Genomes of several files as one text: joined and divided again, and refused where they cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import GenomeError
from trainer.genome import join, split

NAMES = ("a.py", "pkg/b.py", "pkg/sub/c.py")
MARKERS = [f"# ===== evo file: {name} =====\n" for name in NAMES]

# Among them everything that `str.splitlines` takes for the end of a line and Python does not.
lines = st.text(st.sampled_from("xyz #='\"\t\f\v\x1c\x1d\x1e\x85\u2028\u2029é🙂"), max_size=12).map(
    lambda text: text + "\n"
)
contents = st.lists(lines, max_size=5).map("".join)


@given(st.lists(contents, min_size=2, max_size=3))
def test_dividing_undoes_joining(texts: list[str]) -> None:
    files = dict(zip(NAMES, texts, strict=False))
    assert split(join(files), tuple(files)) == files
    assert list(split(join(files), tuple(files))) == list(files)


@given(st.text())
def test_one_file_is_the_text_itself(text: str) -> None:
    assert join({"train.py": text}) == text
    assert split(text, ("train.py",)) == {"train.py": text}


def test_a_marker_within_a_line_is_none() -> None:
    inside = f"text = 'a\u2028{MARKERS[1].rstrip()}'\n {MARKERS[1]}"
    source = MARKERS[0] + inside + MARKERS[1] + "x = 1\n"
    assert split(source, NAMES[:2]) == {"a.py": inside, "pkg/b.py": "x = 1\n"}


def test_files_may_be_empty() -> None:
    assert split("".join(MARKERS), NAMES) == dict.fromkeys(NAMES, "")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "x = 1\n" + "".join(MARKERS),
        "\n" + "".join(MARKERS),
        MARKERS[0] + MARKERS[1],
        MARKERS[1] + MARKERS[0] + MARKERS[2],
        MARKERS[0] + MARKERS[1] + MARKERS[2] + MARKERS[0],
        MARKERS[0] + MARKERS[0] + MARKERS[1] + MARKERS[2],
        MARKERS[0] + MARKERS[1].replace("=====\n", "===== \n") + MARKERS[2],
        MARKERS[0] + MARKERS[1].lower().replace("evo", "Evo") + MARKERS[2],
    ],
)
def test_every_file_stands_once_and_in_order_under_its_marker(source: str) -> None:
    with pytest.raises(GenomeError) as raised:
        split(source, NAMES)
    message = str(raised.value)
    assert message.startswith("the genome is 3 files, each under its own line and in this order: ")
    assert all(marker.strip() in message for marker in MARKERS)
    assert "\n" not in message
