"""What the model is told: Jinja2 templates in files, each replaceable by the configuration."""

from __future__ import annotations

import secrets
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ConfigError
from ..events import CodeAction, Edited, Ended, Ran, Rejected
from ..files import innermost, read_in
from ..words import fenced, reason
from .shapes import StepOutput
from .tools import EDIT, RUN, SKILLS, SUBMIT

if TYPE_CHECKING:
    from jinja2 import Environment, Template

FOLDER = Path(__file__).with_name("templates")
LONGEST = 200
# Kinds of Unreadable, each with its template.
ERRORS = {"format": "format", "words": "format", "blocklist": "blocklist", "syntax": "syntax"}


@dataclass(frozen=True, kw_only=True)
class TemplateConfig:
    """Texts that take the place of ours; None keeps ours. ``docs/templates.md`` says what each may name.

    demonstrations: `.traj`, `.yaml` or `.ipynb` files that show how it is done.
    put_demos_in_history: message by message; otherwise each is one message.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    system_template: str | None = None
    instance_template: str | None = None
    context_template: str | None = None
    next_step_template: str | None = None
    rejected_template: str | None = None
    format_error_template: str | None = None
    blocklist_error_template: str | None = None
    syntax_error_template: str | None = None
    demonstration_template: str | None = None
    compact_template: str | None = None
    demonstrations: tuple[Path, ...] = ()
    put_demos_in_history: bool = False

    @classmethod
    def from_folder(cls, folder: Path, *, work: Path = Path(), **more: Any) -> TemplateConfig:
        """Every ``NAME.j2`` in ``folder`` replaces the template of that name. Raises ConfigError for unknown names.

        work: where actions run, and may have put a link. What lies there by its name, or in this process' own folder,
        must really lie there.
        """
        root = innermost(folder, work, Path()) or folder
        known = {path.stem for path in FOLDER.glob("*.j2")}
        found = {path.stem: path for path in sorted(folder.glob("*.j2"))}
        if not found or not found.keys() <= known:
            wrong = ", ".join(sorted(found.keys() - known)) or "no template"
            raise ConfigError(f"{folder} has {wrong}; templates are called {', '.join(sorted(known))}, each with .j2.")
        try:
            texts: dict[str, Any] = {f"{name}_template": read_in(root, path) for name, path in found.items()}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"A template in {folder} can't be read: {reason(error)}.") from None
        return cls(**texts, **more)

    @property
    def texts(self) -> dict[str, Any]:
        """Those that take the place of ours, by their keys."""
        return {name: text for name, text in vars(self).items() if isinstance(text, str)}


class Templates:
    """Renders the texts of one conversation.

    mark: random, so that printed text can't imitate the end of an output. work: the folder where actions run, as the
    model is told. folder: the same, as this process knows it.
    """

    def __init__(self, config: TemplateConfig | None = None, *, work: str = ".") -> None:
        self.config = config or TemplateConfig()
        self.work = work
        self.folder = Path()
        self.mark = secrets.token_hex(4)
        self._known: dict[str, Template] = {}

    def system(self, *, tools: bool, submits: bool = False, skills: bool = True) -> str:
        """tools: the model has tool calls. submits: the run ends with a submission. skills: there is a library."""
        return self._render("system", {"tools": tools, "submits": submits, "skills": skills})

    def instance(self, problem_statement: str, **fields: Any) -> str:
        values: dict[str, Any] = {"skills": [], "offers": [], "library": 0, "context": ""}
        return self._render("instance", values | fields | {"problem_statement": problem_statement})

    def context(self, variables: list[str]) -> str:
        return self._render("context", {"variables": variables})

    def error(self, template: str, **values: Any) -> str:
        """``template``: a kind of Unreadable, or a text of its own."""
        if template in ERRORS:
            return self._render(f"{ERRORS[template]}_error", values)
        return self.rendered(template, values)

    def demonstration(self, demonstration: str) -> str:
        return self._render("demonstration", {"demonstration": demonstration})

    def compact(self) -> str:
        return self._render("compact")

    def next_step(self, step: StepOutput, *, timeout_s: float | None = None) -> str:
        """What the model is told of an action's end. timeout_s: how long it might run."""
        match step.outcome:
            case Rejected(reason):
                return self._render("rejected", {"reason": reason})
            case Edited(text):
                return self.marked(text)
            case Ended():
                return "The run ends here."
            case Ran():
                edited = step.outcome.edited and isinstance(step.call, CodeAction)
                own = {"ran": step.outcome, "edited": edited, "timeout_s": timeout_s}
                return self._render("next_step", step.to_template_format_dict() | own)
            case _:
                return step.observation

    def marked(self, text: str) -> str:
        """What comes from files or outputs, as material."""
        return f"<output {self.mark}>\n{text}\n</output {self.mark}>"

    def of(self, config: TemplateConfig) -> Templates:
        """The same conversation's, with other texts."""
        made = copy(self)
        made.config = config
        return made

    def _render(self, name: str, values: dict[str, Any] = {}) -> str:  # noqa: B006  # it is only read
        own = getattr(self.config, f"{name}_template")
        return self.rendered(_shipped(name) if own is None else own, values, name)

    def rendered(self, template: str, values: dict[str, Any], name: str = "") -> str:
        """The text of a template, with what every template may name. Raises ConfigError, whatever is wrong with it."""
        common = {"run": RUN, "edit": EDIT, "skill": SKILLS, "submit": SUBMIT, "mark": self.mark, "work": self.work}
        try:
            return self._compiled(template).render(values | common).strip()
        except Exception as error:
            # A person's own text computes with what it is given: anything may be raised in it.
            which = f"The template {name}" if name else "A template"
            raise ConfigError(f"{which} can't be rendered: {_why(error)}. It begins: {template[:60]!r}") from error

    def _compiled(self, template: str) -> Template:
        if template not in self._known:
            self._known[template] = self._jinja.from_string(template)
        return self._known[template]

    @cached_property
    def _jinja(self) -> Environment:
        # Sandboxed: a template may lie in a folder where the agent's code can write.
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment.filters["fenced"] = fenced
        return environment


def _why(error: Exception) -> str:
    """In a line; what is not Jinja2's own says little without its kind."""
    from jinja2 import TemplateError

    said = " ".join(str(error).split())[:LONGEST].rstrip(".")
    return said if isinstance(error, TemplateError) else f"{type(error).__name__}: {said}".rstrip(": ")


@cache
def _shipped(name: str) -> str:
    return (FOLDER / f"{name}.j2").read_text("utf-8")
