"""What a model is told of a skill that may fit."""

from __future__ import annotations

from .search import Found

MOST_FUNCTIONS = 4
LONGEST_LINE = 160


def offer_of(skill: Found) -> str:
    """A skill in a few lines: name, what it does, and its functions with their first words."""
    lines = [f"{skill.name}: {skill.summary}" if skill.summary else skill.name]
    lines += [f"  {signature}" + (f": {said}" if said else "") for signature, said in skill.functions[:MOST_FUNCTIONS]]
    if len(skill.functions) > MOST_FUNCTIONS:
        lines.append(f"  … and {len(skill.functions) - MOST_FUNCTIONS} more")
    return "\n".join(_short(line) for line in lines)


def _short(line: str) -> str:
    bare = " ".join(line.split())
    text = bare if len(bare) <= LONGEST_LINE else bare[: LONGEST_LINE - 1] + "…"
    return f"  {text}" if line.startswith(" ") else text
