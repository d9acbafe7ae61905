"""Several models, one after the other."""

from __future__ import annotations

import pytest

from jupyter_codeact.errors import ContentPolicy, ContextExceeded, ModelBusy, ModelError
from jupyter_codeact.events import Usage
from jupyter_codeact.models.fallback import FallbackModel

from .test_observing import plotting, png
from .twins import ScriptedCells, StreamModel, agent_of, answered, calls, run, words


async def test_what_the_last_try_of_a_model_used_is_charged() -> None:
    busy = ModelBusy("Broke off.")
    busy.usage = Usage(6, 4, 0, 1.0, 1)
    agent = agent_of(FallbackModel([StreamModel([busy]), StreamModel(words("Done."))]))
    assert answered(await run(agent)) == "Done."
    assert agent.usage == busy.usage


@pytest.mark.parametrize("error", [ContentPolicy("Not this."), ContextExceeded("Too long.")])
async def test_a_model_that_answers_is_not_left(error: ModelError) -> None:
    first = StreamModel([error], words("Now."))
    model = FallbackModel([first, StreamModel(words("Done."))])
    with pytest.raises(type(error)):
        [delta async for delta in model.query([], [{}])]
    assert [delta async for delta in model.query([], [{}])] == words("Now.")


@pytest.mark.parametrize("can", ["takes_tools", "sees_images"])
@pytest.mark.parametrize("which", [(True, False), (False, True), (True, True), (False, False)])
def test_one_conversation_is_for_all_of_them(can: str, which: tuple[bool, bool]) -> None:
    """The next model is sent what the first was, its calls and its pictures."""
    first, second = (StreamModel(**{can: value}) for value in which)
    model = FallbackModel([first, second])
    assert getattr(model, can) is all(which)


async def test_a_picture_is_not_sent_where_only_the_first_sees_it() -> None:
    first = StreamModel(calls("a"), [ModelError("Gone.")], sees_images=True)
    second = StreamModel(words("Done."))
    agent = agent_of(FallbackModel([first, second]))
    assert answered(await run(agent, ScriptedCells(plotting(png(9, 9)), keep_picture="/tmp/p.png"))) == "Done."
    assert "image_url" not in str(first.asked + second.asked)
