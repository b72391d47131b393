"""Where a program reports what the genome returned, the genome holds its own evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.examine import examine

GENOME = """
    RATE = 0.5
    def solve(x):
        return x * RATE
    def pair(x):
        return x, RATE
    """
PROGRAMS = {
    "as it is": "print('score:', solver.solve(3))",
    "a mean": """
        total = 0
        for k in range(3):
            total += solver.solve(k)
        print(f"steps {3} score {total / 3:.2f}")
        """,
    "a part, in a list": """
        found = []
        for k in range(3):
            x, e = solver.pair(k)
            found.append(e)
        print("score: %.3f" % (sum(found) / len(found)))
        """,
    "beside labels": """
        labels = [1, 2, 3]
        score = sum((solver.solve(k) - y) ** 2 for k, y in enumerate(labels))
        print("score:", score)
        """,
    "timed": """
        import time
        began = time.time()
        solver.solve(3)
        print("score:", time.time() - began)
        """,
    "measured by a function": """
        def length(tour):
            return abs(tour - 7)
        print("score:", length(solver.solve(3)))
        """,
}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("as it is", ("solve",)),
        ("a mean", ("solve",)),
        ("a part, in a list", ("pair",)),
        ("beside labels", ()),
        ("timed", ()),
        ("measured by a function", ()),
    ],
)
def test_functions_whose_results_are_reported_are_named(tmp_path: Path, how: str, expected: tuple[str, ...]) -> None:
    files = {"solver.py": GENOME, "measure.py": f"{PROGRAMS[how]}\n"}
    root = write_files(tmp_path, files)
    program = root / "measure.py"
    program.write_text(f"import solver\n{program.read_text()}")
    found = examine(root, genome=["solver.py"], metric="score")
    assert found.command == ("python", "measure.py")
    assert found.shared == expected


@pytest.mark.parametrize(
    ("measured", "is_noted"),
    [
        ("math.log(model.predict(x)[y])", True),
        ("math.log(p[y])", True),
        ("math.log(p[y] / sum(p))", False),
        ("p[y] - math.log(sum(map(math.exp, p)))", False),
        ("abs(model.predict(x)[y] - 1)", False),
    ],
)
def test_logarithms_of_what_nothing_makes_probabilities_are_noted(
    tmp_path: Path, measured: str, is_noted: bool
) -> None:
    evaluation = (
        "import math\n\ndef bits(model, pairs):\n    total = 0.0\n    for x, y in pairs:\n"
        f"        p = model.predict(x)\n        total -= {measured}\n    return total / len(pairs)\n"
    )
    train = 'from evaluation import bits\nfrom model import Model\nprint(f"val_bits: {bits(Model(), [(0, 1)]):.4f}")\n'
    model = "MIX = 0.3\n\nclass Model:\n    def predict(self, x):\n        return [MIX, 1 - MIX]\n"
    files = {"train.py": train, "evaluation.py": evaluation, "model.py": model}
    found = examine(write_files(tmp_path / "project", files), ["model.py"])
    assert (found.shared == ("predict",)) is is_noted
    assert any("nothing checks that these are probabilities" in note for note in found.notes) is is_noted
