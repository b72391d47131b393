"""Lessons of a run: how a prompt tells them, and how they are read from a reply.

A lesson is one line with the individuals that it rests on, such as `2026-11-29, #12 #31: …`. A line without individuals
is the user's, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from operators.llm.answer import without_reasoning
from operators.llm.memory import CHARACTERS_PER_TOKEN
from operators.llm.quoting import quoted
from operators.llm.text import one_line
from operators.proposal import Fate, LessonsRequest, NoOffspring

MOST_LESSONS = 12
LESSONS_TOKENS = 1_000
LESSON_CHARACTERS = 300
_MOST_EVIDENCE = 8

_LESSON = re.compile(r"(?:(?P<date>\d{4}-\d\d-\d\d)\s*,?\s*)?(?P<ids>(?:#\d+[\s,;]*(?:and\s+)?)+):?\s*(?P<text>\S.*)")
_ITEM = re.compile(r"^[ \t]*+(?:[-*•]|\d+[.)])[ \t]++(.*\S)", re.MULTILINE)
_NONE = re.compile(r"^\W*none\W*$", re.IGNORECASE)


def shown_lessons(lessons: Iterable[str]) -> list[str]:
    """Return lessons as a prompt quotes them, as many as there is room for, the first ones first."""
    room = LESSONS_TOKENS * CHARACTERS_PER_TOKEN
    shown = []
    for lesson in lessons:
        line = quoted(lesson, LESSON_CHARACTERS)
        room -= len(line) + 3
        if room < 0:
            break
        shown.append(line)
    return shown


def rests_on_individuals(line: str) -> bool:
    """Return whether a line is a lesson with evidence, rather than a note of the user's."""
    return _LESSON.fullmatch(line) is not None


def read_lessons(reply: str, request: LessonsRequest) -> Sequence[str]:
    """Return the user's notes, and the lessons of a reply that rest on individuals with results.

    A lesson that was known keeps its date.

    Raises:
        NoOffspring: there is none, and the reply does not say so.
    """
    answer = without_reasoning(reply)
    lessons = list(dict.fromkeys(_lessons(answer, request)))[:MOST_LESSONS]
    if not lessons and not _NONE.match(answer):
        raise NoOffspring("No lessons from the language model: its reply named none with individuals.")
    return [*(line for line in request.lessons if not rests_on_individuals(line)), *lessons]


def _lessons(answer: str, request: LessonsRequest) -> Iterator[str]:
    ideas = (*request.memory.settled, *request.memory.recent)
    known = {idea.id for idea in ideas if idea.fate in (Fate.MEASURED, Fate.FAILED, Fate.SCREENED)}
    dates = {
        quoted(found["text"], LESSON_CHARACTERS): found["date"]
        for line in request.lessons
        if (found := _LESSON.fullmatch(line))
    }
    for item in _ITEM.findall(answer):
        line = one_line(item.strip('“”"* '), 2 * LESSON_CHARACTERS)
        found = _LESSON.fullmatch(line)
        if found is None:
            continue
        evidence = [number for number in dict.fromkeys(map(int, re.findall(r"\d+", found["ids"]))) if number in known]
        if evidence:
            ids = " ".join(f"#{number}" for number in evidence[:_MOST_EVIDENCE])
            text = one_line(found["text"], LESSON_CHARACTERS - 80)
            yield f"{dates.get(quoted(text, LESSON_CHARACTERS)) or request.date}, {ids}: {text}"
