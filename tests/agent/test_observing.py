"""Long outputs and pictures: what reaches the model, and where the rest is."""

from __future__ import annotations

import base64
import struct
from dataclasses import replace
from typing import Any

import pytest

from jupyter_codeact.agent.pictures import image_part
from jupyter_codeact.errors import SandboxError
from jupyter_codeact.events import Ran

from .test_formats import picture
from .twins import ScriptedCells, StreamModel, agent_of, calls, printing, run, told, valid, words

LONG = "".join(f"line {n} of many\n" for n in range(5000))


def png(width: int, height: int) -> str:
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"rest IEND"
    ).decode()


def plotting(*data: str, mime: str = "image/png") -> Ran:
    return Ran("", tuple({"output_type": "display_data", "data": {mime: item}} for item in data), "ok")


def sent(agent: Any) -> list[Any]:
    """The pictures in the history."""
    parts = [part for message in agent.history if message["message_type"] == "images" for part in message["content"]]
    return [part["image_url"]["url"] for part in parts]


def seeing(*replies: list[Any]) -> Any:
    return agent_of(StreamModel(*replies, words("Done."), sees_images=True))


class Files:
    """What is written in the sandbox, by name."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def keep(self, name: str, text: str, more: bool) -> str:
        self.texts[name] = (self.texts[name] if more else "") + text
        return f"/tmp/{name}"


@pytest.mark.parametrize("times", [1, 60])
async def test_the_rest_of_a_long_output_is_in_a_file(times: int) -> None:
    """All of it, also where it goes there in pieces."""
    text = "".join(f"line {n} of many\n" for n in range(5000 * times))
    files = Files()
    agent = agent_of(StreamModel(calls("a"), words("Done.")))
    await run(agent, ScriptedCells(printing(text), keep=files.keep))
    assert files.texts == {"r1-1.txt": text.rstrip("\n")}
    assert "characters left out; code can read them in /tmp/r1-1.txt …]" in told(agent)[0]
    assert "line 0 of many" in told(agent)[0]
    assert f"line {5000 * times - 1} of many" in told(agent)[0]
    assert len(told(agent)[0]) < 20_000


async def test_what_is_not_in_the_file_either_is_said() -> None:
    agent = agent_of(StreamModel(calls("a"), words("Done.")))
    await run(agent, ScriptedCells(replace(printing(LONG), unkept=1234567), keep=Files().keep))
    assert "in /tmp/r1-1.txt, without 1,234,567 characters that were not kept …]" in told(agent)[0]


async def test_what_is_folded_is_in_a_file() -> None:
    bars = "".join(f"{n:3}%|███       | {n}/100 [00:01<00:02, 7.10it/s]\n" for n in range(101))
    files = Files()
    agent = agent_of(StreamModel(calls("a"), words("Done.")))
    await run(agent, ScriptedCells(printing(bars), keep=files.keep))
    assert "[… 99 states of this progress bar; code can read them in /tmp/r1-1.txt …]" in told(agent)[0]
    assert files.texts == {"r1-1.txt": bars.rstrip("\n")}


async def test_where_no_file_can_be_written_the_notebook_has_it() -> None:
    agent = agent_of(StreamModel(calls("a"), words("Done.")), observation_tokens=100)
    await run(agent, ScriptedCells(printing(LONG), keep=SandboxError("full")))
    assert "they are in the notebook" in told(agent)[0]
    assert len(told(agent)[0]) < 1000


async def test_a_model_that_sees_is_sent_the_picture() -> None:
    agent = seeing(calls("a"))
    await run(agent, ScriptedCells(plotting(png(640, 480))))
    assert sent(agent) == [image_part(f"data:image/png;base64,{png(640, 480)}")["image_url"]["url"]]
    assert "[picture 1: image/png, 640 by 480 pixels; it follows]" in told(agent)[0]
    assert valid(agent.history)


async def test_what_came_before_an_exception_reaches_the_model() -> None:
    said = {"output_type": "stream", "name": "stdout", "text": "loaded\n"}
    raised = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "bad column",
        "traceback": ["ValueError: bad column"],
    }
    agent = seeing(calls("a"))
    await run(agent, ScriptedCells(Ran("", (said, *plotting(png(9, 9)).outputs, raised), "error")))
    text = told(agent)[0]
    assert text.index("loaded") < text.index("[picture 1") < text.index("bad column")
    assert sent(agent) == [f"data:image/png;base64,{png(9, 9)}"]


async def test_pictures_follow_when_every_call_is_answered() -> None:
    agent = seeing(calls("a", "b"))
    await run(agent, ScriptedCells(plotting(png(1, 1)), plotting(png(2, 2))))
    kinds = [message["message_type"] for message in agent.history]
    assert kinds[2:] == ["action", "observation", "observation", "images", "thought"]
    assert len(sent(agent)) == 2


async def test_a_large_picture_is_made_smaller_in_the_sandbox() -> None:
    agent, cells = seeing(calls("a")), ScriptedCells(plotting(png(4000, 3000)), shrink=png(1024, 768))
    await run(agent, cells)
    assert sent(agent) == [f"data:image/png;base64,{png(1024, 768)}"]
    assert ("shrink", {"data": png(4000, 3000), "side": 1024}) in cells.called


@pytest.mark.parametrize("shrunk", ["", SandboxError("gone"), "x" * 2_000_000])
async def test_one_that_can_not_be_made_smaller_is_a_path(shrunk: Any) -> None:
    cells = ScriptedCells(plotting(png(4000, 3000)), shrink=shrunk, keep_picture=lambda name, data: f"/tmp/{name}")
    agent = seeing(calls("a"))
    await run(agent, cells)
    assert sent(agent) == []
    assert "image/png, 4000 by 3000 pixels; you don't see it; code can read it in /tmp/r1-1-1.png" in told(agent)[0]


@pytest.mark.parametrize("keep", [lambda name, data: f"/tmp/{name}", SandboxError("gone")])
async def test_a_model_that_does_not_see_is_told_where_the_picture_is(keep: Any) -> None:
    agent = agent_of(StreamModel(calls("a"), words("Done.")))
    await run(agent, ScriptedCells(plotting(png(640, 480)), keep_picture=keep))
    assert ("/tmp/r1-1-1.png" in told(agent)[0]) is callable(keep)
    assert "you don't see it" in told(agent)[0]


async def test_what_no_service_takes_is_told_and_more_than_four_as_well() -> None:
    cells = ScriptedCells(
        plotting("<svg>", mime="image/svg+xml"),
        plotting(*(png(n, n) for n in range(1, 7))),
        keep_picture=lambda name, data: f"/tmp/{name}",
    )
    agent = seeing(calls("a"), calls("b"))
    await run(agent, cells)
    assert "/tmp/r1-1-1.svg" in told(agent)[0]
    assert len(sent(agent)) == 4
    assert told(agent)[1].count("it follows") == 4
    assert told(agent)[1].count("you don't see it") == 2


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/gif", "image/webp"])
@pytest.mark.parametrize(
    "data", ["", "not base64!", "bm90IGEgcGljdHVyZQ==", "iVBOR", png(0, 9), png(9, 9)[:-3] + "!!!"]
)
async def test_what_is_no_picture_is_not_sent_as_one(mime: str, data: str) -> None:
    """A service would refuse it, and every later request with it. The model is told, whether it sees or not."""
    for sees in (True, False):
        agent = agent_of(StreamModel(calls("a"), words("Done."), sees_images=sees))
        await run(agent, ScriptedCells(plotting(data, mime=mime)))
        assert sent(agent) == []
        assert f"[an output is {mime} by its name, and no such picture by its bytes]" in told(agent)[0]


@pytest.mark.parametrize("mime", ["image/jpeg", "image/bmp", "image/svg+xml"])
async def test_a_picture_of_a_wrong_name_is_sent_with_its_own_type(mime: str) -> None:
    agent = seeing(calls("a"))
    await run(agent, ScriptedCells(plotting(png(9, 9), mime=mime)))
    assert sent(agent) == [f"data:image/png;base64,{png(9, 9)}"]
    assert "[picture 1: image/png, 9 by 9 pixels; it follows]" in told(agent)[0]


async def test_what_the_sandbox_makes_of_a_picture_is_looked_at_too() -> None:
    for made in ("not base64!", png(4000, 3000), png(9, 9)[:40]):
        agent = seeing(calls("a"))
        await run(agent, ScriptedCells(plotting(png(4000, 3000)), shrink=made, keep_picture="/tmp/x"))
        assert sent(agent) == []


async def test_a_photo_that_is_made_smaller_is_sent_as_what_it_is_then() -> None:
    photo, small = picture("JPEG", (3000, 2000)), picture("JPEG", (1024, 683))
    agent = seeing(calls("a"))
    await run(agent, ScriptedCells(plotting(photo, mime="image/jpeg"), shrink=small))
    assert sent(agent) == [f"data:image/jpeg;base64,{small}"]
    assert "[picture 1: image/jpeg, 3000 by 2000 pixels; it follows]" in told(agent)[0]
