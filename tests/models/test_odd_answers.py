"""A server that is no model's, or is broken: another try, or one line with what to do, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from servers import Failure, ModelServer, Raw, Reply
from servers.http11 import head

from jupyter_codeact import events
from jupyter_codeact.errors import ContextExceeded, KeyRefused, ModelBusy, ModelError
from jupyter_codeact.models import retry
from jupyter_codeact.parts import ModelConfig, open_model
from jupyter_codeact.protocols import Model

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
CLAUDE, GPT = "anthropic/claude-sonnet-4-5", "openai/gpt-4o"
PAGE = b"<html><head><title>Log\nin</title><style>a {}</style></head><body><p>Your <b>name</b>?</body></html>"
ERROR = {"type": "error", "error": {"type": "api_error", "message": "It is broken."}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", 0.0)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")


def http(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Raw:
    return Raw(head(status, {"content-type": kind, "content-length": str(len(body)), **headers}) + body)


def stream(*data: Any) -> Raw:
    lines = (line if isinstance(line, str) else json.dumps(line) for line in data)
    return http(200, "".join(f"data: {line}\n\n" for line in lines).encode(), "text/event-stream")


def answer(value: Any) -> Raw:
    return http(200, json.dumps(value).encode())


BUSY = {
    "a page": http(200, PAGE, "text/html"),
    "nothing": http(200),
    "an empty stream": stream(),
    "204": Raw(head(204, {})),
    "choices: null": answer({"id": "x", "choices": None}),
    "choices: []": answer({"id": "x", "choices": []}),
    "content: null": answer({"type": "message", "content": None}),
    "a list": answer([]),
    "choices: null in a stream": stream({"id": "x", "choices": None}),
    "message: null in a stream": stream({"type": "message_start", "message": None}),
    "an error with 200": answer(ERROR),
    "an error in a stream": stream(ERROR),
    "an error for a stream": http(200, json.dumps(ERROR).encode(), "text/event-stream"),
    "a line that is no JSON": stream("<html>"),
    "a line of half an object": stream('{"choices": ['),
    "a number": stream("7"),
    "no UTF-8": http(200, b"\xff\xfe\x00", "text/event-stream"),
    "closed before the first byte": Raw(),
    "closed in the headers": Raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/ev"),
    "no HTTP": Raw(b"SSH-2.0-OpenSSH_9\r\n"),
    "closed in mid-stream": Raw(head(200, {"content-type": "text/event-stream", "content-length": "999"}) + b"data: {"),
    "a page with 503": http(503, PAGE, "text/html"),
    **{f"{status}": Failure(status, "no", {}) for status in (429, 500, 529)},
    **{f"{status} with Retry-After": Failure(status, "no", {"retry-after": "7"}) for status in (429, 500, 529)},
    "429 with a date": Failure(429, "no", {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}),
}


def opened(server: ModelServer, name: str) -> Model:
    base = server.anthropic_base if name == CLAUDE else server.openai_base
    return open_model(ModelConfig(name=name, api_base=base))


async def asked(model: Model) -> list[events.Delta]:
    async with asyncio.timeout(60):
        return [delta async for delta in model.query([{"role": "user", "content": "Go."}], [])]


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize("odd", BUSY)
async def test_what_may_be_well_the_next_time_is_asked_again(model_server: ModelServer, name: str, odd: str) -> None:
    model_server.add(BUSY[odd], Reply("ok"))
    retrying, *_, reply = await asked(opened(model_server, name))
    assert isinstance(retrying, events.Retrying)
    assert isinstance(reply, events.Reply)
    assert reply.text == "ok"
    model_server.add(*[BUSY[odd]] * 6)
    with pytest.raises(ModelBusy) as caught:
        await asked(opened(model_server, name))
    assert (model_server.remaining, "\n" in str(caught.value)) == (1, False)
    assert str(caught.value).endswith("It was asked 5 times: try again later.")
    assert name in str(caught.value)
    assert (caught.value.retry_after_s == 7) is odd.endswith("with Retry-After")


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("a page", "broke off. Nothing came of it: is {base} the address of its service? It was"),
        ("nothing", "broke off. Nothing came of it: is {base} the address of its service? It was"),
        ("closed before the first byte", "The service of {name} closed the connection. It was"),
        ("529", "The service of {name} is busy (529). It was"),
    ],
)
async def test_the_last_try_says_what_was_wrong(model_server: ModelServer, name: str, odd: str, said: str) -> None:
    model_server.add(*[BUSY[odd]] * 5)
    with pytest.raises(ModelBusy) as caught:
        await asked(opened(model_server, name))
    base = model_server.anthropic_base if name == CLAUDE else model_server.openai_base
    assert said.format(base=base, name=name) in str(caught.value)


async def test_a_stream_without_choices_is_an_empty_reply(model_server: ModelServer) -> None:
    """For which the agent asks again."""
    model_server.add(stream({"id": "x", "object": "chat.completion.chunk", "choices": []}, "[DONE]"))
    (reply,) = await asked(opened(model_server, GPT))
    assert isinstance(reply, events.Reply)
    assert (reply.text, reply.calls) == ("", ())


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize(
    ("odd", "error", "said"),
    [
        (Failure(401, "no", {}), KeyRefused, "The service refused the key for {name}: no"),
        (Failure(403, "no", {}), KeyRefused, "The service refused the key for {name}: no"),
        (http(403), KeyRefused, "The service refused the key for {name}: it did not say why"),
        (http(403, PAGE, "text/html"), KeyRefused, "The service refused the key for {name}: Log in Your name ?"),
        (Failure(404, "no", {}), ModelError, "(404): look at the model's name and its service's address: no"),
        (http(404, PAGE, "text/html"), ModelError, "and its service's address: Log in Your name ?"),
        (http(302, location="/elsewhere"), ModelError, "address: the scripted server has no GET /elsewhere"),
        (http(302), ModelError, "The service of {name} is elsewhere (302): set its address."),
        (
            Failure(413, "no", {}),
            ContextExceeded,
            "is longer than the service of {name} takes: sum it up or begin another one, in a notebook with `%agent",
        ),
        (http(413, PAGE, "text/html"), ContextExceeded, "The conversation is longer than the service of {name} takes:"),
        (http(422), ModelError, "The service refused the request to {name} (422): it did not say why"),
    ],
)
async def test_what_asking_again_does_not_mend_is_one_line(
    model_server: ModelServer, name: str, odd: Any, error: type[Exception], said: str
) -> None:
    model_server.add(odd)
    with pytest.raises(ModelError) as caught:
        await asked(opened(model_server, name))
    assert type(caught.value) is error
    assert said.format(name=name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert model_server.remaining == 0
