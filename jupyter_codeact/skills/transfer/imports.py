"""What of a path or an address can be a skill: read and checked as text. None of it runs, and nothing is stored."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ...errors import SkillError
from ...events import RanCell
from ...parsing import parse
from ...words import reason
from ..itself import Into
from ..selection import module_from
from ..skill import INIT, MARK, check_name, readable
from .bundle import Bundle, Past, read_past
from .entries import Entries, Reader, of_archive, of_folder, read
from .exports import FOLDER_HISTORY, without_trailer
from .git import fetched, is_address
from .notebooks import cells_of, files_in, left_cells, text_of
from .wheels import HISTORY_FILE

ARCHIVES = (".whl", ".zip")
# What every wheel and every skill folder has, and the notes that come along.
_DRESSING = re.compile(
    rf"[^/]+\.dist-info/(METADATA|WHEEL|RECORD|{re.escape(HISTORY_FILE)})|SKILL\.md|{FOLDER_HISTORY}"
)
# Modules that a checkout has beside its own.
_ASIDE = ("setup", "conftest", "noxfile", "tasks")
Choose = Callable[[list[RanCell]], Iterable[RanCell]]


def found_in(
    source: str, work: Path, *, names: Sequence[str] = (), rename: str = "", choose: Choose = list
) -> list[Bundle]:
    """The skills of a file, a folder or a git repository. Raises SkillError, which says why there are none.

    names: of a notebook, the functions to take; of everything else, the skills. rename: the name of the only one.
    choose: picks the cells of a notebook that is no skill notebook.
    """
    bundles = _read(source, work, names, rename, choose)
    for bundle in bundles:
        _check(bundle)
    if not bundles:
        raise SkillError(f"{source} holds no Python module that could be a skill.")
    return bundles


def _read(source: str, work: Path, names: Sequence[str], rename: str, choose: Choose) -> list[Bundle]:
    if is_address(source):
        # As by a path: what is a package itself is called what its folder is.
        folder = re.split(r"[/#]", source.rstrip("/#"))[-1].removesuffix(".git")
        return _picked([*_modules(fetched(source), folder)], names, rename)
    path = work / os.path.expanduser(source)
    if os.path.isdir(path):
        return _picked([*_modules(of_folder(path, work), Path(os.path.abspath(path)).name)], names, rename)
    content = read(path, work)
    match path.suffix:
        case ".ipynb":
            return [_of_notebook(content, path, names, rename, choose)]
        case ".py":
            return _picked([_of_module(content, path.name)], names, rename)
        case suffix if suffix in ARCHIVES:
            return _picked([*_modules(of_archive(content))], names, rename)
        case _:
            raise SkillError(f"{path.name} is no .py, .ipynb, .whl or .zip file, no folder, and no git address.")


def _picked(bundles: list[Bundle], names: Sequence[str], rename: str) -> list[Bundle]:
    known = {bundle.name: bundle for bundle in bundles}
    for name in names:
        if name not in known:
            raise SkillError(f"There is no {name} in it; there are: {', '.join(sorted(known)) or 'none'}.")
    chosen = [known[name] for name in names] or bundles
    if not rename:
        return chosen
    if len(chosen) != 1:
        raise SkillError(f"--as names one skill, and here are {len(chosen)}: choose one with --names.")
    return [_renamed(chosen[0], rename)]


def _renamed(bundle: Bundle, name: str) -> Bundle:
    """Under another name: the module's file, or the package's folder."""
    files = {
        f"{name}.py" if path == f"{bundle.name}.py" else f"{name}/{path.partition('/')[2]}": text
        for path, text in bundle.files.items()
    }
    return bundle._replace(name=name, files=files)


def _of_module(content: bytes, name: str) -> Bundle:
    source, past = without_trailer(_text(content, name))
    return Bundle(name.removesuffix(".py"), {name: source}, read_past(past))


def _of_notebook(content: bytes, path: Path, names: Sequence[str], rename: str, choose: Choose) -> Bundle:
    try:
        notebook: Any = json.loads(_text(content, path.name))
    except (ValueError, RecursionError):
        raise SkillError(f"{path.name} is no notebook.") from None
    notebook = notebook if isinstance(notebook, dict) else {}
    whole = None if names else files_in(notebook)
    if whole is not None:
        found = _of_skill_notebook(*whole)._replace(left_cells=left_cells(notebook))
        return _renamed(found, rename) if rename else found
    name = rename or path.stem
    ran = [*cells_in(notebook)]
    source = module_from(ran, [*choose(ran)], [*names], Into(name))
    return Bundle(name, {f"{name}.py": source})


def _of_skill_notebook(name: str, files: list[tuple[str, str]], past: str) -> Bundle:
    """A module or a package, whose paths are the notebook's word."""
    reader = Reader()
    for path, text in files:
        if not reader.wants(path, len(text)) or path.partition("/")[0] not in (name, f"{name}.py"):
            raise SkillError(f"{path!r} is no file of {name}.")
        reader.take(path, text.encode("utf-8", "surrogatepass"))
    found = Bundle(name, {path: text.removeprefix(MARK) for path, text in files}, read_past(past))
    if found.main not in found.files or (len(files) > 1 and "/" not in found.main):
        raise SkillError(f"This notebook of {name} holds neither a module nor a package.")
    return found


def cells_in(notebook: dict[str, Any]) -> Iterator[RanCell]:
    """Its code cells, by their execution counts, or by their places where none has run."""
    cells = cells_of(notebook)
    ran = any(isinstance(cell.get("execution_count"), int) for cell in cells)
    for place, cell in enumerate(cells, start=1):
        count = cell.get("execution_count") if ran else place
        if isinstance(count, int):
            outputs = cell.get("outputs")
            outputs = outputs if isinstance(outputs, list) else []
            ok = not any(isinstance(o, dict) and o.get("output_type") == "error" for o in outputs)
            yield RanCell(count, str(cell.get("id", "")), text_of(cell), ok)


def _modules(reader: Reader, folder: str = "") -> Iterator[Bundle]:
    """The modules and packages of a folder, which may be a skill folder, a package, a project or a wheel."""
    entries, past = _without_dressing(reader.entries)
    no_sources = [*reader.left_out, *(path for path in reader.entries if not path.endswith(".py"))]
    left_out = [path for path in no_sources if not _DRESSING.fullmatch(path)]
    if INIT in entries and folder:
        entries = {f"{folder}/{path}": content for path, content in entries.items()}
    sources = {path: content for path, content in entries.items() if path.endswith(".py")}
    heads = {path.split("/")[0] for path in sources}
    for head in sorted(heads):
        name = head.removesuffix(".py")
        files = {path: content for path, content in sources.items() if path.split("/")[0] == head}
        if name in _ASIDE or not (head in files or f"{head}/{INIT}" in files):
            continue
        if head in files:
            source, trailer = without_trailer(_text(files[head], head))
            yield Bundle(name, {head: source}, past or read_past(trailer), left_out)
        else:
            texts = {path: _text(content, path) for path, content in files.items()}
            yield Bundle(name, texts, past, left_out)


def _without_dressing(entries: Entries) -> tuple[Entries, list[Past]]:
    """The modules of a skill folder, of a wheel, or of a project with a `src`; and the notes that came along."""
    past: list[Past] = []
    for path, content in entries.items():
        if path == FOLDER_HISTORY or path.endswith(f".dist-info/{HISTORY_FILE}"):
            past = read_past(content.decode(errors="replace"))
    if "SKILL.md" in entries:
        _check_front_matter(_text(entries["SKILL.md"], "SKILL.md"))
        return _below("scripts", entries), past
    src = _below("src", entries)
    return src or entries, past


def _check_front_matter(text: str) -> None:
    """Raises SkillError where it is not what agentskills.io says."""
    head, _, rest = text.partition("\n---")
    try:
        found = yaml.safe_load(head.removeprefix("---")) if text.startswith("---") and rest else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SkillError(f"SKILL.md has a front matter that can't be read: {reason(error)}.") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("name", "description")):
        raise SkillError("SKILL.md does not begin with a front matter that has a name and a description.")


def _below(folder: str, entries: Entries) -> Entries:
    prefix = f"{folder}/"
    return {path.removeprefix(prefix): content for path, content in entries.items() if path.startswith(prefix)}


def _text(content: bytes, path: str) -> str:
    return readable(content.decode("utf-8-sig", "surrogateescape"), path)


def _check(bundle: Bundle) -> None:
    """Raises SkillError for names that other code would stumble on, and for what is no Python."""
    name = bundle.name
    check_name(name)
    if unicodedata.normalize("NFKC", name) != name:
        raise SkillError(f"{name!r} is written with letters that Python reads as others: use --as.")
    if name.casefold() in {module.casefold() for module in sys.stdlib_module_names}:
        raise SkillError(f"{name!r} differs from a module of Python's own in case only: use --as.")
    for path, text in bundle.files.items():
        for part in PurePosixPath(path).with_suffix("").parts[1:]:
            if not part.isidentifier():
                raise SkillError(f"{path!r} can't be imported by that name.")
        try:
            parse(text.encode())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SkillError(f"{path} can't be read as Python: {error}.") from None
