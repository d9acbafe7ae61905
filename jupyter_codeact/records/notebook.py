"""A trajectory as a notebook."""

from __future__ import annotations

from ..agent.tools import RUN, SUBMIT
from ..notebook.written import WrittenNotebook, stream
from .steps import SHELL, Record, RecordedStep


def notebook_of(record: Record) -> WrittenNotebook:
    """Cells as they ran, with what the model was told of their outputs; shell commands as ``%%bash`` cells."""
    made = WrittenNotebook(record.path.stem)
    made.text(record.problem)
    for step in record.steps:
        if step.counts or not step.failed:
            _add(made, step)
    made.text(str(record.info.get("answer") or ""))
    return made


def _add(made: WrittenNotebook, step: RecordedStep) -> None:
    if step.action:
        made.text(step.thought)
    outputs = (stream(step.observation + "\n"),) if step.observation else ()
    match step.tool:
        case tool if tool == RUN:
            made.code(step.action, outputs, step=step.number, status="rejected" if step.rejected else "accepted")
        case tool if tool == SHELL:
            made.code(f"%%bash\n{step.action}", outputs, step=step.number, status="accepted")
        case tool if tool and tool != SUBMIT:
            made.block(tool, step.observation or step.action)
