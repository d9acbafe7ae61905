"""A trajectory in the model's place: its actions again, in order, ours or SWE-agent's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..attempts import attempt_in
from ..errors import ConfigError
from ..files import read_in
from ..words import reason
from .scripted import ScriptedModel

# Commands that SWE-agent puts into its containers; elsewhere there are none of these names.
SWE_AGENT = (
    *("open", "create", "edit", "insert", "undo_edit", "goto", "scroll_up", "scroll_down", "filemap", "view_image"),
    *("find_file", "search_dir", "search_file", "str_replace_editor", "submit", "exit_forfeit"),
    *("open_site", "close_site", "screenshot_site"),
)


def replay_model(name: str, folder: Path) -> ScriptedModel:
    """The model ``replay/<path of a .traj>``. Raises ConfigError where it can't be read."""
    path = folder / name
    try:
        document, _ = attempt_in(json.loads(read_in(folder, path)))
        replies = [_reply(step) for step in document["trajectory"] if _ran(step)]
        submission = (document.get("info") or {}).get("submission")
        answer = (document.get("info") or {}).get("answer")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no trajectory that can be replayed: {reason(error)}.") from None
    return ScriptedModel(f"replay/{name}", [*replies, {"text": str(answer or submission or "Replayed.")}])


def foreign_command(action: str) -> str:
    """The command of SWE-agent's own that an action of its begins with, which can't run here; "" for any other."""
    word = action.split(maxsplit=1)[0] if action.strip() else ""
    return word if word in SWE_AGENT else ""


def _ran(step: dict[str, Any]) -> bool:
    """Tries that failed made no cell, what was rejected did not run, and answers are no action."""
    extra = step.get("extra_info") or {}
    action = str(step["action"] or "").strip()
    if "tool" not in extra and foreign_command(action):
        return False
    return bool(action) and not extra.get("failed") and not extra.get("rejected")


def _reply(step: dict[str, Any]) -> dict[str, Any]:
    """What ran is done again, with the person's edits."""
    kind = (step.get("extra_info") or {}).get("tool")
    said = {"text": str(step.get("thought") or "")}
    if kind is None:
        # SWE-agent's actions are shell commands.
        return said | {"code": f"%%bash\n{step['action']}"}
    if kind == "run_cell":
        return said | {"code": step["action"]}
    return said | {"calls": [{"name": kind, "arguments": step["action"]}]}
