"""Demonstrations: how such a task was done before, from a trajectory, a YAML file or a notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..attempts import attempt_in
from ..errors import ConfigError
from ..files import read_in
from ..words import fenced, reason
from .history import text_message
from .references import rehydrated
from .shapes import Message
from .templates import Templates

PICTURE = "[a picture]"


def demonstration_messages(templates: Templates, agent: str) -> list[Message]:
    """The messages that show it: one a demonstration, or all that it is made of, without system messages."""
    made: list[Message] = []
    for path in templates.config.demonstrations:
        items = [item for item in read_demonstration(Path(path), templates.folder) if item["role"] != "system"]
        if templates.config.put_demos_in_history:
            # Nothing may be sent empty.
            made += [_item(item, agent) for item in items if text_of(item)]
        else:
            shown = "\n".join(f"[{_speaker(item)}]\n{text_of(item)}" for item in items)
            text = templates.demonstration(shown)
            made.append(text_message("user", text, "demonstration", agent, is_demo=True))
    return made


def read_demonstration(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The messages of a `.traj`, `.yaml` or `.ipynb` file. Raises ConfigError where it is none.

    folder: where actions run, and may have put a link in the place of a file.
    """
    import yaml

    try:
        text = read_in(folder, path)
        if path.suffix == ".ipynb":
            items = _of_notebook(json.loads(text))
        elif path.suffix == ".traj":
            items = rehydrated(attempt_in(json.loads(text))[0])["history"]
        else:
            items = rehydrated(yaml.safe_load(text))["history"]
        return [{**item, "role": item["role"], "content": item["content"]} for item in items]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no demonstration: {reason(error)[:200]}.") from None


def _of_notebook(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Prose is the person's, code the agent's, outputs answer it."""
    items: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith("%%agent"):
            items.append({"role": "user", "content": source})
            continue
        items.append({"role": "assistant", "content": fenced(source, "python")})
        shown = "\n".join("".join(_output_text(output)) for output in cell.get("outputs", []))
        items.append({"role": "user", "content": shown or "It printed nothing."})
    return items


def _output_text(output: dict[str, Any]) -> list[str] | str:
    if "text" in output:
        return list(output["text"]) if isinstance(output["text"], list) else str(output["text"])
    found = output.get("data", {}).get("text/plain", output.get("evalue", ""))
    return list(found) if isinstance(found, list) else str(found)


def _item(item: dict[str, Any], agent: str) -> Message:
    """In words alone: calls of tools that aren't there now could not be answered."""
    role = "assistant" if item["role"] == "assistant" else "user"
    return text_message(role, text_of(item), "demonstration", agent, is_demo=True)


def text_of(item: dict[str, Any]) -> str:
    """A message in words; its calls are fenced blocks."""
    content = item.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", PICTURE)) for part in content if isinstance(part, dict))
    calls = "\n".join(_call(call) for call in item.get("tool_calls") or ())
    return f"{content}\n{calls}".strip()


def _call(call: dict[str, Any]) -> str:
    function = call["function"]
    try:
        code = json.loads(function["arguments"]).get("code")
    except (ValueError, TypeError, AttributeError):
        code = None
    return fenced(code, "python") if isinstance(code, str) else f"{function['name']}({function['arguments']})"


def _speaker(item: dict[str, Any]) -> str:
    return "agent" if item.get("role") == "assistant" else "notebook" if item.get("role") == "tool" else "person"
