"""The tools that a model is given, and what of its replies may become a cell.

A model with tool calls is given the definitions below; one without writes the same as fenced blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..errors import EditError, Unreadable
from ..events import Action, CodeAction, EditAction, SkillAction
from ..protocols import Change, Editor, Environment, Skills
from .blocklist import Blocklist, problem_in
from .editing import FileEditor

RUN = "run_cell"
EDIT = "edit_file"
SKILLS = "skills"
SUBMIT = "submit"
Transform = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class ToolConfig:
    """submits: the run ends with `submit` and hands in a patch; otherwise it ends with an answer in words.

    timeout_s: seconds that one action may run, None for ever. blocklist: actions that can't work here.
    observation_tokens: how much of an action's output the model is told.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    submits: bool = False
    timeout_s: float | None = None
    observation_tokens: int = 3000
    blocklist: Blocklist = field(default_factory=Blocklist)


class ToolHandler:
    """library: the editor of the skill library, skills: what else is done with it; None where there is none.

    transform: IPython's, raises SyntaxError.
    """

    def __init__(
        self, config: ToolConfig, *, library: Editor | None, transform: Transform, skills: Skills | None = None
    ) -> None:
        self.config = config
        self.library = library
        self.skills = skills
        self.transform = transform
        self._editor = FileEditor(library)

    async def install(self, env: Environment) -> None:
        """Make ready in ``env`` what actions need there. Nothing does, so far: skills are there from the start."""

    @property
    def names(self) -> tuple[str, ...]:
        """The tools that there are."""
        return (RUN, EDIT, *((SKILLS,) if self.skills else ()), *((SUBMIT,) if self.config.submits else ()))

    def definitions(self) -> list[dict[str, Any]]:
        """As a service with tool calls wants them."""
        return [_DEFINITIONS[name] for name in self.names]

    async def plan(self, action: EditAction, env: Environment, root: str) -> str | Change:
        """The answer to what only looks, or a change that is not made yet. Raises EditError."""
        if not isinstance(action, SkillAction):
            return await self._editor.edit(action.arguments, env, root)
        if self.skills is None:
            raise EditError("There is no skill library here.")
        return await self.skills.answer(action.arguments)

    def check(self, actions: Sequence[Action]) -> None:
        """Raises Unreadable for code that doesn't compile or can't work here: it never becomes a cell."""
        for action in actions:
            if isinstance(action, CodeAction) and (
                found := problem_in(action.source, self.transform, self.config.blocklist)
            ):
                raise Unreadable(*found)


def _tool(name: str, description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _text(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


_DEFINITIONS = {
    RUN: _tool(
        RUN,
        "Run Python as a new cell of the notebook. Returns its outputs.",
        {"code": _text("The cell's source. IPython syntax is allowed.")},
        ["code"],
    ),
    EDIT: _tool(
        EDIT,
        "View or change a text file in the working folder, or a skill as skill:NAME.py.",
        {
            "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "undo"]},
            "path": {"type": "string"},
            "file_text": {"type": "string"},
            "old_str": _text("Text that occurs exactly once."),
            "new_str": {"type": "string"},
            "insert_line": {"type": "integer", "description": "Insert after it; 0: at the top."},
        },
        ["command", "path"],
    ),
    SKILLS: _tool(
        SKILLS,
        "Search skills (name: words), read or test one, or save one (what: functions f,g of cells that ran; 3-5).",
        {
            "command": {"type": "string", "enum": ["search", "read", "test", "save"]},
            "name": {"type": "string"},
            "what": {"type": "string"},
            "wrap": _text("Makes statements fit(x, y=1) -> model."),
            "shared": {"type": "boolean"},
        },
        ["command", "name"],
    ),
    SUBMIT: _tool(
        SUBMIT,
        "End the run: the task is done, or can't be done.",
        {
            "answer": _text("What was done, in a few sentences; or why it can't be."),
            "gave_up": {"type": "boolean", "description": "true where it can't be done."},
        },
        ["answer"],
    ),
}
