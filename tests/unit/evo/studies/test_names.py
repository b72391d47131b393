import ast

import pytest

from evo.studies.names import missing_names


def missing(*sources: str, names: tuple[str, ...] = ("train.py", "model.py")) -> set[str]:
    return set(missing_names({name: ast.parse(source) for name, source in zip(names, sources, strict=False)}))


@pytest.mark.parametrize(
    "source",
    [
        "import math as m\nm",
        "from a.b import c\nc",
        "import a.b\na",
        "def f(x, *rest, key=1, **more): return x, rest, key, more, len(more)",
        "for i in range(3):\n    print(i)",
        "try:\n    pass\nexcept ValueError as error:\n    error",
        "match [1]:\n    case [first, *others] as whole:\n        first, others, whole",
        "match {}:\n    case {'a': b, **c}:\n        b, c",
        "[x for x in ()]\n(y := 1)\ny",
        "class A:\n    size: int = 3\n    def f(self): self.size, self.f",
        "from somewhere import *\nanything",
        "def f(a, /, b, *, c=1): ...\nf(1, 2)\nf(1, b=2, c=3)\nf(*args_of())\ndef args_of(): ...",
        "class A:\n    def __init__(self, size): ...\nA(1)\nA(size=1)",
        "@decorated\ndef f(a): ...\nf(1, 2, 3)\ndef decorated(x): ...",
    ],
)
def test_what_is_defined_is_not_missing(source: str) -> None:
    assert missing(source) == set()


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("helper(1)", {"helper"}),
        ("def f(): return WIDTH", {"WIDTH"}),
        ("class A:\n    def f(self): return self.scale", {".scale"}),
        ("class A:\n    def f(self):\n        scale = 1\n        return self.scale", {".scale"}),
        ("def f(a): ...\nf(1, 2)", {"f(2, )"}),
        ("def f(a): ...\nf()", {"f(0, )"}),
        ("def f(a): ...\nf(1, rate=2)", {"f(1, rate)"}),
        ("def f(a): ...\nf(1, a=2)", {"f(1, a)"}),
        ("def f(a, /): ...\nf(a=2)", {"f(0, a)"}),
        ("def f(*, a): ...\nf()", {"f(0, )"}),
        ("class A:\n    def __init__(self, size): ...\nA(1, 2)", {"A(2, )"}),
        ("from dataclasses import dataclass\n@dataclass\nclass A:\n    size: int\nA(1)\nA(depth=1)", {"A(0, depth)"}),
    ],
)
def test_what_is_used_and_not_defined_is_missing(source: str, what: set[str]) -> None:
    assert missing(source) == what


def test_a_file_has_what_the_other_one_defines_only_by_importing_it() -> None:
    assert missing("from model import Block\nBlock()", "class Block: ...") == set()
    assert missing("Block()", "class Block: ...") == {"Block"}
    assert missing("from model import Layer\nLayer()", "class Block: ...") == {"model.Layer"}
    assert missing("import model\nmodel.Block()", "class Block: ...") == set()
    assert missing("import model\nmodel.Layer()", "class Block: ...") == {".Layer"}
