"""The two tools that a model with tool calls is given; a model without writes the same as fenced blocks."""

from __future__ import annotations

from typing import Any

RUN = "run_cell"
EDIT = "edit_skill"


def _tool(name: str, description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


def _text(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


TOOLS = [
    _tool(
        RUN,
        "Run Python as a new cell of the notebook. Returns its outputs.",
        {"code": _text("The cell's source. IPython syntax is allowed.")},
        ["code"],
    ),
    _tool(
        EDIT,
        "View or change a module of the skill library.",
        {
            "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "undo"]},
            "path": _text("File in the library, such as gp_fit.py; '.' lists it."),
            "file_text": _text("create: the whole file."),
            "old_str": _text("str_replace: text that occurs exactly once."),
            "new_str": _text("str_replace, insert: the new text."),
            "insert_line": {"type": "integer", "description": "insert: after this line, 0 for the top."},
        },
        ["command", "path"],
    ),
]
