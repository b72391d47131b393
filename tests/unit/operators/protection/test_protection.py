"""Protected code through the gate, as every offspring meets it."""

from __future__ import annotations

import pytest

from operators.gate import SourceGate, script_contract
from operators.proposal import Refused
from operators.protection import Protection, Reported
from trainer.errors import ConfigError
from trainer.genome import join

LOSS = Reported("val_loss", r"^val_loss:\s*(\S+)")

ZERO = '''
import time
import numpy as np

TIME_BUDGET = 1.0
RATE = 0.1


class Trainer:
    def evaluate(self, model):
        """Mean loss."""
        return float(np.mean(model))

    def train(self, model):
        return model * RATE


def main(start=0.0):
    x_val = np.ones(3)
    while time.time() - start < TIME_BUDGET:
        RATE_NOW = RATE * 2
    val_loss = Trainer().evaluate(x_val)
    print(f"val_loss: {val_loss:.4f}")


main()
'''
ENTRIES = (
    "TIME_BUDGET",
    "Trainer.evaluate",
    "main: while time.time() - start…",
    "main.x_val",
    "main.val_loss",
    "print val_loss",
)


def gate(zero: str = ZERO, entries: tuple[str, ...] = ENTRIES, names: tuple[str, ...] = ("train.py",)) -> SourceGate:
    protection = Protection(zero, names, entries, [LOSS])
    return SourceGate(script_contract(names), lambda _: None, protection=lambda: protection)


def refusal(source: str, checked: SourceGate | None = None) -> str:
    with pytest.raises(Refused) as caught:
        (checked or gate()).check(source)
    assert caught.value.kind == "protected"
    return str(caught.value)


def edited(find: str, put: str) -> str:
    assert find in ZERO
    return ZERO.replace(find, put, 1)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("RATE = 0.1", "RATE = 0.2"),
        ("RATE * 2", "RATE * 3 + 1"),
        ('"""Mean loss."""', '"""Another docstring."""\n        # and a comment'),
        ("TIME_BUDGET = 1.0", "TIME_BUDGET = 1.0  # seconds"),
        ("return model * RATE", "sum = model * RATE\n        return sum"),
        ("import time\n", "import math\nimport time\n"),
        ("main()\n", 'print("done", 3)\nmain()\n'),
        ("\n\ndef main", "\n\ndef helper(a, *, b=1):\n    return [x for x in a if (y := x)] + [b]\n\n\ndef main"),
        ("\n\ndef main", "\n\nclass Other:\n    x_val = 3\n\n\ndef main"),
        ("import time\n", "import time, logging, concurrent.futures\nfrom .profile import Timer\n"),
        ("\n\ndef main", "\n\nclass Moments:\n    mean: float\n    float: int = 0\n\n\nMoments(1.0)\n\n\ndef main"),
        ("        RATE_NOW =", "        if RATE > 0.5:\n            break\n        RATE_NOW ="),
    ],
)
def test_what_is_not_protected_may_change(find: str, put: str) -> None:
    gate().check(edited(find, put))


@pytest.mark.parametrize(
    ("put", "said"),
    [
        ("TIME_BUDGET = 2", "`TIME_BUDGET` is protected"),
        ("TIME_BUDGET: float = 2", "`TIME_BUDGET`"),
        ("TIME_BUDGET += 2", "`TIME_BUDGET`"),
        ("del TIME_BUDGET", "`TIME_BUDGET`"),
        ("[TIME_BUDGET, *rest] = 2, 3", "`TIME_BUDGET`"),
        ("for TIME_BUDGET in (9,): pass", "`TIME_BUDGET`"),
        ("with open('x') as TIME_BUDGET: pass", "`TIME_BUDGET`"),
        ("try: pass\nexcept OSError as TIME_BUDGET: pass", "`TIME_BUDGET`"),
        ("import math as TIME_BUDGET", "`TIME_BUDGET`"),
        ("from math import pi as TIME_BUDGET", "`TIME_BUDGET`"),
        ("(TIME_BUDGET := 3)", "`TIME_BUDGET`"),
        ("[0 for _ in 'a' if (TIME_BUDGET := 3)]", "`TIME_BUDGET`"),
        ("match 3:\n    case TIME_BUDGET: pass", "`TIME_BUDGET`"),
        ("match {}:\n    case {**TIME_BUDGET}: pass", "`TIME_BUDGET`"),
        ("def TIME_BUDGET(): pass", "`TIME_BUDGET`"),
        ("class TIME_BUDGET: pass", "`TIME_BUDGET`"),
        ("def f():\n    global TIME_BUDGET\n    TIME_BUDGET = 3", "`TIME_BUDGET`"),
        ("def f(TIME_BUDGET=3): pass", "hides"),
        ("def print(*a): pass", "`print`"),
        ("float = int", "`float`"),
        ("import math as np", "`np`"),
        ("from fast import *", "one by one"),
        ("np.mean = min", "imported module"),
        ("np.mean, a = min, 0", "imported module"),
        ("del np.mean", "imported module"),
        ("time.time = None", "imported module"),
        ("setattr(np, 'mean', min)", "attribute"),
        ("np.__dict__['mean'] = min", "imported module"),
        ("vars(np)['mean'] = min", ""),
        ("m = np\nm.mean = min", "imported module"),
        ("import numpy\nnumpy.mean = min", "imported module"),
        ("def patch(m):\n    m.mean = min", "takes from a library"),
        ("Trainer.evaluate = None", "`evaluate` is protected"),
        ("Trainer().evaluate = None", "`evaluate` is protected"),
        ("setattr(Trainer, 'evaluate', None)", "attribute"),
        ("class T(Trainer):\n    def evaluate(self, model): return 0", "`evaluate`"),
        ("class Fake(float):\n    def __format__(self, spec): return '0.1'", "stand for a number"),
        ("class Fake:\n    __float__ = lambda self: 0.0", "stand for a number"),
        ("class Fake:\n    mean: object\n\ndef zero(): return 0.0\n\nFake(zero)", "stand for a number"),
        ("class Fake:\n    a: (mean := min)", "stand for a number"),
        ("class Fake:\n    mean: object = min", "stand for a number"),
        ("Fake = type('Fake', (float,), {})", "make classes unseen"),
        ("globals()['TIME_BUDGET'] = 9", "`globals`"),
        ("exec('TIME_BUDGET = 9')", "`exec`"),
        ("import builtins", "`builtins`"),
        ("from unittest import mock", "`unittest`"),
        ("import cProfile", "none of the modules"),
        ("from multiprocessing.connection import wait", "none of the modules"),
        ("from Cython.Build.Inline import cython_inline", "none of the modules"),
        ("import numpy.f2py.crackfortran", "no rule reads"),
        ("import pandas.core.nanops", "what is missing"),
        ("import sys\nsys.modules['numpy'].mean = min", ""),
        ("import sys\nsys._getframe().f_globals['np'] = 0", ""),
        ("import os\nos._exit(0)", "`os._exit`"),
        ("from os import _exit as done", "os._exit"),
        ("import sys as s\ns.exit()", "`s.exit`"),
        ("import atexit", "`atexit`"),
        ("raise SystemExit", "ends the program"),
        ("exit()", "ends the program"),
        ("print('val_loss: 0.1')", "read as `val_loss`"),
        ("print('x\\nval_loss:', 0.1)", "read as `val_loss`"),
        ("print('val_loss', 0.1, sep=': ')", "read as `val_loss`"),
        ("print('%s: 0.1' % 'val_loss')", "read as `val_loss`"),
        ("print('{}_loss: 0.1'.format('val'))", "read as `val_loss`"),
        ("print(''.join(['val_', 'loss: 0']))", "read as `val_loss`"),
        ("line = 'val_loss: '", "read as `val_loss`"),
        ("print(open('log').read())", "only running tells"),
        ("print(open('log').read(), file=None)", "only running tells"),
        ("import sys\nsys.stdout = None", "`sys.stdout`"),
        ("import os\nos.write(1, b'x')", "`os.write`"),
        ("import os\nos.environ['EVO_SEED'] = '3'", "environment"),
        ("open('/proc/self/fd/1', 'w').write('x')", "no file"),
    ],
)
def test_undermining_protected_code_is_refused(put: str, said: str) -> None:
    reason = refusal(edited("main()\n", f"{put}\nmain()\n"))
    assert said in reason
    assert reason.startswith("line ")


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ("TIME_BUDGET = 1.0", "TIME_BUDGET = 3.0", "`TIME_BUDGET = 1.0` is protected: restore it exactly"),
        ("< TIME_BUDGET", "< 3 * TIME_BUDGET", "`while time.time() - start < TIME_BUDGET:` in `main` is protected"),
        ("np.mean(model)", "np.min(model)", "protected code in `Trainer.evaluate` must stay as it is"),
        ("{val_loss:.4f}", "{val_loss - 1:.4f}", "in `main` is protected"),
        ("    print(f", "    if val_loss < 0.1:\n        print(f", "under the conditions of generation 0"),
        ("    print(f", "    for _ in range(2): print(f", "under the conditions of generation 0"),
        ("    print(f", "    val_loss = 0.0\n    print(f", "`val_loss` is protected"),
        ("    print(f", "    x_val[:] = 0\n    print(f", "in place"),
        ("    print(f", "    x_val.fill(0)\n    print(f", "in place"),
        ("    val_loss =", "    return\n    val_loss =", "returns before"),
        ("    while", "    np.log(x_val)\n    while", "held-out data"),
        ("def main(start=0.0):", "def main(start=0.0, print=len):", "the parameter `print`"),
        ("def main(start=0.0):", "@str\ndef main(start=0.0):", "`main` holds protected statements"),
        ("class Trainer:", "class Trainer(dict):", "`Trainer` holds protected statements"),
        ("def evaluate(self, model):", "@staticmethod\n    def evaluate(self, model):", "protected"),
        (
            "    def train",
            "    def __getattribute__(self, name):\n        return 0\n\n    def train",
            "protected methods",
        ),
        ("\n\nmain()", "\n\nmain = print\nmain()", "`main` is protected"),
        ("\n\nmain()", "\n\ndef main():\n    pass\n\n\nmain()", "define it once"),
    ],
)
def test_protected_code_stays_where_it_is(find: str, put: str, said: str) -> None:
    assert said in refusal(edited(find, put))


def test_order_of_protected_statements_is_kept() -> None:
    swapped = edited("    x_val = np.ones(3)\n", "").replace("    val_loss =", "    x_val = np.ones(3)\n    val_loss =")
    assert "must keep their order" in refusal(swapped)


def test_a_way_that_generation_zero_takes_may_stand_in_a_changed_statement() -> None:
    zero = ZERO.replace("return model * RATE", "return getattr(np, NAME)(model) * 0.1")

    gate(zero).check(zero.replace("* 0.1", "* 0.2"))
    assert "only running tells" in refusal(ZERO.replace("model * RATE", "getattr(np, NAME)(model)"))


def test_what_generation_zero_does_itself_is_allowed() -> None:
    zero = "import numpy as np\nnp.mean = min\nexec('a = 1')\nRATE = 1\nprint('val_loss:', np.mean([RATE]))\n"
    checked = gate(zero, ("print val_loss",))
    checked.check(zero.replace("RATE = 1", "RATE = 2"))
    assert "stands once more" in refusal(zero + "print('val_loss:', np.mean([RATE]))\n", checked)


def test_a_long_program_is_judged_in_the_time_that_its_length_takes() -> None:
    count = 200
    zero = (
        "import numpy as np\ndef load():\n    return np.random.RandomState(1).randn(9, 4)\n\nx = load()\ny = x[:, 0]\n"
        + "".join(f"w{number} = np.ones(4)\n" for number in range(count))
        + "for i in range(180):\n    w0 -= 0.1 * x[i] * y[i]\n"
        + "error = abs(x[180:] @ w0 - y[180:]).mean()\nprint('val_loss:', error)\n"
    )
    checked = gate(zero, ("load", "x", "y", "error", "print val_loss"))
    changed = zero.replace("np.ones(4)", "np.ones(4) * x[:180].mean()")
    checked.check(changed)
    renamed = "".join(f"a{depth} = a{depth + 1}\n" * 30 for depth in range(6))  # 30 ** 6 ways lead to the last
    assert "held-out rows" in refusal(changed.replace("for i", f"{renamed}w1 = x[a0]\nfor i"), checked)


def test_data_that_hold_out_data_are_cut_from_are_for_protected_code() -> None:
    zero = "data = list(range(9))\nn = 6\ntrain = data[:n]\nval_data = data[n:]\nprint('val_loss:', sum(val_data))\n"
    checked = gate(zero, ("data", "n", "val_data", "print val_loss"))
    assert "all of the data" in refusal(zero.replace("data[:n]", "data[:9]"), checked)
    assert "all of the data" in refusal(zero + "train += [sum(data)]\n", checked)
    checked.check(zero + "def f(data, n):\n    return [n for n in data], n\n")
    checked.check(zero + "train = [data for data in range(3)]\n")


MARKED = """
A = 1
# evo: fixed
B = 2
if A:
    C = 3
# evo: end
D = 4
"""


def test_marks_fix_what_stands_between() -> None:
    checked = gate(MARKED, ())
    checked.check(MARKED.replace("A = 1", "A = 5").replace("D = 4", "D = 6\nE = 7"))
    assert "marked as fixed" in refusal(MARKED.replace("B = 2", "B = 3"), checked)
    assert "marked as fixed" in refusal(MARKED.replace("B = 2", "B = 2\nE = 2"), checked)
    assert "`B` is protected" in refusal(MARKED + "B = 3\n", checked)
    assert "the marks that are missing" in refusal(
        MARKED.replace("# evo: fixed\n", "").replace("# evo: end\n", ""), checked
    )


@pytest.mark.parametrize(
    ("start", "end"), [("# evo: evolve", "# evo: end"), ("# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END")]
)
def test_outside_of_what_evolves_all_is_fixed(start: str, end: str) -> None:
    zero = f"import math\nA = 1\n{start}\nB = 2\n{end}\nprint('val_loss:', A + B)\n"
    checked = gate(zero, ())
    checked.check(zero.replace("B = 2", "B = 3\ndef f(): pass"))
    for find, put in (("A = 1", "A = 2"), ("A = 1", "A = 1\nC = 1"), ("A + B", "B"), ("B = 2", "B = 2\nA = 3")):
        assert refusal(zero.replace(find, put, 1), checked)
    assert Protection(zero, ["a.py"], ()).lines(zero) == {1, 2, 3, 5, 6}


def test_a_mark_within_a_text_is_none() -> None:
    zero = "A = '# evo: fixed'\n"
    assert not Protection(zero, ["a.py"], ())


@pytest.mark.parametrize(
    "printed",
    [
        *("np.array(TEXT).item()", "TEXT * 1", "2 * TEXT", "f'{TEXT * 1}'", "f'{TEXT:.50}'", "f'{TEXT!s}'"),
        *("DATE / ''", "f'{DATE:val.%d}'", "f'{DATE:{TEXT}<%d}'", "'{:%B %d}'.format(DATE)", "'%.20s' % TEXT"),
        *("'{!s}'.format(TEXT)", "'{1}'.format('x', TEXT)", "'{0.parent}'.format(TEXT)", "'{0[0]}'.format(TEXT)"),
        *("'{:{}}{}'.format('x', 3, TEXT)", "'{{\\n{}'.format(TEXT)", "'{b}'.format(b=TEXT)", "'{}'.format(*TEXT)"),
        *("'x %s\\n%s' % TEXT", "'%*d\\n%s' % (5, 3, TEXT)", "'%s\\n%s' % ('x', *TEXT)", "'x\\n%(b)s' % TEXT"),
    ],
)
def test_a_line_whose_beginning_may_be_any_text_is_refused(printed: str) -> None:
    assert "begin the line with a word" in refusal(edited("main()\n", f"print({printed})\nmain()\n"))


@pytest.mark.parametrize(
    "printed",
    [
        "2.0 * A",
        "100 * A / B",
        "A / 4",
        "A - B",
        "-0.5",
        "f'{A:>10.3f}'",
        "'%d of %s' % (3, A)",
        "'{:.3f} {}'.format(A, B)",
    ],
)
def test_a_line_that_begins_with_a_number_is_none_of_any_text(printed: str) -> None:
    gate().check(edited("main()\n", f"print({printed})\nmain()\n"))


def test_a_whole_number_is_read_by_an_expression_for_one() -> None:
    protection = Protection(ZERO, ["train.py"], ENTRIES, [Reported("loss", r"^loss: (\d+)$")])
    judging = SourceGate(script_contract(["train.py"]), lambda _: None, protection=lambda: protection)
    for printed in ("f'loss: {RATE}'", "'loss:', len('abc')"):
        assert "read as `loss`" in refusal(edited("main()\n", f"print({printed})\nmain()\n"), judging)


@pytest.mark.parametrize(
    "printed", ["f'{\"AUC\":<12}{RATE:>9.3f}'", "'%-12s%s' % ('AUC', 0.9)", "'{:>5} {}'.format('AUC', 1.0)"]
)
def test_a_label_that_is_padded_is_the_label(printed: str) -> None:
    protection = Protection(ZERO, ["train.py"], ENTRIES, [Reported("auc", r"^\s*AUC\s+(\S+)")])
    judging = SourceGate(script_contract(["train.py"]), lambda _: None, protection=lambda: protection)
    assert "read as `auc`" in refusal(edited("main()\n", f"print({printed})\nmain()\n"), judging)


def test_a_file_with_a_name_of_many_unknown_parts_is_judged_at_once() -> None:
    protection = Protection(ZERO, ["train.py"], ENTRIES, [Reported("loss", json_file="metrics.json")])
    judging = SourceGate(script_contract(["train.py"]), lambda _: None, protection=lambda: protection)
    written = "open(f'{}{}', 'w')\nmain()\n"
    judging.check(edited("main()\n", written.format(99 * "{RATE}", ".txt")))
    assert "only running tells whether it writes metrics.json" in refusal(
        edited("main()\n", written.format(99 * "{RATE}", ".json")), judging
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# evo: fixed\nA = 1\n", "line 1 begins a part that nothing ends"),
        ("A = 1\n# evo: end\n", "line 2 ends a part that no mark begins"),
        ("# evo: fixed\n# evo: evolve\n# evo: end\n", "line 2 begins a part within"),
        ("# evo: fixed\nA = 1\n# evo: end\n# evo: evolve\nB = 1\n# evo: end\n", "exclude each other"),
    ],
)
def test_unbalanced_marks_are_an_error(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match="The marks in a") as caught:
        Protection(text, ["a.py"], ())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("evaluat", "nothing in generation 0 fits"),
        ("Trainer.evalute", "Did you mean `Trainer.evaluate`?"),
        ("print val_acc", "nothing in generation 0 fits"),
        ("main: for x in y", "nothing in generation 0 fits"),
        ("other.py: main", "names the file 'other.py', but what evolves is train.py"),
        ("…", "nothing in generation 0 fits"),
    ],
)
def test_an_entry_that_names_nothing_is_an_error(entry: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Protection(ZERO, ["train.py"], [entry])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "lines"),
    [
        ("TIME_BUDGET", {5}),
        ("Trainer.evaluate", {10, 12}),
        ("Trainer", {9, 10, 12, 14, 15}),
        ("main.start", {18}),
        ("print val_loss", {23}),
        ("main: while time.time() - start < TIME_BUDGET", {20}),
        ("while time.time()…", {20}),
        ('print(f"val_loss: {val_loss:.4f}")', {23}),
        ("train.py: np", {3}),
    ],
)
def test_entries(entry: str, lines: set[int]) -> None:
    assert Protection(ZERO, ["train.py"], [entry]).lines(ZERO) == lines


def test_a_genome_of_several_files() -> None:
    zero = (
        "# ===== evo file: a.py =====\nfrom b import evaluate\nRATE = 1\nprint('val_loss:', evaluate(RATE))\n"
        "# ===== evo file: b.py =====\nEVAL = 3\n\ndef evaluate(x):\n    return x * EVAL\n"
    )
    names = ("a.py", "b.py")
    checked = gate(zero, ("b.py: evaluate", "EVAL", "print val_loss"), names)
    checked.check(zero.replace("RATE = 1", "RATE = 2"))
    assert refusal(zero.replace("x * EVAL", "x"), checked).startswith("b.py: ")
    assert "imported module" in refusal(zero.replace("RATE = 1", "RATE = 1\nimport b\nb.EVAL = 0"), checked)
    assert "`evaluate`" in refusal(zero.replace("RATE = 1", "RATE = 1\nevaluate = abs"), checked)
    assert checked.protection.lines(zero) == {4, 6, 8, 9}


YAML = "model:\n  width: 8\n# evo: fixed\nsteps: 100\n# evo: end\ndata: train.csv\n"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("width: 8", "width: 16", None),
        ("steps: 100", "steps: 900", "marked as fixed"),
        ("# evo: end\n", "", "must stand as in generation 0"),
        ("data: train.csv", "data: test.csv", "restore it exactly"),
        ("data: train.csv\n", "data: train.csv\ndata: train.csv\n", "stands once more"),
    ],
)
def test_marks_and_lines_hold_in_every_language(old: str, new: str, why: str | None) -> None:
    protection = Protection(join({"run.yaml": YAML}), ("run.yaml",), ("data:",))
    assert protection.lines(join({"run.yaml": YAML})) == {4, 5, 6, 7}
    reason = protection.violation(join({"run.yaml": YAML.replace(old, new)}))
    assert (reason is None) if why is None else (reason is not None and why in reason)


def test_an_entry_may_name_the_file_that_is_not_python() -> None:
    source = join({"train.py": "STEPS = 3\n", "run.yaml": "steps: 3\n"})
    protection = Protection(source, ("train.py", "run.yaml"), ("run.yaml: steps", "train.py: STEPS"))
    assert protection.violation(source.replace("steps: 3", "steps: 4"))
    assert protection.violation(source.replace("STEPS = 3", "STEPS = 4"))
    with pytest.raises(ConfigError, match="nothing in generation 0 fits"):
        Protection(source, ("train.py", "run.yaml"), ("run.yaml: epochs",))


DATA_AND_LOOP = """
from loop import Trainer


class Data:
    def __init__(self, size=9):
        self.held_out = [0.5] * size


class Net:
    def __init__(self, rate=0.1):
        self.rate = rate


trainer = Trainer(steps=3)
data = Data()
trainer.fit(Net(), data)
trainer.validate(data)
"""


def test_each_class_has_an_initializer_of_its_own() -> None:
    checked = gate(DATA_AND_LOOP, ("Data", "data", "trainer.validate(data)"))
    checked.check(DATA_AND_LOOP.replace("rate=0.1", "rate=0.2"))
    assert "__init__" in refusal(DATA_AND_LOOP.replace("size=9", "size=8"), checked)


def test_a_method_that_protected_code_calls_is_not_set() -> None:
    checked = gate(DATA_AND_LOOP, ("Data", "data", "trainer.validate(data)"))
    put = "trainer.validate = print\ntrainer.fit("
    assert "`.validate` is a name that protected code calls" in refusal(
        DATA_AND_LOOP.replace("trainer.fit(", put), checked
    )


@pytest.mark.parametrize(
    ("put", "is_refused"),
    [
        ("print('log: ' + chr(118) + 'al/acc=1.0')", True),
        ("print('log:', *['val/acc=1.0'])", True),
        ("print(f'log: step {step} {name}')", True),
        ("print('log:', f'lr={lr:.4f}')", False),
        ("print('epoch', step, name)", False),
        ("log({'val' + '/acc': 1.0})", True),
        ("log({'lr': 1.0})", False),
    ],
)
def test_a_line_that_begins_as_a_report_may_not_leave_the_rest_open(put: str, is_refused: bool) -> None:
    zero = "def log(table):\n    print('log: ' + ' '.join(map('='.join, table)))\nacc = 0.5\nlog({'val/acc': acc})\n"
    reported = [Reported("val_acc", r"^log:.*\bval/acc=\s*(\S+)")]
    protection = Protection(zero, ("train.py",), ("log", "acc", "log({'val/acc': acc})"), reported)
    assert (protection.violation(f"{zero}{put}\n") is not None) is is_refused


SETTINGS = 'config = {"noise": 0.1, "rng": dict(shuffle=2),\n    "lr": 0.05}\nloss = config["noise"]\n'


@pytest.mark.parametrize(
    ("old", "new", "is_refused"),
    [
        ('"lr": 0.05', '"lr": 0.5, "width": 3', False),
        ("loss =", 'config["lr"] = 0.2\nloss =', False),
        ('"noise": 0.1', '"noise": 0.0', True),
        ("shuffle=2", "shuffle=3", True),
        ('"lr": 0.05', '"lr": 0.05, "noise": 0', True),
        ('"lr": 0.05', '"lr": 0.05, **{"noise": 0}', True),
        ("loss =", 'config["noise"] = 0\nloss =', True),
        ("loss =", 'config["rng"][KEY] = 0\nloss =', True),
        ("loss =", "config.update(noise=0)\nloss =", True),
        ("loss =", 'config |= {"noise": 0}\nloss =', True),
        ("loss =", 'config = {**config, "noise": 0}\nloss =', True),
    ],
)
def test_an_item_of_a_table_is_protected_by_its_value(old: str, new: str, is_refused: bool) -> None:
    protection = Protection(SETTINGS, ("train.py",), ("config.noise", "config.rng.shuffle"))
    assert protection.violation(SETTINGS) is None
    assert (protection.violation(SETTINGS.replace(old, new, 1)) is not None) is is_refused
    assert protection.lines(SETTINGS) == set()
    assert protection.lines(SETTINGS.replace(', "rng"', ',\n"rng"')) == {1, 2}


HANDED = """
import numpy as np
def make(n, seed):
    return np.random.RandomState(seed).rand(n)
def measure(pair):
    return pair.mean()
class Trainer:
    def __init__(self, model, rows, eval_rows, measure):
        self.rows, self.eval_rows, self.measure = rows, eval_rows, measure
    def fit(self):
        return self.rows * 2
    def evaluate(self):
        return self.measure(self.eval_rows)
dev = make(20, 5)
trainer = Trainer(3, make(40, 1), make(30, 7), measure)
trainer.fit()
print('val_loss:', trainer.evaluate())
"""


@pytest.mark.parametrize(
    ("old", "new", "is_refused"),
    [
        ("make(30, 7)", "make(3, 7)", True),
        ("make(30, 7), measure", "measure=measure, eval_rows=make(3, 2)", True),
        ("make(40, 1)", "make(30, 7)", True),
        ("make(40, 1)", "make(40, 1)[:9]", False),
        ("make(40, 1)", "make(99, 7)", True),
        ("make(40, 1)", "make(99, 5)", True),
        ("make(40, 1)", "make(99, 1)", False),
        ("7), measure", "7), lambda pair: 0.0", True),
        ("Trainer(3", "Trainer(4", False),
        ("self.rows * 2", "self.eval_rows * 2", True),
    ],
)
def test_held_out_data_and_functions_stay_where_they_are_handed_over(old: str, new: str, is_refused: bool) -> None:
    entries = ("make", "measure", "dev", "Trainer.__init__: self.rows…", "Trainer.evaluate", "print('val_loss:'…")
    protection = Protection(HANDED, ("train.py",), entries, [LOSS])
    assert protection.violation(HANDED) is None
    assert (protection.violation(HANDED.replace(old, new, 1)) is not None) is is_refused


MEASURED = """
import math
RATE = 2.0
def plan(jobs, limit):
    order = sorted(jobs)
    return [math.sqrt(RATE) for _ in order]
"""


@pytest.mark.parametrize(
    ("put", "is_refused"),
    [
        ("    jobs[0] = 0", True),
        ("    for job in jobs:\n        job.clear()", True),
        ("    todo = jobs\n    todo[0].pop()", True),
        ("    jobs = list(jobs)\n    jobs.clear()", False),
        ("    order.sort()", False),
        ("    import engine", True),
        ("    from engine import rows", True),
        ("    import lib.tables", False),
        ("    rows = open('data/rows.csv').read()", True),
        ("    from pathlib import Path\n    rows = list(Path('data').iterdir())", True),
        ("    open('mine.txt', 'w').write('1')\n    rows = open('mine.txt')", False),
        ("    math.sqrt = abs", True),
        ("    print('val_loss: 0.1')", True),
        ("    raise SystemExit", True),
        ("    import heapq\n    heapq.heappush(order, 3)", False),
    ],
)
def test_a_file_that_another_program_measures_has_rules_without_protected_code(put: str, is_refused: bool) -> None:
    protection = Protection(MEASURED, ("train.py",), (), [LOSS], ["engine.py", "lib", "data/rows.csv"])
    assert not protection
    assert protection.violation(MEASURED) is None
    source = MEASURED.replace("    return", f"{put}\n    return", 1)
    assert (protection.violation(source) is not None) is is_refused
    # What reports itself is protected by its list alone.
    itself = "print('val_loss:', plan([0], 1))\n"
    assert Protection(MEASURED + itself, ("train.py",), (), [LOSS]).violation(source + itself) is None


GIVEN_ALL = """
def simulate(n):
    return [1.0] * n
def backtest(make, rows):
    return make(rows[:3]) - rows[3]
def main():
    rows = simulate(9)
    def make(past):
        return sum(past)
    loss = backtest(make, rows)
    print("val_loss:", loss)
"""


@pytest.mark.parametrize(
    ("new", "is_refused"),
    [
        ("sum(rows)", True),
        ("sum(simulate(9))", True),
        ("max(past)", False),
        ("sum(past[-2:])", False),
    ],
)
def test_what_is_made_for_the_evaluation_alone_is_held_out(new: str, is_refused: bool) -> None:
    entries = ("simulate", "backtest", "main.rows", "main.loss", "print val_loss")
    protection = Protection(GIVEN_ALL, ("train.py",), entries, [LOSS])
    assert (protection.violation(GIVEN_ALL.replace("sum(past)", new)) is not None) is is_refused


FOLDED = """
import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold
def main():
    rows, labels = load()
    losses = []
    for tr, va in KFold(5).split(rows, labels):
        model = fit(rows[tr], labels[tr])
        losses.append(log_loss(labels[va], model(rows[va])))
    print("val_loss:", sum(losses))
"""


@pytest.mark.parametrize(
    ("new", "is_refused"),
    [
        ("fit(rows[tr[:9]], labels[tr[:9]])", False),
        ("fit(rows[sorted(tr)], labels[sorted(tr)])", False),
        ("half = tr[::2]\n        model = fit(rows[half], labels[half])", False),
        ("some = np.random.permutation(tr)\n        model = fit(rows[some], labels[some])", False),
        ("fit(rows[tr + 1], labels[tr + 1])", True),
        ("some = np.random.permutation(99)\n        model = fit(rows[some], labels[some])", True),
        ("some = tr\n        some = range(99)\n        model = fit(rows[some], labels[some])", True),
    ],
)
def test_a_part_of_the_rows_that_generation_0_takes(new: str, is_refused: bool) -> None:
    entries = ("main.labels", "main.losses", "main.tr", "main: losses.append(log_loss…", "print val_loss")
    protection = Protection(FOLDED, ("train.py",), entries, [LOSS])
    known = "        model = fit(rows[tr], labels[tr])"
    put = f"        model = {new}" if new.startswith("fit") else f"        {new}"
    assert (protection.violation(FOLDED.replace(known, put)) is not None) is is_refused


@pytest.mark.parametrize(
    ("returned", "is_refused"),
    [
        ("np.ones((len(x), 2))", True),
        ("self.inner.predict_proba(x) * 3", True),
        ("p / p.sum(axis=0)", True),
        ("p / (0.1 * p.sum(axis=1))", True),
        ("p / (p.sum(axis=1)[:, None] + 1e-9)", False),
        ("p / p.sum(axis=1, keepdims=True)", False),
        ("p / np.sum(p, -1, keepdims=True)", False),
        ("softmax(p, axis=1)", False),
        ("self.inner.predict_proba(x)", False),
    ],
)
def test_a_method_whose_logarithms_are_taken_returns_probabilities(returned: str, is_refused: bool) -> None:
    zero = FOLDED.replace("model(rows[va])", "model.predict_proba(rows[va])")
    entries = ("main.labels", "main.losses", "main.tr", "main: losses.append(log_loss…", "print val_loss")
    protection = Protection(zero, ("train.py",), entries, [LOSS])
    own = f"class Own:\n    def predict_proba(self, x):\n        p = self.inner.scores(x)\n        return {returned}\n"
    assert (protection.violation(zero.replace("def main", f"{own}def main")) is not None) is is_refused
    set_by_name = zero.replace("        losses.append", "        model.predict_proba = max\n        losses.append")
    assert protection.violation(set_by_name) is not None
