"""From an action's outputs to what its step says of them: text within the budget, pictures that the model can take.

Nothing of the sandbox's is decoded here: what has to be written to a file or made smaller is sent back to it.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from ..errors import SandboxError
from ..events import Ran
from .folding import fold
from .formats import SENDABLE
from .observation import NOTEBOOK, Picture, pictures, printed, shorten
from .pictures import image_part
from .shapes import StepOutput

if TYPE_CHECKING:
    from .loop import Agent

# What services take without making it smaller themselves, and what one picture may weigh.
SIDE, BASE64_BYTES = 1024, 1_500_000
# Pictures of one action that are sent; of more, the model is told.
MOST = 4
# A long output is written to its file in pieces of so many characters.
PIECE = 1_000_000


async def observe(agent: Agent, step: StepOutput, ran: Ran) -> None:
    """Fill in a step's observation and images."""
    name = f"{_file_name(agent)}-{agent.steps + 1}"
    told: dict[str, str] = {}
    for number, picture in enumerate(pictures(ran), start=1):
        if picture.data not in told:
            told[picture.data] = await _picture(agent, step, picture, f"{name}-{number}")
    text = printed(ran, lambda picture: told[picture.data])
    budget = agent.tools.config.observation_tokens
    step.observation = _told(text, budget, NOTEBOOK)
    if step.observation != text and ran.status != "died":
        with contextlib.suppress(SandboxError):
            where = f"code can read them in {await _written(agent, f'{name}.txt', text)}"
            missing = f", without {ran.unkept:,} characters that were not kept" if ran.unkept else ""
            step.observation = _told(text, budget, where + missing)


def _told(text: str, budget: int, where: str) -> str:
    return shorten(fold(text, where), budget, where)


async def _written(agent: Agent, name: str, text: str) -> str:
    """The path of a file in the sandbox with all of the text."""
    path = ""
    for start in range(0, len(text), PIECE):
        path = str(await agent.environment.inside("keep", name=name, text=text[start : start + PIECE], more=start > 0))
    return path


async def _picture(agent: Agent, step: StepOutput, picture: Picture, name: str) -> str:
    """What is told in the picture's place; where the model sees pictures, it is put beside the text."""
    if picture.found is None and picture.said in SENDABLE:
        return f"[an output is {picture.about}]"
    if agent.model.sees_images and len(step.images) < MOST and picture.found is not None:
        small = await _small(agent, picture)
        if small is not None:
            step.images.append(image_part(f"data:{small.mime};base64,{small.data}"))
            return f"[picture {len(step.images)}: {picture.about}; it follows]"
    with contextlib.suppress(SandboxError):
        ending = picture.mime.removeprefix("image/").partition("+")[0]
        path = await agent.environment.inside("keep_picture", name=f"{name}.{ending}", data=picture.data)
        return f"[a picture is shown to the person: {picture.about}; you don't see it; code can read it in {path}]"
    return f"[a picture is shown to the person: {picture.about}; you don't see it]"


async def _small(agent: Agent, picture: Picture) -> Picture | None:
    """The picture, made smaller in the sandbox where it is too large; None where that can't be done."""
    picture = Picture(picture.said, "".join(picture.data.split()))
    if _is_sendable(picture):
        return picture
    with contextlib.suppress(SandboxError):
        # Its answer is as little trusted as the output was.
        made = Picture("", str(await agent.environment.inside("shrink", data=picture.data, side=SIDE)))
        return made if _is_sendable(made) else None
    return None


def _is_sendable(picture: Picture) -> bool:
    found = picture.found
    return found is not None and found.plain and max(found.size) <= SIDE and len(picture.data) <= BASE64_BYTES


def _file_name(agent: Agent) -> str:
    problem = agent.problem_statement
    return re.sub(r"\W", "_", problem.id if problem else "run")[:60]
