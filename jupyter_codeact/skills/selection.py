"""Which cells are meant by execution counts, ranges, cell ids and ``last``; and the module that is made of them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from ..errors import SkillError, SkillFailed
from ..events import RanCell
from .checks import left_to_stars
from .itself import Into, check_imports, taken
from .left_out import left_out
from .slicing import Cells, Labelled, definer_of, module_of
from .wrap import wrapped

# How many cells an error lists.
SHOWN = 8


def chosen(ran: list[RanCell], words: list[str], last: tuple[str, ...]) -> Iterator[RanCell]:
    """The cells that ``words`` name, oldest first. Raises SkillError for a word that names none.

    last: ids of the cells that the agent's last run wrote. A cell that ran twice counts as it ran last.
    """
    picked: dict[int, RanCell] = {}
    for word in words:
        found = [cell for cell in ran if _names(word, cell, last) and cell.ok]
        if not found:
            raise SkillError(_nothing(word, ran))
        picked |= {cell.count: cell for cell in found}
    newest = {cell.cell_id or str(cell.count): cell for _, cell in sorted(picked.items())}
    yield from sorted(newest.values(), key=lambda cell: cell.count)


def module_from(
    ran: Sequence[RanCell],
    cells: Sequence[RanCell],
    names: list[str],
    into: Into,
    wrap: str = "",
    *,
    lenient: bool = False,
) -> str:
    """The source of a module with ``names`` of ``cells``, by default all that they define, or of their statements.

    ran: all cells. wrap: the function that plain statements become. Raises SkillError, see ``module_of``.
    """
    if wrap:
        module = _wrapped(ran, cells, names, into, wrap, lenient=lenient)
    else:
        sources, others, names = _sources_for(ran, cells, names, into)
        module = module_of([*sources.values()], names or None, others, labels=[*sources], lenient=lenient)
        if not lenient:
            _check_stars(module, ran, cells)
    check_imports(module, into.name)
    return module


def _wrapped(
    ran: Sequence[RanCell], cells: Sequence[RanCell], names: list[str], into: Into, wrap: str, *, lenient: bool
) -> str:
    sources, others = _sources(ran, cells)
    found = taken({**others, **sources}, into)
    outside = {**found.base, **{label: found.cells[label] for label in others}}
    return wrapped({label: found.cells[label] for label in sources}, outside, wrap, names, lenient=lenient)


def left_out_of(ran: Sequence[RanCell], cells: Sequence[RanCell], names: list[str], into: Into) -> list[str]:
    """What cells did to the values of a module that was made of ``names``, and it does not, one line each."""
    return left_out(*_sources_for(ran, cells, names, into))


def _sources_for(
    ran: Sequence[RanCell], cells: Sequence[RanCell], names: list[str], into: Into
) -> tuple[Labelled, Labelled, list[str]]:
    """As ``_sources``, with the stored module where the cells import from it, and with the names to take."""
    sources, others = _sources(ran, cells)
    found = taken(sources, into)
    if found.names and not names:
        defined = Cells([*found.cells.values()], [*found.cells]).defined
        names = [*dict.fromkeys([*defined, *found.names])]
    return {**found.base, **found.cells}, others, names


def _sources(ran: Sequence[RanCell], cells: Sequence[RanCell]) -> tuple[Labelled, Labelled]:
    """Of the cells, and of the others that ran well, by what they are called."""
    counts = {cell.count for cell in cells}
    others = {f"cell {cell.count}": cell.source for cell in ran if cell.ok and cell.count not in counts}
    return {f"cell {cell.count}": cell.source for cell in cells}, others


def _check_stars(module: str, ran: Sequence[RanCell], cells: Sequence[RanCell]) -> None:
    """Raises SkillFailed for names that another cell has set since the star import that would seem to bring them."""
    since = max((cell.count for cell in cells if "import *" in cell.source), default=0)
    later = {f"cell {cell.count}": cell.source for cell in ran if cell.ok and cell.count > since and cell not in cells}
    found = {name: where for name in left_to_stars(module) if (where := definer_of(later, name))}
    if found:
        each = "; ".join(f"this needs {name}, which {where} defines" for name, where in found.items())
        raise SkillFailed(f"{each}: name {'that cell' if len({*found.values()}) == 1 else 'those cells'} too.")


def listed(words: str) -> list[str]:
    """``f, g`` as a list."""
    return [word.strip() for word in words.split(",") if word.strip()]


def _names(word: str, cell: RanCell, last: tuple[str, ...]) -> bool:
    if word == "last":
        return cell.cell_id in last
    if counts := re.fullmatch(r"(\d+)(?:-(\d+))?", word):
        return int(counts[1]) <= cell.count <= int(counts[2] or counts[1])
    return bool(word) and cell.cell_id == word


def _nothing(word: str, ran: list[RanCell]) -> str:
    if word == "last":
        return "The agent's last run has no cell that ended well: name cells, as in `%skill save NAME 3-5`."
    refused = f"{word} names no cell that ran without an error"
    well = [cell for cell in ran if cell.ok]
    if not well:
        return f"{refused} (no cell has run yet)."
    # A file may show other numbers than the kernel's: the first lines tell which is which.
    there = ", ".join(f"{cell.count} `{_first_line(cell)}`" for cell in well[-SHOWN:])
    return f"{refused}. {'The newest that did' if len(well) > SHOWN else 'Cells that did'}: {there}."


def _first_line(cell: RanCell) -> str:
    lines = cell.source.strip().splitlines()
    return textwrap.shorten(lines[0], 50, placeholder="…") if lines else ""
