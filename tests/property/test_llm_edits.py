"""SEARCH/REPLACE blocks made from arbitrary programs do what they say, and arbitrary text never does harm."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from operators.llm.edits import IDEA_CHARACTERS, UnusableReply, parse_idea, revise
from operators.llm.text import clean_text, fenced

"""A busy machine is no defect of the code under test."""

LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]), max_size=20)
    | st.sampled_from(["", "    x = 1", "x = 1", "```", "    return x  ", "\tx = 1"]),
    min_size=1,
    max_size=30,
).filter(lambda lines: any(line.strip() for line in lines) and not any(_marks(line) for line in lines))
MARKED = st.text(st.sampled_from("<=> SEARCHREPLACE\n`x\r\ud800\u202e\x00"), max_size=200)


def _marks(line: str) -> bool:
    return any(mark in line for mark in ("<<<<<", "=====", ">>>>>"))


def outcome(source: str, reply: str) -> tuple[str, str]:
    """Return the revised source and why it was refused; one of them is empty."""
    try:
        return revise(source, reply), ""
    except UnusableReply as refused:
        return "", str(refused)


@given(LINES, LINES, st.data())
def test_a_block_replaces_the_only_place_that_it_repeats(
    source: list[str], new: list[str], data: st.DataObject
) -> None:
    assume("```" in source or "```" not in new)  # which would be the mark of a fence around them
    start = data.draw(st.integers(0, len(source) - 1))
    stop = data.draw(st.integers(start + 1, len(source)))
    search = "\n".join(source[start:stop])
    expected = "\n".join([*source[:start], *new, *source[stop:]])
    reply = f"<<<<<<< SEARCH\n{search}\n=======\n" + "\n".join(new) + "\n>>>>>>> REPLACE"
    revised, reason = outcome("\n".join(source), reply)
    assert revised == expected or any(word in reason for word in ("places", "nothing", "empty SEARCH"))


@given(MARKED | st.text(max_size=200), MARKED | st.text(max_size=100))
def test_any_reply_is_used_or_refused(source: str, reply: str) -> None:
    revised, reason = outcome(clean_text(source), clean_text(reply))
    assert reason or revised.rstrip() != clean_text(source).rstrip()
    revised.encode()
    idea = parse_idea(reply)
    assert len(idea) <= IDEA_CHARACTERS
    assert "\n" not in idea
    idea.encode()


@given(st.text())
def test_clean_text_is_clean_for_good(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert clean_text(cleaned) == cleaned
    assert not set("\x00\r\ufeff\u202e\x1b") & set(cleaned)


@given(st.text(st.sampled_from("`a\n "), max_size=60))
def test_nothing_closes_its_own_fence(text: str) -> None:
    opening, *content, closing = fenced(text).split("\n")
    assert opening == closing
    assert opening not in "\n".join(content)
