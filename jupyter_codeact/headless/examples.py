"""A skill notebook run from top to bottom in a sandbox of its own, so that it leaves with what it really put out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..events import Ran
from ..files import temporary
from ..guard.notes import held_in
from ..notebook.running import finish
from ..notebook.written import output_of
from ..settings import Settings
from ..skills.transfer.notebooks import about_of, cells_of, text_of
from ..words import seconds
from .kernel import SandboxKernel
from .trial import STEP_S, fresh_of, one_line


async def ran(
    notebook: dict[str, Any], settings: Settings, tell: Callable[[str], None], step_s: float = STEP_S
) -> list[str]:
    """Put the outputs of its cells into the notebook, and return what went wrong, a line each.

    The working folder is empty, as another person's may be. A cell that fails has no outputs; where its code itself
    does, none after it is run, and those keep what their doctests promise. Raises SandboxUnavailable.
    """
    wrong: list[str] = []
    cells = cells_of(notebook)
    with temporary("export") as work:
        async with SandboxKernel(partial(fresh_of(settings, work, made=True), ())) as kernel:
            for number, cell in enumerate(cells, start=1):
                tell(f"running cell {number} of {len(cells)}")
                result = await finish(kernel, kernel.run(text_of(cell)), step_s)
                ok = result.status == "ok"
                wrong += [f"cell {number}: {said}" for said in _said(result, step_s)]
                if not ok and "part" in about_of(cell):
                    break
                cell["outputs"] = [dict(output_of(output)) for output in result.outputs] if ok else []
                cell["execution_count"] = number if ok else None
                if result.timed_out or result.status == "died":
                    break
    return wrong


def _said(result: Ran, step_s: float) -> list[str]:
    """Why it failed, or that something of its outputs may not leave."""
    if result.timed_out:
        return [f"it takes longer than {seconds(step_s)}, and was ended"]
    if result.status != "ok":
        errors = [f"{o.get('ename', '')}: {o.get('evalue', '')}" for o in result.outputs if o["output_type"] == "error"]
        return [one_line(*errors[-1:] or ["it did not come to its end"])]
    held = [held_in(output.get("data", {})) for output in result.outputs]
    return [one_line(f"held back: {names}") for names in held if names]
