"""What a prompt is told of skills: those that fit it, found in the libraries, and those that the person names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from . import tokens
from .errors import SandboxError, SkillError
from .events import ActionDone, CodeAction, Ran
from .notebook.syntax import transformed
from .skills.imported import Imported
from .skills.library import Library
from .skills.offers import offer_of
from .skills.outlines import LONGEST, as_read, module_name
from .skills.search import Found, Search

Inside = Callable[..., Awaitable[Any]]
Sources = Mapping[str, str]
# What skills that are offered may add to a request.
OFFER_TOKENS = 350


class Finder:
    """Finds skills for one run, and sees which are used.

    named: sources by name, of what the person asked for. search: None offers nothing else. before: the sources of cells
    that ran before the run, oldest first: what they imported has its names. offered: the names of all that the model
    was told of. used: whether the last action that used it ended well, by name. problem: why nothing, or less, was
    found.
    """

    def __init__(
        self,
        search: Search | None,
        named: Sources = {},  # noqa: B006  # it is only read
        before: Iterable[str] = (),
    ) -> None:
        self._search = search
        self._imported = Imported(transformed)
        self._before = [*before]
        self.named = named
        self.offered: tuple[str, ...] = tuple(named)
        self.used: dict[str, bool] = {}
        self.problem = ""

    async def fields(self, prompt: str, state: dict[str, Any]) -> dict[str, Any]:
        """What the instance template may name. It never fails: where nothing can be found, the prompt goes as it is."""
        found, count = await asyncio.to_thread(self._find, prompt, state)
        offers = [*_within(OFFER_TOKENS, map(offer_of, found))]
        self.offered = (*self.named, *(skill.name for skill in found[: len(offers)]))
        return {"skills": [*self.named.items()], "offers": offers, "library": count - len(offers)}

    def _find(self, prompt: str, state: dict[str, Any]) -> tuple[list[Found], int]:
        """What fits, and how many skills there are beside those that were named."""
        for source in self._before:
            if self._imported.concerns(source):
                self._imported.read(source)
        self._before = []
        if self._search is None:
            return [], 0
        try:
            found = self._search.find(prompt, [*_scope(state)], leave=self.named.keys())
            self.problem = self._search.problem
        except SkillError as error:
            self.problem = str(error)
            return [], 0
        return found, len(self._search.names - self.named.keys())

    def note(self, event: object) -> None:
        """Hear of an action: it may have used a skill."""
        if isinstance(event, ActionDone) and isinstance(event.action, CodeAction) and isinstance(event.outcome, Ran):
            self.used |= dict.fromkeys(self._used_in(event.outcome.source), event.outcome.status == "ok")

    def _used_in(self, source: str) -> set[str]:
        """The skills that code imports, or imported before, and of those that were offered also the ones it names.

        A name that the code gives a meaning of its own is no skill's.
        """
        modules, named = self._imported.read(source)
        library = self._library(modules)
        return modules & {*library, *self.offered} | named & {*self.offered}

    def _library(self, modules: Set[str]) -> Set[str]:
        """The names of the skills that there are, with those that this run has made where it imports them."""
        if self._search is None:
            return frozenset()
        heads = {name.partition(".")[0] for name in modules - self._search.names}
        paths = (folder / name for folder in self._search.folders for head in heads for name in (head, f"{head}.py"))
        with contextlib.suppress(SkillError):
            if any(map(os.path.exists, paths)):
                self._search.update()
        return self._search.names

    def remember(self, place: str) -> None:
        """Let the search know how the skills did, and where. Writes to its file."""
        if self._search is not None:
            with contextlib.suppress(SkillError):
                for name, ok in self.used.items():
                    self._search.index.used(name, ok, place)


async def sources_of(names: Iterable[str], library: Library, inside: Inside) -> dict[str, str]:
    """The sources of skills by name: from the library, or of any module that code in the sandbox can import.

    inside: asks the sandbox, which reads what is not the library's. Raises SkillError, with the nearest name.
    """
    skills = library.list()
    known = {skill.module: skill for skill in skills} | {skill.name: skill for skill in skills}
    found = {}
    for name in names:
        if name in known:
            found[known[name].module] = known[name].read
        else:
            module, source = await _from_inside(name, [*known], inside)
            found[module] = source
    return found


async def _from_inside(name: str, known: list[str], inside: Inside) -> tuple[str, str]:
    if not all(part.isidentifier() for part in name.split(".")):
        raise SkillError(f"{name!r} is no name of a skill or a module, such as gp_fit or package.module.")
    try:
        answer = await inside("module_source", name=name)
    except SandboxError:
        answer = None
    if not isinstance(answer, dict):
        raise SkillError(f"The sandbox can't say what {name} is.")
    if texts := _texts_in(answer):
        path = next(iter(texts))
        # The sandbox's word: it does not choose the name. What it says of others is long to read.
        module = f"{name}.api" if module_name(path) == f"{name}.api" else name
        return module, await asyncio.to_thread(as_read, path, texts)
    if "known" not in answer:
        raise SkillError(f"{name} has no source in Python: there is nothing that an agent could read.")
    raise SkillError(_unknown(name, known, answer))


def _texts_in(answer: dict[str, Any]) -> dict[str, str]:
    """Sources by path, as far as they are some: they are read as Python outside of the sandbox."""
    texts = answer.get("texts")
    found: dict[str, str] = {}
    room = LONGEST
    for path, text in texts.items() if isinstance(texts, dict) else ():
        if room > 0 and isinstance(text, str) and re.fullmatch(r"[\w/]{1,300}\.py", path):
            found[path] = text[:room]
            room -= len(text)
    return found


def _unknown(name: str, known: list[str], answer: dict[str, Any]) -> str:
    from difflib import get_close_matches

    there = answer["known"] if isinstance(answer["known"], list) else []
    near = get_close_matches(name, [*known, *(str(other)[:100] for other in there)], n=1)
    hint = f" Did you mean {near[0]}?" if near else " `%skill list` shows what there is."
    return f"There is no skill called {name}, and no module in the sandbox's environment.{hint}"


def _scope(state: dict[str, Any]) -> Iterator[str]:
    """Names, types and columns of what is in scope."""
    for item in state.get("variables", ()):
        if isinstance(item, dict):
            yield " ".join(str(item.get(key) or "")[:200] for key in ("name", "type", "schema"))


def _within(budget: int, texts: Iterable[str]) -> Iterator[str]:
    """The first, and what fits of the others."""
    spent = 0
    for text in texts:
        spent += tokens.estimated(text)
        if spent > budget and spent > tokens.estimated(text):
            return
        yield text
