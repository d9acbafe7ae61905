"""Several models, one after the other."""

from __future__ import annotations

import pytest

from jupyter_codeact.errors import ContentPolicy, ContextExceeded, ModelBusy, ModelError
from jupyter_codeact.events import Usage
from jupyter_codeact.models.fallback import FallbackModel

from .twins import StreamModel, agent_of, answered, run, words


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
