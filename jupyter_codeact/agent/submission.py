"""What a run hands in: the cells that were accepted, the answer, and the patch of the working folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import CodeActError
from ..events import CodeAction, Edited, Ran
from ..protocols import Environment
from .shapes import StepOutput

# What was stopped and goes on is a cell that ran, too.
RAN = ("ok", "error", "left")
_REPOSITORY = re.compile(r"^diff --git (.*+)\n(?:new file mode|index \w++\.\.\w++) 160000$", re.MULTILINE)
_NAME = re.compile(r' "?b/')


@dataclass(frozen=True)
class Accepted:
    """A cell that ran in the run: its id, and what ran."""

    id: str
    source: str
    ok: bool


@dataclass(frozen=True)
class Submission:
    """``text`` is what a trajectory calls the submission.

    no_patch: why the sandbox could not say the patch, or what it lacks.
    """

    cells: tuple[str, ...] = ()
    answer: str = ""
    patch: str = ""
    no_patch: str = ""

    @property
    def text(self) -> str | None:
        return self.patch or self.answer or "\n\n".join(self.cells) or None


def accepted_in(step: StepOutput) -> Accepted | None:
    """The cell that a step ran, if it ran one."""
    if isinstance(step.call, CodeAction) and isinstance(step.outcome, Ran) and step.outcome.status in RAN:
        return Accepted(step.call.id, step.outcome.source, step.outcome.status == "ok")
    return None


def may_have_changed(step: StepOutput) -> bool:
    """Whether the working folder may be another one after the step."""
    outcome = step.outcome
    return isinstance(outcome, Ran) or (isinstance(outcome, Edited) and outcome.changed)


def collect(accepted: list[Accepted], answer: str) -> Submission:
    """What is known here, without the patch."""
    return Submission(tuple(cell.source for cell in accepted if cell.ok), answer)


async def with_patch(known: Submission, env: Environment, root: str) -> Submission:
    """Add the patch of the folder ``root``, where ``env`` can still say it: a dead one takes nothing away."""
    try:
        match await env.inside("patch", root=root):
            case {"patch": str(patch), "unfiltered": list(filters)}:
                return replace(known, patch=patch, no_patch=lacking(patch, [str(name) for name in filters]))
            case _:
                return known
    except CodeActError as error:
        return replace(known, no_patch=str(error))


def lacking(patch: str, filters: Sequence[str] = ()) -> str:
    """What a patch does not take along, though it was changed: of a repository within it has the commit alone.

    filters: git's, that don't work in the sandbox.
    """
    names = [_NAME.split(found[1])[-1].removesuffix('"') for found in _REPOSITORY.finditer(patch)]
    its = "a repository of its own" if len(names) == 1 else "repositories of their own"
    whose = "whose program the sandbox does not have"
    said = [f"the files of {', '.join(names)[:300]}, {its}"] if names else []
    said += [f"changes of the files that git filters by {name[:100]}, {whose}" for name in filters[:5]]
    return "; ".join(said)
