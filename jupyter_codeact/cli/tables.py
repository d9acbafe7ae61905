"""Tables as terminals and pipes like them: columns, no frames, nothing cut."""

from __future__ import annotations

from rich.table import Table


def plain_table(*columns: str) -> Table:
    """A table with these heads."""
    table = Table(box=None, pad_edge=False, caption_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
