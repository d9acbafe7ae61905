"""A trajectory as a demonstration: a YAML file to be read, cut and edited by a person."""

from __future__ import annotations

from typing import Any

from ..agent.demonstrations import text_of
from .steps import Record

HEAD = """\
# A demonstration, made of {name}. Change it as you like: shorter is better.
# A configuration names it: `templates: {{demonstrations: [this file]}}`.
"""


def demonstration_of(record: Record) -> str:
    """Its messages in words, without system messages, demonstrations and what is about the notebook's state."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Long texts as blocks."""

    Dumper.add_representer(str, _text)
    items = [item for item in record.history if item["role"] != "system" and not item.get("is_demo")]
    first = next((item for item in items if item["role"] == "user"), None)
    messages = [{"role": item["role"], "content": _said(item, record, first)} for item in items]
    body = yaml.dump({"history": messages}, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return HEAD.format(name=repr(record.path.name)[1:-1]) + body


def _said(item: dict[str, Any], record: Record, first: dict[str, Any] | None) -> str:
    """The problem alone stands for the first prompt, where it is known."""
    text = record.problem if item is first and record.problem else text_of(item)
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
