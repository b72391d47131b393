"""Where a program reports what the genome returned, the genome holds its own evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.examine import examine
from operators.protection import Protection

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


DIVIDES = {
    "at once": "e = [w * MIX for w in x]\n        return np.exp(e) / np.exp(e).sum()",
    "by a softmax": "e = [w * MIX for w in x]\n        return softmax(e)",
    "by a sum before it": "e = [w * MIX for w in x]\n        z = sum(e)\n        return [w / z for w in e]",
    "before it": "e = [w * MIX for w in x]\n        p = e / sum(e)\n        return p",
    "by another method": "e = [w * MIX for w in x]\n        return self.normal(e)",
}


@pytest.mark.parametrize("how", DIVIDES)
@pytest.mark.parametrize("is_own", [True, False], ids=["in its own file", "by a module"])
def test_what_makes_probabilities_stays(how: str, is_own: bool, tmp_path: Path) -> None:
    model = (
        "import numpy as np\nfrom scipy.special import softmax\nMIX = 0.3\nclass Model:\n    def normal(self, e):\n"
        f"        return e / e.sum()\n    def predict(self, x):\n        {DIVIDES[how]}\n"
    )
    loss = "import math\ndef nll(p, y):\n    return -math.log(p[y])\n"
    loss += "model = Model()\nprint('val_bits:', nll(model.predict((1, 2)), 0))\n"
    files = {"train.py": model + loss}
    if not is_own:
        program = "import math\nfrom model import Model\nmodel = Model()\nbits = 0.0\nfor x in [(1, 2), (3, 4)]:\n"
        program += "    bits -= math.log(model.predict(x)[0])\nprint('val_bits:', bits)\n"
        files = {"model.py": model, "measure.py": program}
    found = examine(write_files(tmp_path / "project", files), ["train.py" if is_own else "model.py"])
    assert found.shared == ()
    source = files["train.py" if is_own else "model.py"]
    protection = Protection(source, found.genome, [one.name for one in found.protect])
    assert protection.violation(source.replace("w * MIX", "w * w * MIX")) is None
    last = DIVIDES[how].rpartition("\n")[2]
    for other in (
        last.replace("return", "return 3 *"),
        f"        return [1.0, 1.0]\n{last}",
        f"        e = [2 * w for w in e]\n{last}" if "sum before" in how else "        return x",
    ):
        assert protection.violation(source.replace(last, other)) is not None, other
    assert (
        protection.violation(f"{source}class Better(Model):\n    def predict(self, x):\n        return x\n") is not None
    )
