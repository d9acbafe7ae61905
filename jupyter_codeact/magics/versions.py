"""`%skill log, diff, rollback, rm`: the versions of a skill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import SkillError, UsageError
from ..session import Session
from ..skills.history import Note, Version
from ..skills.library import Saved, changes
from ..skills.skill import Files, files_of
from ..skills.transfer.bundle import HISTORY, came_along
from ..words import fenced, plural

HELP = """\
%skill log NAME             its versions: when, by whom, why, and from which cells
%skill diff NAME [V1 [V2]]  what the last version changed; from V1 to now; from V1 to V2
%skill rollback NAME V      make version V the newest one again
%skill rm NAME              take it away; `%skill rollback` brings it back
%%skill edit NAME           its source, in this cell; running the cell again saves it; NAME.impl: of a package"""
# Versions that are named where she has named none.
CHOICE = 5
COMMANDS = ("log", "diff", "rollback", "rm")


def answer(session: Session, command: str, line: str) -> str:
    """The answer to one of ``COMMANDS``, as Markdown. Raises UsageError, SkillError."""
    name, *numbers = line.split() or [""]
    most = {"log": 0, "rm": 0, "rollback": 1, "diff": 2}[command]
    if command == "rollback" and name and not numbers:
        raise UsageError(_choice(session, name))
    if not name or len(numbers) > most:
        raise UsageError(f"`%skill {command}` is written wrongly. `%skill help` shows how it goes.")
    versions = [_number(word) for word in numbers]
    match command:
        case "log":
            return _log(session, name)
        case "diff":
            return _diff(session, name, versions)
        case "rollback":
            return _rollback(session, name, versions[0])
        case _:
            return _remove(session, name)


def told(session: Session, saved: Saved, name: str) -> str:
    """What a write has made of a skill."""
    if saved.before is None:
        said = [f"Saved **{name}**: `import {name}` works from now on in every notebook with this kernel."]
        return " ".join([*said, *saved.unlinked])
    if saved.before.number == saved.version.number:
        return f"**{name}** is already like this: version {saved.version.number}."
    difference = _between(session, name, saved.before.number, saved.version.number)
    back = f"rm {name}" if saved.before.removed else f"rollback {name} {saved.before.number}"
    said = [f"Saved **{name}** as version {saved.version.number}; `%skill {back}` takes that back.", *saved.unlinked]
    return f"{' '.join(said)}\n\n{fenced(difference, 'diff')}"


def _log(session: Session, name: str) -> str:
    versions = session.skills.library.log(name)
    return f"**{name}** has {plural(len(versions), 'version')}, the newest first.\n\n{table(versions)}"


def table(versions: Sequence[Version]) -> str:
    """The versions, a row each."""
    rows = [row for version in versions for row in _rows(version)]
    return "\n".join(["| version | when | by | what |", "|:---|:---|:---|:---|", *rows])


def _diff(session: Session, name: str, versions: list[int]) -> str:
    newest = session.skills.library.log(name)[0].number
    first, last = (*versions, newest)[:2] if versions else (newest - 1, newest)
    text = _between(session, name, first, last)
    what = f"from version {first} to {last}" if first else f"version {last}"
    return f"**{name}**, {what}:\n\n{fenced(text, 'diff')}"


def _between(session: Session, name: str, first: int, last: int) -> str:
    history = session.skills.library.history(session.skills.library.folder_of(name))
    with history.opened():
        before, after = [history.files(name, number) if number else {} for number in (first, last)]
    return changes(before, after) or "(no change)"


def _choice(session: Session, name: str) -> str:
    """The versions that there are to go back to, and how that is written."""
    library = session.skills.library
    folder = library.undone_in(name)
    is_here = folder == library.folder_of(name)
    versions = [*(library.log(name) if is_here else library.history(folder).log(name))]
    there = [version for version in versions[0 if versions[0].removed else 1 :] if not version.removed]
    if not there:
        return f"{name} has one version: there is none to go back to."
    said = [f"{v.number} ({_when(v)}, {v.note.by}: {v.note.message})" for v in there[:CHOICE]]
    more = f"; `%skill log {name}` shows all" if len(there) > CHOICE else ""
    form = f"`%skill rollback {name} V` makes version V the newest one again, such as"
    return f"{form} `%skill rollback {name} {there[0].number}`. There are {', '.join(said)}{more}."


def _rollback(session: Session, name: str, number: int) -> str:
    library = session.skills.library
    folder = library.undone_in(name)
    if folder == library.folder_of(name):
        # What was changed by hand is a version from now on.
        library.log(name)
    files = library.history(folder).files(name, number)
    if not files:
        raise SkillError(f"In version {number} {name} had been removed: there is nothing to bring back.")
    saved = library.write(name, files, session.skills.note(f"Back to version {number}"), folder=folder)
    return told(session, saved, name)


def _remove(session: Session, name: str) -> str:
    folder = session.skills.library.folder_of(name)
    if not _here(session, name):
        raise SkillError(f"{name} is removed already. `%skill log {name}` shows what can be brought back.")
    if not session.skills.library.keeps(name):
        raise SkillError(f"{name} lies in {folder}, which is only read here.")
    saved = session.skills.library.write(name, {}, session.skills.note("Removed"), folder=folder)
    before = saved.before.number if saved.before else 1
    said = [f"Removed **{name}**. `%skill rollback {name} {before}` brings it back.", *saved.unlinked]
    return " ".join(said)


def _here(session: Session, name: str) -> Files:
    return files_of(session.skills.library.folder_of(name), name)


def _number(word: str) -> int:
    digits = word.removeprefix("v")
    if not digits.isdecimal():
        raise UsageError(f"{word!r} is no version: write its number, as `%skill log` shows it.")
    return int(digits)


def _when(version: Version) -> str:
    return f"{version.when.astimezone():%Y-%m-%d %H:%M}"


def _rows(version: Version) -> Iterator[str]:
    """A version, and those from elsewhere that it was made of, which have no number here."""
    yield f"| {version.number} | {_when(version)} | {_cell_text(version.note.by)} | {_what(version.note)} |"
    for past in came_along(version):
        when = past.when[:16].replace("T", " ")
        yield f"|  | {_cell_text(when)} | {_cell_text(past.note.by)} | {_what(past.note)} |"


def _what(note: Note) -> str:
    facts = ", ".join(f"{key.lower()} {value}" for key, value in note.about.items() if key != HISTORY)
    return _cell_text(note.message + (f" ({facts})" if facts else ""))


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|")
