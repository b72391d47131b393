"""What a coding agent finds in its folder."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from llm_requests import CHANGED, CONDITIONS, PROGRAM, FileJournal, gate, parent

from operators.agent.briefing import context_files, genome_files
from operators.llm.context import Prompts, ScriptConditions
from operators.proposal import Context, Fate, Idea, Known, Memory, Parent, Relative, Request
from trainer.genome import join
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES


def request(tmp_path: Path, first: Parent, **around: object) -> Request:
    context = Context(noise={"val_bpb": 0.0005}, **around)  # type: ignore[arg-type]
    memory = Memory(settled=[Idea(3, (0,), "random", "a smaller rate", Fate.MEASURED, value=1.75)])
    journal = FileJournal(tmp_path)
    return Request(
        7,
        (first,),
        Known(lambda: context, lambda: memory),
        random.Random(7),
        journal,
        gate(PROGRAM),
        hints=("2026-11-29: mind the zebras",),
        lessons=("rates matter (#3)",),
    )


def test_what_is_known_stands_in_files(tmp_path: Path) -> None:
    failed = Relative(4, (1,), "too much", "random", "crashed", log_tail="Traceback: no\x1b[31m memory")
    first = replace(parent(), log_tail="step 100 loss 3.2")
    inspirations = [parent(CHANGED, 5)]
    files = context_files(request(tmp_path, first, relatives=[failed], inspirations=inspirations), Prompts(CONDITIONS))
    assert files["context/logs/1.txt"] == "step 100 loss 3.2"
    assert files["context/logs/4.txt"] == "Traceback: no memory"
    assert files["context/inspirations/5/train.py"] == CHANGED
    assert "a smaller rate" in files["context/IDEAS.md"]
    assert "1.7421" in files["context/PARENT.md"]
    assert "rates matter" in files["context/PARENT.md"]
    assert "mind the zebras" in files["context/RULES.md"]
    assert "HYPOTHESIS.txt" in files["context/RULES.md"]
    assert "SEARCH" not in "".join(files.values())


def test_a_genome_of_several_files_comes_apart(tmp_path: Path) -> None:
    names = ("main.py", "sub/model.py")
    conditions = ScriptConditions(
        objectives=(LANGUAGE_MODEL_OBJECTIVES["val_bpb"],),
        device="cpu",
        files=names,
        protected=(),
        command="python main.py",
        score="",
        fixed_seconds=None,
        time_limit="60 s",
        constraints=(),
        frozen=(),
    )
    source = join({"main.py": "import sub.model\n", "sub/model.py": "X = 1\n"})
    prompts = Prompts(conditions)
    files = context_files(request(tmp_path, parent(source), inspirations=[parent(source, 5)]), prompts)
    assert genome_files(prompts) == names
    assert files["context/inspirations/5/sub/model.py"] == "X = 1\n"
    assert "evo file" not in "".join(files.values())
    assert "UPPER_CASE" in files["context/RULES.md"]
    other = Prompts(replace(conditions, files=("main.js",))).briefing(request(tmp_path, parent(source)))
    assert "UPPER_CASE" not in other["RULES.md"]
    assert "in the way in which JavaScript has comments" in other["RULES.md"]
