"""What the model is told, from the Jinja2 templates beside this file."""

from __future__ import annotations

import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..events import Action, CodeAction, Edited, Outcome, Ran, Rejected
from ..words import fenced
from .observation import printed
from .parsing import Problem
from .tools import EDIT, RUN

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


class Prompts:
    """Renders the templates of one conversation.

    work: the working folder. mark: random, so that printed text can't imitate the end of an output.
    """

    def __init__(self, work: str) -> None:
        self.work = work
        self.mark = secrets.token_hex(4)

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        loader = FileSystemLoader(TEMPLATES)
        templates = Environment(
            loader=loader,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701  # prompts are plain text
        )
        templates.filters["fenced"] = fenced
        return templates

    def _render(self, template: str, **values: object) -> str:
        common = {
            "run": RUN,
            "edit": EDIT,
            "mark": self.mark,
            "work": self.work,
        }
        return self._templates.get_template(f"{template}.j2").render({**common, **values}).strip()

    def system(self, tools: bool) -> str:
        return self._render("system", tools=tools)

    def task(self, prompt: str, skills: list[tuple[str, str]], library: list[str]) -> str:
        """The person's prompt; ``skills`` are given with their sources, ``library`` by name alone."""
        return self._render("task", prompt=prompt, skills=skills, library=library)

    def problem(self, problem: Problem) -> str:
        return self._render(f"{problem.kind}_problem", text=problem.text)

    def observation(self, action: Action, outcome: Outcome) -> str:
        match outcome:
            case Rejected(reason):
                return self._render("rejected", reason=reason)
            case Edited(text):
                return text
            case Ran():
                edited = outcome.edited and isinstance(action, CodeAction)
                return self._render("observation", ran=outcome, edited=edited, output=printed(outcome))
