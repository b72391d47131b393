"""What a project's documentation says: how it is started, which file may change, which number counts."""

from __future__ import annotations

import fnmatch
import re
import shlex
import tomllib
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from evo.project.modules import Module
from evo.project.wording import direction_near
from trainer.objectives import Direction

_TEXTS = ("program*.md", "CLAUDE.md", "AGENTS.md", "README*", "*.sh", "scripts/*.sh", "Makefile", "justfile")
"""Where commands and metrics stand, what is written for the task at hand before general instructions."""
DRAFTED = "<!-- Drafted by evo init."
"""Begins the comment in a program.md that holds what was found, and nothing that a user wrote."""
_LARGEST_BYTES = 2**20

FILE = re.compile(r"(?<![\w./-])[\w./-]*\w\.\w+")
"""The name of a file in a text."""
_GLOB = re.compile(r"(?<![\w./-])[\w./-]*(?:\*|<\w+>)[\w./-]*\.\w+")
_ANY = re.compile(r"<\w+>")
_FORBIDS = re.compile(
    r"\b(?:do(?:es)? not|don't|never|cannot|can't|must not|should not|not)\b[^.]{0,40}\b(?:modif|edit|change|touch)"
    r"|\bread[- ]only\b|\bfrozen\b|\bunmodified\b|\bfixed\b(?! (?:time|wall|budget|\d))|\buntouched\b|\bdo not run\b",
    re.IGNORECASE,
)
_ALLOWS = re.compile(
    r"\b(?:modif(?:y|ies)|edit(?:s|able|ed)?|change[sd]?|tun(?:e|es)|hack(?:s|ing)?|mutable|evolves?|optimi[sz]e"
    r"|rewrite|touch|play(?:ing)? with|fair game|iterat(?:e|es|ing) on|experiment(?:s|ing)? with)\b",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"\bonly\b(?! (?:when|if|where|for|after|once)\b)|\bthis file\b"
    r"|\b(?:anything|everything|whatever|fair game)\b|\bfree(?:ly)? to\b"
    r"|\b(?:nothing else|no other)\b"
    r"|\b(?:file|what|one|part|script) (?:that |which )?(?:you|we) "
    r"(?:modify|edit|change|tune|iterate|hack|experiment)\b|\byou (?:modify|edit|change|tune) (?:this|these)\b",
    re.IGNORECASE,
)
_IMPROVE = r"\b(?:improve|optimi[sz]e|evolve|tune)\s+(?:\w+\s+){{0,3}}`?{}"
"""An unambiguous aim, with the place of the file's name."""
_EXCEPT = r"\b(?:not|never|except|without)\s+[`*'\"]*(?:[\w.-]+/)*{}"
"""What takes a file out of a sentence that lets others change, with the place of its name."""
_SENTENCE_END = re.compile(r"(?<=[.;])\s+")
_PROSE = re.compile(r"\s{0,4}[A-Za-z`\"'(*_\[]")
_BEGINS_PROSE = re.compile(r"(?:\s{0,3}(?:[-*+]|\d+[.)])\s+|\s{0,3})[A-Za-z`\"'(*_\[]")
"""A line of prose, also one that begins an item of a list."""
_ITEM = re.compile(
    r"\s*(?:[-*+]\s+[`*]*(?P<one>(?:only\s+[`*]*)?)|[`*]*(?P<alone>only\s+[`*]*))[\w./<>*-]*\w\.\w+", re.IGNORECASE
)
"""An item of a list that begins with a file, or a line that begins with that alone."""
_HEADING = re.compile(r"^\s*(?:#+\s|\*\*.*\*\*:?\s*$|[A-Z][\w ]+:$)")
_FORBIDDEN_HEADING = re.compile(r"cannot|can't|not\b|don't|never|read[- ]only|frozen|fixed", re.IGNORECASE)

_START = re.compile(
    r"(?:^|[\s`$(])(?P<runner>uv run|py|python3?(?:\.\d+)?|\S*bin/python3?|torchrun|accelerate launch"
    r"|\$[({]?PY\w*[)}]?)"
    r"(?P<middle>(?:\s+(?!-m\s)(?:-[^\s`]+|python3?))*)\s+(?:-m\s+(?P<module>[\w.]+)|(?P<file>[\w./-]*\w\.py)\b)"
    r"(?P<arguments>[^`|>&;)#\n]*)"
)
_TASKS = (
    ("tasks",),
    *(("tool", *names) for names in (("pixi", "tasks"), ("poe", "tasks"), ("pdm", "scripts"), ("rye", "scripts"))),
    ("tool", "taskipy", "tasks"),
)
_CONSOLE = r"(?:^\s*(?:\$\s*)?|`|(?:uv|poetry|pixi|pdm|hatch|rye) run\s+){}(?=[\s`]|$)(?P<arguments>[^`|>&;)#\n]*)"
"""A console script where a command begins, with the place of its name."""
_MAKE_VARIABLE = re.compile(r"^(?:export )?(\w+) ?[?:]?= ?(.{0,200})$", re.MULTILINE)
_MAKE_RULE = re.compile(r"(?P<target>[\w./%-]+) ?:(?!=)(?P<sources>[^=|;#]*)")
_MAKE_USE = re.compile(r"\$(?:[({](\w+|[@<^])[)}]|([@<^]))")
_DEEPEST_VARIABLE = 3
_LONGEST_RECIPE = 1000
_CONTINUED = re.compile(r"\\[ \t]*(?:[ \t]#.*)?\n|[ \t][`^]\n")
"""Where a command goes on in the next line, in a shell of POSIX (documents explain its arguments there) or Windows."""
_PROCESSES = re.compile(r"--nproc[-_]per[-_]node[= ](\d+)|--num[-_]processes[= ](\d+)")
_PLACEHOLDER = re.compile(r"[<{$\[]|\.\.\.|…|\bpath/to\b|\byour[_-]|\bYOUR\b|--help\b|(?:^|\s)-h(?:\s|$)")
_ARGUMENT = re.compile(r"-.*|[^=]+=.*|\S*[./]\S*|\d\S*")
_GREPPED = re.compile(r"\^?([A-Za-z][\w /@%.-]*?)\s*[:=]")
_GREP = re.compile(r"""\bgrep\b[^"'\n]*(["'])(?P<what>.+?)\1""")
_PRIMARY = re.compile(
    r"\b(?:primary|main|key|single|only|optimi[sz]ation|evaluation|target|ground[- ]truth)\s+"
    r"(?:metric|target|objective|score|goal)\b"
    r"|\b(?:the\s+)?(?:metric|objective|target metric|the score)\b\W{0,4}"
    r"(?:is|are|to (?:optimi[sz]e|beat|improve)|:|=|—)"
    r"|\bgoal\b.{0,20}(?:is|:)|^\W*(?:primary|main)\W*:",
    re.IGNORECASE,
)
_AIM = re.compile(
    r"\b(?:minimi[sz]\w*|maximi[sz]\w*|lowest|highest|improve|optimi[sz]\w*|reduce|increase|beat)\b"
    r"|\b(?:lower|higher|smaller|larger|bigger|fewer)(?=(?:\s+[\w@^%`*-]+){1,3}\s+(?:is|are|=|means?)\s+better)",
    re.IGNORECASE,
)
_NOT_PRIMARY = re.compile(
    r"\b(?:secondary|auxiliary|diagnostic|informational|sanity|constraint|soft|"
    r"not (?:the|a) (?:metric|target|objective)|"
    r"do not optimi[sz]e|not optimi[sz]ed|for reference)\b",
    re.IGNORECASE,
)
_NEAR = 60  # characters between what allows a change and what says that it is all
_BEFORE, _AFTER = 20, 60  # characters around `the metric is` in which its name stands
_ALIKE = {
    "val": "(?:val(?:id(?:ation)?)?|eval(?:uation)?|dev|held[ -]?out)",
    **dict.fromkeys(("avg", "average", "mean"), "(?:avg|average|mean)"),
    "acc": "acc(?:uracy)?",
    "accuracy": "acc(?:uracy)?",
}
_POWER = re.compile(r"(?:\^2|²)$")
"""As in `MMD²`, which prose leaves out."""
_LESS = re.compile(
    r"\b(?:minimi[sz]\w*|lowest|lower|smaller|smallest|reduce\w*|decreas\w*|faster|fastest)\b", re.IGNORECASE
)
_MORE = re.compile(r"\b(?:maximi[sz]\w*|highest|higher|larger|largest|increas\w*)\b", re.IGNORECASE)
_JUDGED = re.compile(
    r"\b(?:(?P<kept>keep|kept|commit|accept|advance|improve[sd]?|better)|discard|revert|reject|undo|reset|drop|worse)\b",
    re.IGNORECASE,
)
"""What is done with a change that a sentence tells of; what it says first is meant."""
_NAME_ALONE = re.compile(r"[\s`*_]*[A-Za-z][\w@/%.-]*(?: [\w@/%.-]+){0,3}[\s`*_.]*")


@dataclass(frozen=True, slots=True)
class Start:
    """A documented command that starts a Python file.

    Attributes:
        file: relative path, or the dotted name of a module.
        is_module: whether it is started as `python -m`.
        processes: of a multi-device launcher, 0 if not given; None without a launcher.
        arguments: that follow, as written.
        has_more: whether arguments follow that only a person can fill in.
        function: that an installed console script calls; empty for any other command.
        subcommand: the word behind it, which may be one of its commands; empty for none.
    """

    file: str
    is_module: bool
    processes: int | None
    arguments: str = ""
    has_more: bool = False
    function: str = ""
    subcommand: str = ""

    def starts(self, module: Module) -> bool:
        """Return whether this is the command of a module."""
        dotted = module.dotted.removesuffix(".__main__")
        return self.file in (module.name, dotted, dotted.removeprefix("src."))


class Instructions:
    """The documentation of a project.

    Attributes:
        program: name of the instructions to a language model, None if there are none.
    """

    def __init__(self, root: Path) -> None:
        found = dict.fromkeys(path for pattern in _TEXTS for path in sorted(root.glob(pattern)))
        read = ((path.name, text_in(path)) for path in found)
        self._texts = {
            name: _expanded(text) if name == "Makefile" else text
            for name, text in read
            if text is not None and DRAFTED not in text
        }
        joined = (_CONTINUED.sub(" ", text) for text in self._texts.values())
        self._lines = [line for text in joined for line in text.splitlines()]
        prose = (*_paragraphs("\n".join(self._lines)), *_announced(self._lines))
        self._sentences = [sentence for line in prose for sentence in _SENTENCE_END.split(line)]
        self._importance: dict[str, int] = {}
        settings = [_toml(root / name) for name in ("pyproject.toml", "pixi.toml")]
        self._lines += [command for one in settings for command in _tasks(one)]
        self._console_scripts = {name: place for one in settings for name, place in _console_scripts(one)}
        self.program = next((name for name in self._texts if name.lower() == "program.md"), None)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self._lines)

    @cached_property
    def starts(self) -> list[Start]:
        """The commands that start Python files, in the order of `_TEXTS`, each once."""
        found: dict[Start, None] = {}
        for match in (match for line in self._lines for match in _START.finditer(line)):
            processes = _PROCESSES.search(match["middle"])
            launcher = match["runner"] in {"torchrun", "accelerate launch"}
            count = int(processes[1] or processes[2]) if processes else 0
            file = (match["file"] or match["module"]).removeprefix("./")
            arguments, has_more, subcommand = _arguments(match)
            place = (file, match["file"] is None, count if launcher else None)
            found[Start(*place, arguments, has_more, subcommand=subcommand)] = None
        return [*found, *self._console_starts()]

    def _console_starts(self) -> Iterator[Start]:
        """Yield the commands that start console scripts of the project."""
        for name, place in self._console_scripts.items():
            module, _, function = place.partition(":")
            pattern = re.compile(_CONSOLE.format(re.escape(name)))
            for match in (match for line in self._lines for match in pattern.finditer(line)):
                arguments, has_more, subcommand = _arguments(match)
                yield Start(module, True, None, arguments, has_more, function, subcommand)

    @cached_property
    def wanted(self) -> list[str]:
        """The names that are searched for in the output, as in `grep "^val_bpb:"`, the most frequent first."""
        found = (match["what"] for line in self._lines for match in _GREP.finditer(line))
        matches = (_GREPPED.match(part) for what in found for part in re.split(r"\\?\|", what))
        return [name for name, _ in Counter(match[1] for match in matches if match).most_common()]

    def importance(self, label: str) -> int:
        """Return how clearly the texts make a metric the one that counts: 3 by name, 2 as an aim, 1 by `grep`, or 0."""
        if label not in self._importance:
            self._importance[label] = self._found_importance(label)
        return self._importance[label]

    def _found_importance(self, label: str) -> int:
        mention = mention_of(label)
        best = 0
        for sentence in self._sentences:
            if not mention.search(sentence) or _NOT_PRIMARY.search(sentence):
                continue
            for pattern, before, importance in ((_PRIMARY, _BEFORE, 3), (_AIM, 0, 2)):
                found = (
                    (match, match.start() - (0 if match[0][-1] in ":=—" else before))
                    for match in pattern.finditer(sentence)
                )
                # In `the metric is x`, the word metric names none.
                if any(
                    one.start() >= match.end() or one.end() <= match.start()
                    for match, start in found
                    for one in mention.finditer(sentence, max(0, start), match.end() + _AFTER)
                ):
                    best = max(best, importance)
        is_grepped = any(mention.fullmatch(name.strip()) for name in self.wanted)
        return max(best, int(is_grepped))

    def direction(self, label: str) -> Direction | None:
        """Return the documented direction of a metric, None if there is none or it is contradictory."""
        mention = mention_of(label)
        said = {less for line in self._lines for less in _said_of(mention, line)}
        less, more = True in said, False in said
        if less == more:
            return None if less else direction_near(mention, self._lines)
        return Direction.MINIMIZE if less else Direction.MAXIMIZE

    def permissions(self, docstrings: Mapping[str, str]) -> Counter[str]:
        """Return how clearly each Python file may change; negative if it may not.

        Outside of program.md only unambiguous words count: a README also says what to edit for other settings.

        Args:
            docstrings: of the files, by path.
        """
        files = {_last(file) for file in docstrings}
        found = Counter({file: _own_permission(text, files - {_last(file)}) for file, text in docstrings.items()})
        said = set[tuple[str, int]]()
        for name, text in self._texts.items():
            forbidden = allowed = False
            for line in _paragraphs(text):
                if _HEADING.match(line):
                    forbidden = bool(_FORBIDDEN_HEADING.search(line))
                    allowed = _permission(line) > 0 and not forbidden
                named = {file: [file.removeprefix("./")] for file in FILE.findall(line)}
                named |= {glob: fnmatch.filter(docstrings, _ANY.sub("*", glob)) for glob in _GLOB.findall(line)}
                for file, meant in named.items():
                    parts = [part for part in _SENTENCE_END.split(line) if file in part]
                    sentence = next(filter(_permission, parts), parts[0])
                    permission = _permission(sentence)
                    if permission >= 0 and re.search(_IMPROVE.format(re.escape(file)), sentence, re.IGNORECASE):
                        permission = 2
                    is_excepted = re.search(_EXCEPT.format(re.escape(file)), sentence, re.IGNORECASE)
                    permission = -1 if (forbidden or is_excepted) and permission > 0 else permission
                    item = _ITEM.match(line) if allowed else None
                    permission = permission or (2 if item and (item["one"] or item["alone"]) else int(bool(item)))
                    counted = permission if name == self.program else _unambiguous(permission)
                    found.update(dict.fromkeys(meant, counted))
                    said.update((one, counted) for one in meant if name == self.program)
                if not _HEADING.match(line) and line.rstrip(" *").endswith(":"):  # the list behind it is its own
                    permission = _permission(line)
                    forbidden = permission < 0 or (forbidden and not permission)
                    allowed = permission > 0
        # What another text says permits nothing that the instructions of the search forbid.
        return Counter(
            {
                file: -1 if value > 0 and (file, -1) in said and (file, 2) not in said else value
                for file, value in found.items()
            }
        )


def _said_of(mention: re.Pattern[str], line: str) -> Iterator[bool]:
    """Yield whether a line calls less of a metric better, for each such word: what makes a change worse, reversed."""
    if not mention.search(line):
        return
    for sentence in _SENTENCE_END.split(line):
        judged = _JUDGED.search(sentence)
        is_worse = judged is not None and not judged["kept"] and mention.search(sentence)
        for is_less, pattern in ((True, _LESS), (False, _MORE)):
            if pattern.search(sentence):
                yield is_less ^ bool(is_worse)


def _announced(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines that end with a colon and the name that stands alone behind it, maybe as code: `Maximize:`."""
    written = [line for line in lines if line.strip() and not line.lstrip().startswith(("```", "~~~"))]
    for line, following in pairwise(written):
        if line.rstrip(" *").endswith(":") and _NAME_ALONE.fullmatch(following):
            yield f"{line} {following.strip()}"


def _expanded(rules: str) -> str:
    """Return a Makefile with what its own variables, and `$@`, `$<` and `$^`, stand for in the recipes."""
    known = {"CC": "cc", "CXX": "c++"} | dict(_MAKE_VARIABLE.findall(rules))

    def meant(use: re.Match[str]) -> str:
        return known.get(use[1] or use[2], use[0])

    found: list[str] = []
    for line in rules.split("\n"):
        if match := _MAKE_RULE.match(line):
            sources = match["sources"].split()
            known |= {"@": match["target"].strip(), "<": sources[0] if sources else "", "^": " ".join(sources)}
        recipe = line
        for _ in range(_DEEPEST_VARIABLE):
            recipe = _MAKE_USE.sub(meant, recipe) if line[:1] == "\t" and len(recipe) <= _LONGEST_RECIPE else recipe
        found.append(recipe)
    return "\n".join(found)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the lines of a text, those of a paragraph of prose as one."""
    gathered: list[str] = []
    is_code = False
    for line in (*text.splitlines(), ""):
        is_fence = line.lstrip().startswith(("```", "~~~"))
        is_code ^= is_fence
        goes_on = bool(gathered) and not gathered[-1].rstrip().endswith(":")
        if goes_on and not is_code and not is_fence and _PROSE.match(line) and not _HEADING.match(line):
            gathered.append(line.strip())
            continue
        if gathered:
            yield " ".join(gathered)
        gathered = []
        if is_code or is_fence or not _BEGINS_PROSE.match(line) or _HEADING.match(line):
            yield line
        else:
            gathered = [line]
    yield from gathered


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text_in(path) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(data: Any, *names: str) -> dict[str, Any]:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _tasks(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the commands of the tasks in the settings of pixi, poe, pdm, rye, taskipy and hatch."""
    hatch = _table(settings, "tool", "hatch", "envs")
    tables = [_table(settings, *names) for names in _TASKS] + [_table(hatch, name, "scripts") for name in hatch]
    for task in (one for table in tables for one in table.values()):
        command = task.get("cmd") if isinstance(task, dict) else task
        yield from (one for one in (command if isinstance(command, list) else [command]) if isinstance(one, str))


def _console_scripts(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the console scripts that a project installs, each with `module:function`."""
    for names in (("project", "scripts"), ("tool", "poetry", "scripts")):
        for name, place in _table(settings, *names).items():
            if isinstance(place, str) and re.fullmatch(r"[\w.]+:\w+", place):
                yield name, place


def mention_of(label: str) -> re.Pattern[str]:
    """Return an expression for the name of a metric as prose writes it: `val_loss` is the validation loss."""
    parts = (_ALIKE.get(word, re.escape(word)) for word in re.split(r"[\W_]+", _POWER.sub("", label.lower())) if word)
    words = r"[\W_]{0,2}".join(parts)
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


def _arguments(command: re.Match[str]) -> tuple[str, bool, str]:
    """Return the arguments of a documented command, whether a person has to fill in others, and what may be a command.

    That is a single word before the others, as in `app.py train --lr 1`.
    """
    text, following = command["arguments"], command.string[command.end() : command.end() + 1]
    text = re.sub(r"\s\d$", "", text) if following == ">" else text  # the 2 of `2>&1`
    text = text.strip().rstrip("\\.,:").strip()
    if not text or _PLACEHOLDER.search(text):
        return "", bool(text), ""
    try:
        words = shlex.split(text)
    except ValueError:
        return "", True, ""
    quoted = {word for word in words if re.search(rf"[\"']{re.escape(word)}[\"']", text)}
    subcommand = words[0] if re.fullmatch(r"[a-z][\w-]*", words[0]) and words[0] not in quoted else ""
    words = words[bool(subcommand) :]
    plain = all(
        _ARGUMENT.fullmatch(word) or word in quoted or before.startswith("-")
        for before, word in zip(["", *words], words, strict=False)
    )
    text = text.removeprefix(subcommand).strip()
    return (text, False, subcommand) if plain else ("", False, "")


def _permission(text: str) -> int:
    if _FORBIDS.search(text):
        return -1
    allowed = [match.start() for match in _ALLOWS.finditer(text)]
    only = [match.start() for match in _ONLY.finditer(text)] if allowed else []
    # Both are sorted: of each word that allows, the nearest one that says that it is all.
    nearest = (only[max(0, place - 1) : place + 1] for place in (bisect(only, at) for at in allowed))
    is_only = any(abs(one - at) <= _NEAR for at, near in zip(allowed, nearest, strict=True) for one in near)
    return 2 if is_only else int(bool(allowed))


def _own_permission(docstring: str, others: Set[str]) -> int:
    """Return what a file says first of itself, in a sentence that names no other file."""
    sentences = (part for line in _paragraphs(docstring) for part in _SENTENCE_END.split(line))
    own = (one for one in sentences if others.isdisjoint(map(_last, FILE.findall(one))))
    return next(filter(None, map(_unambiguous, map(_permission, own))), 0)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _unambiguous(permission: int) -> int:
    return 0 if permission == 1 else permission


def text_in(path: Path) -> str | None:
    """Return the text of a file; None if there is none, or if it is too large for one that a person wrote."""
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST_BYTES:
            return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    return None
