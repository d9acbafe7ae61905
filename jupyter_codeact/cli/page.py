"""What commands print: laid out for a terminal; for a pipe the text alone, in lines that nobody fills or wraps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .visible import coloured, visible


class Page:
    """Text that isn't ours is made visible here, whatever it is."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    @property
    def in_terminal(self) -> bool:
        return self.console.is_terminal

    def text(self, text: str | Text, style: str = "") -> None:
        """Lines as they are. Paths are to be copied: a terminal may wrap them, we must not."""
        shown = text if isinstance(text, Text) else Text(visible(text), style)
        if self.in_terminal:
            self.console.print(shown, soft_wrap=True)
        else:
            # rich makes spaces of tabs.
            print(shown.plain, file=self.console.file)

    def prose(self, text: str) -> None:
        """Text to be read, and not copied: a terminal wraps it between words."""
        if self.in_terminal:
            self.console.print(Text(visible(text)))
        else:
            self.text(text)

    def heading(self, text: str) -> None:
        shown = Text(visible(text), "bold")
        if self.in_terminal:
            self.console.print(Rule(shown, align="left", style="dim"))
        else:
            self.text(shown)

    def markdown(self, text: str) -> None:
        if self.in_terminal:
            self.console.print(Markdown(visible(text)))
        else:
            self.text(text)

    def code(self, source: str, language: str = "python") -> None:
        """Code as it will run, down to characters that a terminal would not show."""
        shown = visible(source)
        if self.in_terminal:
            syntax = Syntax(shown, language, theme="ansi_dark", word_wrap=True, background_color="default")
            self.console.print(Padding(syntax, (0, 0, 0, 2)))
        else:
            self._indented(shown, 2)

    def output(self, text: str) -> None:
        """What an action printed, in its colours."""
        shown = coloured(text)
        if self.in_terminal:
            self.console.print(Padding(shown, (0, 0, 0, 4)))
        else:
            self._indented(shown.plain, 4)

    def table(self, texts: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns with these heads, those of numbers last; in a pipe, tabs between them."""
        if self.in_terminal:
            table = plain_table(*texts)
            for name in numbers:
                table.add_column(name, no_wrap=True, justify="right")
            for row in rows:
                table.add_row(*(Text(visible(cell)) for cell in row))
            self.console.print(table)
        else:
            self.text(
                "\n".join(
                    "\t".join(" ".join(visible(cell).split()) for cell in row) for row in ((*texts, *numbers), *rows)
                )
            )

    def _indented(self, text: str, width: int) -> None:
        self.text(Text(textwrap.indent(text, " " * width)))


def plain_table(*columns: str) -> Table:
    """A table as terminals like it: columns, no frames, nothing cut."""
    table = Table(box=None, pad_edge=False, caption_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
