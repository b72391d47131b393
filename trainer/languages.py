"""The languages of files that evolve, told apart by the ends of their names.

A language needs no more than a row here: its files evolve by a language model, by merging, and by the constants that a
comment marks. Where there is a grammar (`populations.grammar`), syntax is checked and more can be varied.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        name: as Markdown's code fences, Pygments and the grammars call it.
        title: as sentences call it.
        line_comment: what begins a comment that ends with its line; empty where there is none.
        block_comment: what begins and ends a comment; empty where there is none.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    line_comment: str = ""
    block_comment: tuple[str, str] | tuple[()] = ()

    @property
    def is_prose(self) -> bool:
        """Whether it is written for readers, not for a parser."""
        return self in (TEXT, MARKDOWN)


_C_COMMENTS = "//", ("/*", "*/")

PYTHON = Language("python", "Python", (".py",), "#")
MARKDOWN = Language("markdown", "Markdown", (".md", ".markdown"), block_comment=("<!--", "-->"))
TEXT = Language("text", "plain text", (".txt", ".prompt", ".j2", ".jinja"))
SHELL = Language("bash", "shell", (".sh", ".bash"), "#")
LANGUAGES = (
    PYTHON,
    MARKDOWN,
    TEXT,
    Language("c", "C", (".c",), *_C_COMMENTS),
    Language("cpp", "C++", (".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp"), *_C_COMMENTS),
    Language("cuda", "CUDA", (".cu", ".cuh"), *_C_COMMENTS),
    Language("rust", "Rust", (".rs",), *_C_COMMENTS),
    Language("yaml", "YAML", (".yaml", ".yml"), "#"),
    Language("toml", "TOML", (".toml",), "#"),
    Language("json", "JSON", (".json",)),
    Language("glsl", "GLSL", (".glsl", ".frag", ".vert", ".comp"), *_C_COMMENTS),
    Language("hlsl", "HLSL", (".hlsl",), *_C_COMMENTS),
    Language("metal", "Metal", (".metal",), *_C_COMMENTS),
    Language("wgsl", "WGSL", (".wgsl",), *_C_COMMENTS),
    Language("go", "Go", (".go",), *_C_COMMENTS),
    Language("fortran", "Fortran", (".f90", ".f95", ".f03"), "!"),
    Language("haskell", "Haskell", (".hs",), "--", ("{-", "-}")),
    Language("java", "Java", (".java",), *_C_COMMENTS),
    Language("javascript", "JavaScript", (".js", ".mjs"), *_C_COMMENTS),
    Language("typescript", "TypeScript", (".ts",), *_C_COMMENTS),
    Language("julia", "Julia", (".jl",), "#"),
    Language("lua", "Lua", (".lua",), "--"),
    Language("nim", "Nim", (".nim",), "#"),
    Language("opencl", "OpenCL", (".cl",), *_C_COMMENTS),
    Language("perl", "Perl", (".pl",), "#"),
    Language("php", "PHP", (".php",), *_C_COMMENTS),
    Language("r", "R", (".r", ".R"), "#"),
    Language("ruby", "Ruby", (".rb",), "#"),
    SHELL,
    Language("swift", "Swift", (".swift",), *_C_COMMENTS),
    Language("ini", "INI", (".ini", ".cfg"), "#"),
    Language("sql", "SQL", (".sql",), "--"),
    Language("zig", "Zig", (".zig",), "//"),
    Language("csharp", "C#", (".cs",), *_C_COMMENTS),
    Language("d", "D", (".d",), *_C_COMMENTS),
    Language("elixir", "Elixir", (".ex", ".exs"), "#"),
    Language("gas", "assembly", (".s", ".S"), block_comment=("/*", "*/")),
    Language("kotlin", "Kotlin", (".kt",), *_C_COMMENTS),
    Language("lean4", "Lean", (".lean",), "--", ("/-", "-/")),
    Language("mathematica", "Wolfram", (".wl", ".wls"), block_comment=("(*", "*)")),
    Language("mojo", "Mojo", (".mojo",), "#"),
    Language("ocaml", "OCaml", (".ml",), block_comment=("(*", "*)")),
    Language("scala", "Scala", (".scala",), *_C_COMMENTS),
    Language("systemverilog", "SystemVerilog", (".sv", ".v"), *_C_COMMENTS),
)
"""Python and prose first; a file of no language listed is plain text. Triton's kernels are Python."""

COMPILED = (".c", ".cc", ".cpp", ".cxx", ".cu", ".rs", ".go", ".f90", ".java", ".ts", ".hs", ".swift", ".zig", ".nim")
"""Endings of sources that are compiled before they run."""

_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}


def language_of(file: str) -> Language:
    """Return the language of a file by its name."""
    return _BY_SUFFIX.get(PurePosixPath(file).suffix, TEXT)


def is_known(file: str) -> bool:
    """Return whether the name of a file says that it is of one of the languages."""
    return PurePosixPath(file).suffix in _BY_SUFFIX
