import html
import re

from hypothesis import given
from hypothesis import strategies as st

from evo.report.diffs import diff_of
from evo.report.family import seats
from evo.text import hover, visible

lines = st.lists(
    st.sampled_from(["", "x = 1", "    y = '''", "def f():", "# <b>&", "\tz\x0c", '"""', "\u2028é"]), max_size=12
)
any_text = st.text(st.characters(), max_size=60)  # lone surrogates included


def _plain(code):
    return html.unescape(re.sub("<[^>]+>", "", code))


@given(lines, lines)
def test_a_diff_turns_the_old_source_into_the_new(old, new):
    diff = diff_of("".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))
    old_lines, new_lines = ([visible(line) for line in side] or [""] for side in (old, new))
    for hunk in diff.hunks:
        for line in hunk:
            source = old_lines if line.sign == "-" else new_lines
            assert _plain(line.code) == source[line.number - 1]
    assert diff.added - diff.removed == len(new_lines) - len(old_lines)
    assert bool(diff.hunks) == (old_lines != new_lines)


@given(any_text, any_text)
def test_no_text_reaches_a_hover_label_as_markup(title, idea):
    label = hover(f"#{title}", idea=idea)
    label.encode("utf-8")
    assert set(re.findall("<[^>]*>", label)) <= {"<b>", "</b>", "<br>"}


@given(any_text)
def test_visible_text_can_be_written_and_is_left_alone_the_second_time(text):
    visible(text).encode("utf-8")
    assert visible(visible(text)) == visible(text)


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=2), max_size=40), st.integers(1, 8), st.data())
def test_everyone_in_a_family_has_a_seat_of_their_own_below_the_parents(births, generation_size, data):
    parents = {0: ()} | {i + 1: tuple({draw % (i + 1) for draw in draws}) for i, draws in enumerate(births)}
    member = data.draw(st.sampled_from(sorted(parents)))
    line = {member}
    while parents[member]:
        member = parents[member][0]
        line.add(member)
    places = seats(parents, line, generation_size)
    assert len(set(places.values())) == len(parents)
    assert all(places[parent].y < places[child].y for child in parents for parent in parents[child])
    assert all(places[id_].x == 0 for id_ in line)
