"""Shell lines read as far as it takes to know which programs they begin, and with which options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# What runs the command after it, with those of its options that take the next word.
PREFIXES = {
    **dict.fromkeys(("then", "do", "else", "elif", "if", "while", "until", "!", "{", "nohup", "setsid"), ""),
    "sudo": "CDghpRrTtUu",
    "doas": "Cu",
    "env": "Cu",
    "exec": "a",
    "time": "fo",
    "timeout": "ks",
    "nice": "n",
    "ionice": "cn",
    "stdbuf": "eio",
    "xargs": "adEILnPs",
}
SHELLS = ("bash", "sh", "zsh", "dash", "ksh")

_PARTS = re.compile(
    r"(?P<comment>(?<![^\s;&|()])#[^\n]*)"
    r"|(?P<end>[;&|()\n]+)"
    # Quoted or not; the list of an array, and a quote that is never closed, are parts of a word like any other.
    r"|(?P<word>(?:\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|(?<==)\([^()]*\)|[^\s;&|()'\"\\]|['\"\\])+)",
    re.DOTALL,
)
_QUOTED = re.compile(r"'([^']*)'|\"((?:\\.|[^\"\\])*)\"|\\(.)|['\"\\]", re.DOTALL)
_HERE = re.compile(r"(?<!<)<<(?!<)-?[ \t]*['\"\\]?(\w+)")
# Letters that may stand before another one behind a single dash, without taking the rest as a value.
_TOGETHER = "lqsux"


@dataclass(frozen=True)
class Command:
    """One command: its program without a folder, its arguments, and whether its input is a pipe."""

    program: str
    arguments: tuple[str, ...]
    piped: bool

    def has(self, flag: str, arguments: tuple[str, ...] | None = None) -> bool:
        """Whether one of the arguments is that flag; one of a single letter may stand with others."""
        pattern = f"-[{_TOGETHER}]*{flag[1:]}\\w*" if len(flag) == 2 else re.escape(flag)
        return any(re.fullmatch(pattern, word) for word in (self.arguments if arguments is None else arguments))

    @property
    def leading(self) -> tuple[str, ...]:
        """The options before the first argument that is none: those behind it are a script's."""
        count = next((n for n, word in enumerate(self.arguments) if not word.startswith("-")), len(self.arguments))
        return self.arguments[:count]

    @property
    def script(self) -> str:
        """What a shell is given to run as a text (``-c``); "" for none."""
        words = iter(self.arguments if self.program in SHELLS else ())
        for word in words:
            if word[:1] not in ("-", "+"):
                break
            if re.fullmatch(r"-\w*c\w*", word):
                return next((text for text in words if not text.startswith("-")), "")
            if re.fullmatch(r"[-+]\w*o", word):
                # Its name, as in `-eo pipefail`.
                next(words, None)
        return ""

    def stands_alone(self, options: Iterable[str] = ()) -> bool:
        """Whether it has no arguments, but for these; letters of several may stand together, and ``-`` is its input."""
        letters = {letter for option in options if not option.startswith("--") for letter in option[1:]}
        return all(word in options or (word[:1] == "-" and letters.issuperset(word[1:])) for word in self.arguments)


def commands_in(line: str, from_pipe: bool = False) -> Iterator[Command]:
    """The commands of a line, or of a script. What is written into a command (`<<END`) is none.

    from_pipe: whether the input of them all is a pipe.
    """
    words: list[str] = []
    piped = from_pipe
    for part in [*_PARTS.finditer(_without_texts(line.replace("\\\n", " "))), None]:
        if part is not None and part["word"]:
            words.append(_QUOTED.sub(_unquoted, part["word"]))
        elif part is None or part["end"]:
            if words := _unprefixed(words):
                yield Command(words[0].rpartition("/")[2], tuple(words[1:]), piped)
            # What follows a pipe reads from it; what follows the others reads from the terminal.
            piped = from_pipe or (part is not None and part["end"] in ("|", "|&"))
            words = []


def _unquoted(part: re.Match[str]) -> str:
    single, double, escaped = part.groups()
    return re.sub(r"\\([\\\"$`])", r"\1", double) if double is not None else single or escaped or ""


def _without_texts(script: str) -> str:
    """Without the lines that are written into commands, and their ends."""
    lines = script.split("\n")
    ends = {line.lstrip("\t") for line in lines}
    kept, end = [], ""
    for line in lines:
        if end:
            end = "" if line.lstrip("\t") == end else end
            continue
        kept.append(line)
        found = _HERE.search(line)
        end = found[1] if found and found[1] in ends else ""
    return "\n".join(kept)


def _unprefixed(words: list[str]) -> list[str]:
    """From the program on: without settings of variables, and without what only runs it."""
    at = 0
    while at < len(words):
        prefix = words[at].rpartition("/")[2]
        if not re.match(r"\w+=", words[at]) and prefix not in PREFIXES:
            break
        at += 1
        if prefix in PREFIXES:
            while at < len(words) and words[at].startswith("-"):
                at += 2 if words[at][1:] in [*PREFIXES[prefix]] else 1
            # Its seconds.
            at += prefix == "timeout"
    return words[at:]
