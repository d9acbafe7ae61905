"""Shell lines read as far as it takes to know which programs they begin, and with which options."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    r"|(?P<word>(?:\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|(?<==)\([^)]*\)|[^\s;&|()'\"\\]|['\"\\])+)",
    re.DOTALL,
)
_HERE = re.compile(r"(<<-?[ \t]*['\"\\]?(\w+)['\"]?)([^\n]*)\n.*?^\t*\2$", re.DOTALL | re.MULTILINE)
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


def commands_in(line: str) -> Iterator[Command]:
    """The commands of a line, or of a script. What is written into a command (`<<END`) is none."""
    line = _HERE.sub(r"\1\3", line.replace("\\\n", " "))
    words: list[str] = []
    piped = False
    for part in [*_PARTS.finditer(line), None]:
        if part is not None and part["word"]:
            words.append(re.sub(r"['\"\\]", "", part["word"]))
        elif part is None or part["end"]:
            if words := _unprefixed(words):
                yield Command(words[0].rpartition("/")[2], tuple(words[1:]), piped)
            # What follows a pipe reads from it; what follows the others reads from the terminal.
            piped = part is not None and part["end"] in ("|", "|&")
            words = []


def _unprefixed(words: list[str]) -> list[str]:
    """From the program on: without settings of variables, and without what only runs it."""
    while words:
        prefix = words[0].rpartition("/")[2]
        if not re.match(r"\w+=", words[0]) and prefix not in PREFIXES:
            return words
        words = words[1:]
        if prefix in PREFIXES:
            while words and words[0].startswith("-"):
                takes_next = len(words[0]) == 2 and words[0][1] in PREFIXES[prefix]
                words = words[1 + takes_next :]
            # Its seconds.
            words = words[1:] if prefix == "timeout" else words
    return []
