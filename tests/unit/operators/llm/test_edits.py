from __future__ import annotations

import json

import pytest

from operators.llm.edits import UnusableReply, parse_idea, revise
from operators.llm.text import clean_text, numbered
from trainer.languages import language_of

SOURCE = """\
import torch

RATE = 0.1  # slow


def build_model(task):
    if task:
        x = 1
        y = 2
    return x


def train(model, task):
    x = 1
    return x
"""


def block(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


RAISED = block("RATE = 0.1  # slow", "RATE = 0.2")
FASTER = SOURCE.replace("RATE = 0.1  # slow", "RATE = 0.2")


@pytest.mark.parametrize(
    "reply",
    [
        RAISED,
        block("RATE = 0.1  # slow  ", "RATE = 0.2"),
        block("\nRATE = 0.1  # slow\n\n", "\nRATE = 0.2\n\n"),
        block("   RATE = 0.1  # slow", "   RATE = 0.2"),
        f"Here it is:\n```python\n{block('RATE = 0.1  # slow', 'RATE = 0.2')}```\nEnjoy.",
        block("RATE = 0.1  # slow", "RATE = 0.2").replace("<<<<<<<", "<<<<<<").replace(">>>>>>> ", ">>>>>>>> "),
        block("RATE = 0.1  # slow", "RATE = 0.2").replace("\n", "  \n"),
        "```python\n" + SOURCE.replace("RATE = 0.1  # slow", "RATE = 0.2") + "```",
        "```python train.py\n" + SOURCE.replace("RATE = 0.1  # slow", "RATE = 0.2") + "```\n```sh\nmake\n```",
        SOURCE.replace("RATE = 0.1  # slow", "RATE = 0.2"),
        RAISED.replace("SEARCH", "SEARCH train.py"),
        RAISED.replace("SEARCH", "search:").replace("REPLACE", "replace:"),
        RAISED.replace("<<<<<<< SEARCH", "**<<<<<<< SEARCH**").replace("=======", "**=======**"),
        RAISED.replace("<<<<<<< SEARCH", "------- SEARCH").replace(">>>>>>> REPLACE", "+++++++ REPLACE"),
        RAISED.replace("<<<<<<< SEARCH", "<<<<<<< ORIGINAL").replace(">>>>>>> REPLACE", ">>>>>>> UPDATED"),
        RAISED.replace("=======", "============"),
        RAISED.replace("<", "&lt;").replace(">", "&gt;"),
        "".join(f"> {line}\n" for line in RAISED.split("\n")),
        RAISED + RAISED,
        f"Hypothesis: faster.\n{RAISED}\nHypothesis: faster.\n{RAISED}",
        "<parameter=old_string>\nRATE = 0.1  # slow\n</parameter>\n<parameter=new_string>\nRATE = 0.2\n</parameter>",
        block("import torch", "import torch") + RAISED,
        block("```python\nRATE = 0.1  # slow\n```", "```python\nRATE = 0.2\n```"),
        block("    3 | RATE = 0.1  # slow", "    3 | RATE = 0.2"),
        block("0.1  # slow", "0.2"),
        "```diff\n--- a/x\n+++ b/x\n@@ -30,1 +30,1 @@\n-RATE = 0.1  # slow\n+RATE = 0.2\n```",
        "```diff\n import torch\n \n-RATE = 0.1  # slow\n+RATE = 0.2\n```",
        "@@ -1,3 +1,3 @@\n import torch\n\n-RATE = 0.1  # slow\n+RATE = 0.2\n",
        f"<think>\n{block('import torch', 'import jax')}</think>\n{RAISED}",
        f"<seed:think>Hm.</seed:think>Hypothesis: faster.\n{RAISED}",
        "*** Begin Patch\n*** Update File: train.py\n@@\n-RATE = 0.1  # slow\n+RATE = 0.2\n*** End Patch",
        "```\n*** Begin Patch\n*** Update File: train.py\n@@ import torch\n \n-RATE = 0.1  # slow\n+RATE = 0.2\n```",
        "*** Begin Patch\n*** Update File: a.py\n import torch\n \n-RATE = 0.1  # slow\n+RATE = 0.2\n*** End Patch",
        block("RATE\u00a0= 0.1  #\u00a0slow", "RATE = 0.2"),
        f"<answer>\n<edit>\n{RAISED}</edit>\n</answer>",
        RAISED.replace("SEARCH", "HEAD").replace("REPLACE", "faster"),
        RAISED.replace(" SEARCH", "").replace(" REPLACE", ""),
        RAISED.replace("=======", "======= REPLACE"),
        RAISED.replace("RATE = 0.1", ":start_line:3\n-------\nRATE = 0.1"),
        block("3: RATE = 0.1  # slow", "3: RATE = 0.2"),
        block("     3\tRATE = 0.1  # slow", "RATE = 0.2"),
        "--- a/train.py\n+++ b/train.py\n-RATE = 0.1  # slow\n+RATE = 0.2\n",
        "```python\n-RATE = 0.1  # slow\n+RATE = 0.2\n```",
        "```diff a.py\n--- a.py\n+++ a.py\n import torch\n \n-RATE = 0.1  # slow\n+RATE = 0.2\n```",
        '```json\n{"edits": [{"old_string": "RATE = 0.1  # slow", "new_string": "RATE = 0.2"}]}\n```',
        '<tool_call>\n{"arguments": {"search": "RATE = 0.1  # slow", "replace": "RATE = 0.2"}}\n</tool_call>',
        "<edit>\n<old>\nRATE = 0.1  # slow\n</old>\n<new>\nRATE = 0.2\n</new>\n</edit>",
        '<p name="old_str">RATE = 0.1  # slow</p>\n<p name="new_str">RATE = 0.2</p>',
        "Replace\n```python\nRATE = 0.1  # slow\n```\nwith:\n```python\nRATE = 0.2\n```\n",
        f"**Before**\n```\n{SOURCE}```\n**After**\n```\n{SOURCE.replace('0.1  # slow', '0.2')}```\n",
        f"Hypothesis: faster.\n\n<file>\n{SOURCE.replace('0.1  # slow', '0.2')}</file>",
        f"```python\n{numbered(FASTER.split(chr(10))[:-1], 1)}\n```",
        "```python\n" + "".join(f"{number:6}\t{line}\n" for number, line in enumerate(FASTER.split("\n"), 1)) + "```",
        json.dumps({"hypothesis": "faster", "code": FASTER}),
        f"Hypothesis: faster.\n\n```json\n{json.dumps({'program': FASTER}, indent=1)}\n```",
        json.dumps({"choices": [{"content": f"Hypothesis: faster.\n\n{RAISED}"}]}),
        json.dumps(f"Hypothesis: faster.\n\n{RAISED}"),
        "<search><![CDATA[\nRATE = 0.1  # slow\n]]></search>\n<replace><![CDATA[\nRATE = 0.2\n]]></replace>",
        RAISED.replace("<", "\\<").replace(">", "\\>"),
        RAISED.replace("<", "\N{FULLWIDTH LESS-THAN SIGN}"),
        RAISED.replace("=======", "\N{BOX DRAWINGS DOUBLE HORIZONTAL}" * 7),
        "<pre><code>" + RAISED.replace("<", "&lt;").replace(">", "&gt;") + "</code></pre>",
        RAISED.replace("=======", "||||||| base\nRATE = 0.1  # slow\n======="),
    ],
)
def test_replies_that_can_be_read_in_one_way(reply: str) -> None:
    revised = revise(SOURCE, reply)
    assert [line.rstrip() for line in revised.split("\n")] == SOURCE.replace("0.1  # slow", "0.2").split("\n")


def test_edits_refer_to_the_source_as_given() -> None:
    reply = block("RATE = 0.1  # slow", "RATE = 0.1  # slow\nRATE_2 = RATE") + block(
        "def train(model, task):", "def f():"
    )
    revised = revise(SOURCE, reply)
    assert "RATE_2 = RATE\n" in revised
    assert "def f():\n    x = 1" in revised


def test_deletion() -> None:
    assert "y = 2" not in revise(SOURCE, "<<<<<<< SEARCH\n        y = 2\n=======\n>>>>>>> REPLACE\n")


def test_a_replacement_takes_the_indentation_of_its_place() -> None:
    revised = revise(SOURCE, block("x = 1\ny = 2", "x = 1\nif x:\n    y = 3"))
    assert "    if task:\n        x = 1\n        if x:\n            y = 3\n    return x" in revised


@pytest.mark.parametrize(
    ("search", "replace"),
    [
        ("if task:\n        x = 1", "if task:\n        x = 3"),  # the first line lost its own
        ("\tif task:\n\t\tx = 1", "\tif task:\n\t\tx = 3"),
        ("  if task:\n    x = 1", "  if task:\n    x = 3"),
        ("\tif task:\n\t\tx = 1", "\tif task:\n\t\tx = 3\n\t\tif x:\n\t\t\tx = 4"),
        ("  if task:\n    x = 1", "  if task:\n    x = 3\n    if x:\n      x = 4"),
    ],
)
def test_a_replacement_is_indented_as_the_lines_that_it_repeats(search: str, replace: str) -> None:
    deeper = "        if x:\n            x = 4\n" if "if x" in replace else ""
    assert f"    if task:\n        x = 3\n{deeper}        y = 2\n" in revise(SOURCE, block(search, replace))


def test_typography_is_undone_where_the_program_has_none() -> None:
    program = 'NAME = "it\'s"\nMARK = "\u2013"\n'
    assert revise(program, block("NAME = \u201cit\u2019s\u201d", "NAME = \u201cthat\u2019s\u201d")).startswith(
        'NAME = "that\'s"\n'
    )
    assert 'MARK = "\u2014"' in revise(program, block('MARK = "\u2013"', 'MARK = "\u2014"'))


def test_headings_may_stand_in_one_another() -> None:
    revised = revise(
        SOURCE, "*** Begin Patch\n@@ import torch\n@@ def build_model(task):\n-        y = 2\n+        y = 5\n"
    )
    assert "y = 5" in revised


@pytest.mark.parametrize("header", ["@@ def train(model, task):", "@@ -70,2 +70,2 @@ def train(model, task):"])
def test_the_heading_of_a_hunk_decides_between_places(header: str) -> None:
    revised = revise(SOURCE, f"*** Begin Patch\n*** Update File: a.py\n{header}\n-    x = 1\n+    x = 5\n*** End Patch")
    assert revised == SOURCE.replace("task):\n    x = 1", "task):\n    x = 5")


def test_a_diff_may_remove_what_looks_like_its_own_marks() -> None:
    program = "-- all rows\n```\nSELECT 1;\nindex a;\n"
    reply = "```diff\n@@ -1 +1 @@\n--- all rows\n ```\n-SELECT 1;\n+SELECT 2;\nindex a;\n```\n"
    assert revise(program, reply, language_of("q.sql")) == "```\nSELECT 2;\nindex a;\n"


def test_a_program_with_fences_of_its_own_may_stand_in_a_fence() -> None:
    program = SOURCE + 'DOC = """\n```python\nx = 1\n```\n"""\n'
    changed = program.replace("RATE = 0.1", "RATE = 0.2")
    assert revise(program, f"```python\n{changed}```\nThat is all of it.") == changed


@pytest.mark.parametrize(
    "reply", ["<hypothesis>Faster.</hypothesis>", "<answer>\n<hypothesis>\nFaster.\n</hypothesis>"]
)
def test_a_hypothesis_may_stand_in_tags(reply: str) -> None:
    assert parse_idea(f"{reply}\n{RAISED}") == "Faster."
    assert parse_idea(f"<answer>Hypothesis: A Vec<int>.\n{RAISED}") == "A Vec<int>."


def test_a_replacement_loses_indentation_that_its_place_lacks() -> None:
    assert "def f(m, t):\n    x = 1" in revise(SOURCE, block("  def train(model, task):", "  def f(m, t):"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no change"),
        ("Raise the rate.", "no change"),
        ("```\na = 1\n```\n```\nb = 2\n```", "2 code blocks"),
        ("```python\nRATE = 0.2\n```", "lacks 3 of the 4 names"),
        ("```python\ndef train(model, task):\n    return torch.zeros(RATE)\n```", "uses `RATE`"),
        (
            "```python\n# ... the imports ...\n" + SOURCE.replace("0.1", "0.2") + "```",
            "stands for code that is left out",
        ),
        (block("RATE = 0.1  # slow", "RATE = 0.2\n# ... rest of the code unchanged ..."), "would delete it"),
        (block("def train(model, task):", "def train(model, task):\n    ..."), "would delete it"),
        (f"```python\n{SOURCE.split('def train')[0]}# (rest unchanged)\n```", "stands for code that is left out"),
        (
            f"```python\n{FASTER.split('def train')[0]}# train() unchanged below\n```",
            "stands for code that is left out",
        ),
        (block("    return x\n\n\ndef", "    # [original code]\n\n\ndef"), "would delete it"),
        (block("RATE = 0.1  # slow", "RATE = 0.2\n// ... rest of the code"), "would delete it"),
        (block("RATE = 0.1  # slow", "RATE = 0.2\n<!-- same as before -->"), "would delete it"),
        ("Try\n```\nRATE = 0.1  # slow\n```\nor\n```\nRATE = 0.2\n```\n", "2 code blocks"),
        ("<old>\n</old><new>x = 1</new>", "empty SEARCH"),
        (block("TE = 0.1  # slow", "TE = 0.2"), "not in the program"),
        (block("RATE = 0", "RATE = 1"), "not in the program"),
        ("```diff\n@@ -1,1 +1,2 @@\n+x = 1\n```", "repeats no line"),
        ("```python\nimport torch", "cut off"),
        (block("RATE = 0.1  # slow", "RATE = 0.1  # slow"), "changes nothing"),
        (f"```python\n{SOURCE}```", "changes nothing"),
        (block("x = 1", "x = 2"), r"matches 2 places of the program \(lines 8, 14\)"),
        (block("RATE = 0.5", "RATE = 0.2"), r"not in the program[^|]*\|[^|]*\| RATE = 0.1  # slow"),
        (block("    x = 1\n    return", "x"), "not in the program"),
        (block("if task:\nx = 1", "pass"), "indented differently"),
        (block("if task:\n\t\tx = 1", "if task:\n\tx = 2"), "indented differently"),
        (block("", "x = 1"), "empty SEARCH"),
        (block("```python\n```", "x = 1"), "empty SEARCH"),
        (block("```python\n\n```", "x = 1"), "empty SEARCH"),
        (block("RATE = 0.1  # slow", "a") + block("RATE = 0.1  # slow\n", "b"), r"same lines \(3 to 3\)"),
        ("<<<<<<< SEARCH\nRATE = 0.1  # slow\n=======\nRATE = 0.2\n", "incomplete"),
        ("<<<<<<< SEARCH\nRATE = 0.1  # slow\n>>>>>>> REPLACE\n", "exactly one ======="),
        (block("RATE = 0.1  # slow", "a\n=======\nb"), "exactly one ======="),
        ("<<<<<<< SEARCH\n" + block("RATE = 0.1  # slow", "a"), "incomplete"),
        ("=======\nRATE = 0.2\n>>>>>>> REPLACE\n", "never begun"),
        (RAISED.replace("SEARCH", "INSERT AFTER"), "does not begin with <<<<<<< SEARCH"),
        (json.dumps({"a": FASTER, "b": SOURCE}), "no change"),
        *(('{"a": ' * depth + '"x"' + "}" * depth, "no change") for depth in range(900, 1000, 10)),
    ],
)
def test_replies_that_cannot(reply: str, reason: str) -> None:
    with pytest.raises(UnusableReply, match=reason):
        revise(SOURCE, reply)


@pytest.mark.parametrize(
    ("reply", "idea"),
    [
        ("Hypothesis: faster.\n" + block("a", "b"), "faster."),
        ("Sure!\n\n**Hypothesis:** faster.\n" + block("a", "b"), "faster."),
        ("# hypothesis : **faster**", "faster"),
        ("## Hypothesis\n\nfaster.\n\n## Change\n" + block("a", "b"), "faster."),
        ("```\nHypothesis: faster.\n" + block("a", "b") + "```", "faster."),
        (block("Hypothesis: a", "b") + "I raise the rate.\nAnd more.", "I raise the rate."),
        ("```python\nx = 1\n```", ""),
        ("Hypothesis\N{FULLWIDTH COLON}faster.\n" + block("a", "b"), "faster."),
        ("<p>Hypothesis: faster.</p>\n" + block("a", "b"), "faster."),
        ("<answer><b>Faster</b>, I think.\n" + block("a", "b"), "Faster</b>, I think."),
        ('<calls><invoke name="edit"><parameter name="old_str">a</parameter>\n<p name="new_str">b</p>', ""),
        ('{"hypothesis": "faster."}\n' + block("a", "b"), "faster."),
        (json.dumps({"hypothesis": "faster.", "edits": [{"search": "a", "replace": "b"}]}), "faster."),
        (json.dumps({"edits": [{"search": "a", "replace": "b"}]}), ""),
        ("Hypothesis: a\u202eb\tc\x07 d\n", "ab c d"),
        ("Hypothesis: " + "long " * 100, "long " * 59 + "long…"),
    ],
)
def test_the_idea_is_the_line_of_hypothesis(reply: str, idea: str) -> None:
    assert parse_idea(reply) == idea


def test_exact_indentation_decides_between_places() -> None:
    assert "def train(model, task):\n    x = 2" in revise(SOURCE, block("    x = 1", "    x = 2"))


def test_a_line_number_decides_between_places_of_a_diff() -> None:
    revised = revise(SOURCE, "```diff\n@@ -15,1 +15,1 @@\n-    return x\n+    return 2\n```")
    assert revised == SOURCE.removesuffix("return x\n") + "return 2\n"


def test_a_character_that_was_cut_in_two_is_whole_again() -> None:
    assert clean_text("a\ud83d\ude80b\ude80") == "a\N{ROCKET}b\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("spelling", ["exact", "whole"])
def test_what_the_model_was_not_shown_stays_in_the_source(spelling: str) -> None:
    source = SOURCE.replace("# slow", "# slow 👩\u200d🔬").replace("def train", "\f\ndef train")
    shown = clean_text(source)
    reply = (
        block("RATE = 0.1  # slow 👩🔬\n\n", "RATE = 0.1  # slow 👩🔬\nNEW = 2\n")
        if spelling == "exact"
        else f"```\n{shown.replace('import torch', 'import torch as torch')}```"
    )
    revised = revise(source, reply)
    assert "RATE = 0.1  # slow 👩\u200d🔬\n" in revised
    assert "\f\ndef train" in revised or spelling == "whole"


@pytest.mark.parametrize(
    ("name", "source", "fence"),
    [
        ("a.yaml", "rate: 0.1\nsteps: 3\n", "yaml"),
        ("a.yml", "rate: 0.1\nsteps: 3\n", "yml"),
        ("a.txt", "Be brief.\nSort it.\n", "text"),
        ("a.json", '{"rate": 0.1,\n "steps": 3}\n', "json"),
        ("a.c", "#define A 1\nint x;\n", "c"),
        ("a.md", "# Task\nSort it.\n", "markdown"),
    ],
)
def test_a_whole_file_in_the_fence_of_its_language(name: str, source: str, fence: str) -> None:
    whole = source.replace("3", "4").replace("Sort", "Rank").replace("A 1", "A 2")
    language = language_of(name)
    assert revise(source, f"Hypothesis: better.\n\n```{fence}\n{whole}```\n", language) == whole
    with pytest.raises(UnusableReply, match="no change"):
        revise(source, f"Run it:\n\n```sh\n{whole}```\n", language)


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ("", "<old>x</old>", ""),
        ("", "<old>", ""),
        ("", "<old>x</old> <new>", ""),
        ("", "<tool_call>", ""),
        ("<old>", "<![CDATA[", "</old><new>x</new>"),
        ("<old>x", " ", "x</old><new>x</new>"),
        ("Hypothesis: x", "</x>", "x"),
        ("", "<![CDATA[]]>", "x"),
        ("```", " ", "`"),
        ("Hypothesis:", " ", ""),
        ("```python\n", " ", "\n```"),
        ("```python\n# x", ".", "x\n```"),
        ("```python\n# x...", " ", "x\n```"),
        ("```python\n", "#", "x\n```"),
        ("@@ x", " ", "x\n-nowhere\n+z\n"),
    ],
)
def test_a_reply_that_goes_on_and_on_is_read_in_the_time_that_its_length_takes(
    before: str, part: str, after: str
) -> None:
    reply = before + part * (200_000 // len(part)) + after
    parse_idea(reply)
    with pytest.raises(UnusableReply):
        revise(SOURCE, reply)


def test_each_of_many_blocks_is_compared_with_the_program_in_the_time_that_its_own_length_takes() -> None:
    source = "".join(f"def f{number}(x):\n    return x + {number}\n" for number in range(400))
    with pytest.raises(UnusableReply, match="600 code blocks"):
        revise(source, "".join(f"```python\nx = {number}\n```\n" for number in range(600)))


@pytest.mark.parametrize(
    ("search", "replace"),
    [
        ("for (i = 0; i < 9; i++)", "```js\nfor (i = 0; i < 8; i++)"),
        ("for (i = 0; i < 9; i++)", "for (i = 0; i < 8; i++)\n```"),
        ("```\nfor (i = 0; i < 9; i++)\n```", "```\nfor (i = 0; i < 8; i++)\n```"),
        ("```js\nfor (i = 0; i < 9; i++)", "for (i = 0; i < 8; i++)"),
        ("for (i = 0; i &lt; 9; i++)", "for (i = 0; i &lt; 8; i++)"),
    ],
)
def test_marks_of_fences_and_of_html_are_no_code(search: str, replace: str) -> None:
    source = "let a = 1;\nfor (i = 0; i < 9; i++)\n  a += 1;\n"
    assert revise(source, block(search, replace), language_of("a.js")) == source.replace("9", "8")


def test_prose_keeps_its_fences() -> None:
    reply = block("Sort it.", "Sort it:\n```")
    assert revise("# Task\nSort it.\n", reply, language_of("a.md")) == "# Task\nSort it:\n```\n"
