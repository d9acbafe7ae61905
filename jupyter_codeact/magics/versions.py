"""`%skill log, diff, rollback, rm`: the versions of a skill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import SkillError, UsageError
from ..session import Session
from ..skills.history import Note, Version
from ..skills.library import Saved, changes
from ..skills.skill import has_skill
from ..skills.transfer.bundle import HISTORY, came_along
from ..words import fenced, plural

HELP = """\
%skill log NAME             its versions: when, by whom, why, and from which cells
%skill diff NAME [V1 [V2]]  what the last version changed; from V1 to now; from V1 to V2
%skill rollback NAME V      make version V the newest one again
%skill rm NAME              take it away; `%skill rollback` brings it back
                            these four take --shared or --own, where both libraries have one of that name
%%skill edit NAME           its source, in this cell; running the cell again saves it; NAME.impl: of a package"""
# Versions that are named where she has named none.
CHOICE = 5
COMMANDS = ("log", "diff", "rollback", "rm")
SHARED, OWN = "--shared", "--own"


def answer(session: Session, command: str, line: str) -> str:
    """The answer to one of ``COMMANDS``, as Markdown. Raises UsageError, SkillError."""
    words = line.split()
    asked = [word for word in words if word in (SHARED, OWN)]
    name, *numbers = [word for word in words if word not in asked] or [""]
    most = {"log": 0, "rm": 0, "rollback": 1, "diff": 2}[command]
    if wrong := _wrong(words, most):
        raise UsageError(
            f"`%skill {command}` is written wrongly: {wrong}. `%skill {command} --help` shows how it goes."
        )
    if not name:
        raise UsageError(f"`%skill {command}` needs a name. `%skill list` shows what there is.")
    folder = _folder(session, command, name, *asked[:1])
    if command == "rollback" and not numbers:
        raise UsageError(_choice(session, folder, name))
    versions = [_number(word) for word in numbers]
    match command:
        case "log":
            return _log(session, folder, name)
        case "diff":
            return _diff(session, folder, name, versions)
        case "rollback":
            return _rollback(session, folder, name, versions[0])
        case _:
            return _remove(session, folder, name, asked=bool(asked))


def _wrong(words: Sequence[str], most: int) -> str:
    """Which word nothing can be made of, where ``most`` versions can be named; "" where all are right."""
    flags = [word for word in words if word.startswith("-")]
    if unknown := [word for word in flags if word not in (SHARED, OWN)]:
        return f"{unknown[0]!r} is no option here, but {SHARED} and {OWN} are"
    if len({*flags}) > 1:
        return f"it is either {SHARED} or {OWN}"
    more = [word for word in words if word not in flags][1 + most :]
    return f"{more[0]!r} is one word too many" if more else ""


def _folder(session: Session, command: str, name: str, asked: str = "") -> Path:
    """The library that is meant. Raises SkillError where it never had such a skill."""
    library = session.skills.library
    if not asked:
        return library.undone_in(name) if command == "rollback" else library.folder_of(name)
    folder = library.shared if asked == SHARED else library.own
    if not _had(session, folder, name):
        raise SkillError(f"There is no skill called {name} in {_place(session, folder)}.")
    return folder


def _had(session: Session, folder: Path, name: str) -> bool:
    return has_skill(folder, name) or session.skills.library.history(folder).newest(name) is not None


def _place(session: Session, folder: Path) -> str:
    places = {session.skills.library.shared: "the shared library", session.skills.library.own: "your own library"}
    return places.get(folder, str(folder))


def _written(session: Session, folder: Path, name: str, rest: str = "") -> str:
    """A skill and what follows it in a command, with the library where another one could be taken for it."""
    library = session.skills.library
    flag = ""
    if folder == library.shared and _had(session, library.own, name):
        flag = SHARED
    elif folder == library.own and library.undone_in(name) != folder:
        flag = OWN
    return " ".join(filter(None, (name, rest, flag)))


def told(session: Session, saved: Saved, name: str) -> str:
    """What a write has made of a skill."""
    hidden = hides(session, saved.folder, name)
    if saved.before is None:
        place = f" in {_place(session, saved.folder)}." if hidden else f": {works(name)}"
        return " ".join([f"Saved **{name}**{place}", *hidden, *saved.unlinked])
    if saved.before.number == saved.version.number:
        return " ".join([f"**{name}** is already like this: version {saved.version.number}.", *hidden])
    difference = _between(session, saved.folder, name, saved.before.number, saved.version.number)
    command, number = ("rm", "") if saved.before.removed else ("rollback", str(saved.before.number))
    back = f"{command} {_written(session, saved.folder, name, number)}"
    said = [f"Saved **{name}** as version {saved.version.number}; `%skill {back}` takes that back."]
    said += [*hidden, *saved.unlinked]
    return f"{' '.join(said)}\n\n{fenced(difference, 'diff')}"


def works(name: str) -> str:
    """What can be done with a skill that was new."""
    return f"`import {name}` works from now on in every notebook with this kernel."


def hides(session: Session, folder: Path, name: str) -> list[str]:
    """A sentence about the skill that is imported instead of the one in ``folder``; none where that is imported."""
    if session.skills.library.folder_of(name) == folder:
        return []
    return [f"Your own **{name}** comes before it: `import {name}` goes on with that one."]


def _log(session: Session, folder: Path, name: str) -> str:
    versions = session.skills.library.log(name, folder)
    return f"**{name}** has {plural(len(versions), 'version')}, the newest first.\n\n{table(versions)}"


def table(versions: Sequence[Version]) -> str:
    """The versions, a row each."""
    rows = [row for version in versions for row in _rows(version)]
    return "\n".join(["| version | when | by | what |", "|:---|:---|:---|:---|", *rows])


def _diff(session: Session, folder: Path, name: str, versions: list[int]) -> str:
    newest = session.skills.library.log(name, folder)[0].number
    first, last = (*versions, newest)[:2] if versions else (newest - 1, newest)
    text = _between(session, folder, name, first, last)
    what = f"from version {first} to {last}" if first else f"version {last}"
    return f"**{name}**, {what}:\n\n{fenced(text, 'diff')}"


def _between(session: Session, folder: Path, name: str, first: int, last: int) -> str:
    history = session.skills.library.history(folder)
    with history.opened():
        before, after = [history.files(name, number) if number else {} for number in (first, last)]
    return changes(before, after) or "(no change)"


def _choice(session: Session, folder: Path, name: str) -> str:
    """The versions that there are to go back to, and how that is written."""
    versions = session.skills.library.log(name, folder)
    there = [version for version in versions[0 if versions[0].removed else 1 :] if not version.removed]
    if not there:
        return f"{name} has one version: there is none to go back to."
    said = [f"{v.number} ({_when(v)}, {v.note.by}: {v.note.message})" for v in there[:CHOICE]]
    more = f"; `%skill log {_written(session, folder, name)}` shows all" if len(there) > CHOICE else ""
    form = f"`%skill rollback {name} V` makes version V the newest one again, such as"
    example = _written(session, folder, name, str(there[0].number))
    return f"{form} `%skill rollback {example}`. There are {', '.join(said)}{more}."


def _rollback(session: Session, folder: Path, name: str, number: int) -> str:
    library = session.skills.library
    # What was changed by hand is a version from now on.
    library.log(name, folder)
    files = library.history(folder).files(name, number)
    if not files:
        raise SkillError(f"In version {number} {name} had been removed: there is nothing to bring back.")
    saved = library.write(name, files, session.skills.note(f"Back to version {number}"), folder=folder)
    return told(session, saved, name)


def _remove(session: Session, folder: Path, name: str, *, asked: bool) -> str:
    library = session.skills.library
    if not has_skill(folder, name):
        log = _written(session, folder, name)
        raise SkillError(f"{name} is removed already. `%skill log {log}` shows what can be brought back.")
    if folder not in library.kept:
        raise SkillError(f"{name} lies in {folder}, which is only read here.")
    if folder == library.shared and not asked and _had(session, library.own, name):
        raise SkillError(
            f"Your own {name} is removed already; the one that is left is shared by all workspaces: "
            f"`%skill rm {name} {SHARED}` removes that one."
        )
    saved = library.write(name, {}, session.skills.note("Removed"), folder=folder)
    before = str(saved.before.number if saved.before else 1)
    back = _written(session, folder, name, before)
    said = [f"Removed **{name}** from {_place(session, folder)}. `%skill rollback {back}` brings it back."]
    left = next((other for other in library.folders if has_skill(other, name)), folder)
    if library.folders.index(left) > library.folders.index(folder):
        said.append(f"`import {name}` takes the one in {_place(session, left)} from now on.")
    return " ".join([*said, *saved.unlinked])


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
    said = [f"{key.lower()} {value.removesuffix('.')}" for key, value in note.about.items() if key != HISTORY]
    # "Imported from x.py" has its source already.
    facts = ", ".join(fact for fact in said if not note.message.endswith(f" {fact}"))
    return _cell_text(note.message + (f" ({facts})" if facts else ""))


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|")
