"""The scripted model server, seen by litellm over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from helpers import PATIENCE_S

from . import Failure, ModelServer, Reply, ToolCall

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
litellm: Any = pytest.importorskip("litellm")

TOOL = {
    "type": "function",
    "function": {
        "name": "run",
        "description": "Run code.",
        "parameters": {"type": "object", "properties": {"code": {"type": "string"}}},
    },
}
CODE = ToolCall("run", {"code": "print('hello')\nx = 1\n"})
pytestmark = [
    # Pydantic about litellm's own models.
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Item '.*' on TypedDict:UserWarning"),
]
both_styles = pytest.mark.parametrize("style", ["openai", "anthropic"])


def arguments(server: ModelServer, style: str) -> dict[str, Any]:
    """What litellm needs to reach the server in one of the two styles."""
    chosen = {
        "openai": {"model": "openai/test-model", "api_base": server.openai_base},
        "anthropic": {"model": "anthropic/claude-sonnet-4-5", "api_base": server.anthropic_base},
    }[style]
    messages = [{"role": "user", "content": "hi"}]
    # Without the flag a call with tools imports litellm's gateway, which needs the package `mcp`.
    return {**chosen, "api_key": "k", "messages": messages, "max_retries": 0, "_skip_mcp_handler": True}


async def stream(server: ModelServer, style: str, **more: Any) -> list[Any]:
    options = arguments(server, style) | {"stream": True, "stream_options": {"include_usage": True}} | more
    return [chunk async for chunk in await litellm.acompletion(**options)]


def ask(server: ModelServer, style: str, **more: Any) -> Any:
    """Stream one answer and put it together as litellm does."""
    return litellm.stream_chunk_builder(asyncio.run(stream(server, style, **more)))


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        parsed: dict[str, Any] = json.load(response)
    return parsed


@both_styles
def test_text_arrives_in_pieces_with_usage(style: str) -> None:
    with ModelServer([Reply("one two three four five", usage=(100, 7), cached=60)]) as server:
        chunks = asyncio.run(stream(server, style))
    pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert pieces == ["one two ", "three fo", "ur five"]
    usage = litellm.stream_chunk_builder(chunks).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (100, 7)
    assert usage.prompt_tokens_details.cached_tokens == 60


@both_styles
def test_tool_calls_are_put_together(style: str) -> None:
    second = ToolCall("run", {"code": "2"})
    with ModelServer([Reply("I run it.", tool_calls=[CODE, second], chunk_size=3)]) as server:
        choice = ask(server, style, tools=[TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I run it."
    calls = [(c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls]
    assert calls == [("run", CODE.arguments), ("run", {"code": "2"})]


@both_styles
def test_broken_arguments_go_out_as_they_stand(style: str) -> None:
    with ModelServer([Reply(tool_calls=[ToolCall("run", '{"code": "1')])]) as server:
        message = ask(server, style, tools=[TOOL]).choices[0].message
    assert message.tool_calls[0].function.arguments == '{"code": "1'


@both_styles
def test_thinking_comes_apart_from_the_text(style: str) -> None:
    with ModelServer([Reply("done", thinking="let me think about it")]) as server:
        message = ask(server, style).choices[0].message
    assert message.content == "done"
    assert message.reasoning_content == "let me think about it"


@both_styles
def test_without_streaming(style: str) -> None:
    with ModelServer([Reply("hello", tool_calls=[CODE], usage=(20, 4))]) as server:
        answer = litellm.completion(**arguments(server, style), tools=[TOOL])
    message = answer.choices[0].message
    assert message.content == "hello"
    assert json.loads(message.tool_calls[0].function.arguments) == CODE.arguments
    assert answer.usage.total_tokens == 24


@both_styles
def test_a_failure_is_raised_and_the_next_step_answers(style: str) -> None:
    with ModelServer([Failure(429), Reply("again")]) as server:
        with pytest.raises(litellm.RateLimitError, match="the scripted server says no"):
            ask(server, style)
        assert ask(server, style).choices[0].message.content == "again"
        assert len(server.requests) == 2


@both_styles
def test_a_cut_in_mid_stream_raises(style: str) -> None:
    with ModelServer([Reply("one two three four five", cut_after=2)]) as server:
        with pytest.raises(litellm.ServiceUnavailableError):
            ask(server, style)
        assert len(server.requests) == 1
        assert not server.disconnected.is_set()


@both_styles
@pytest.mark.parametrize("moment", ["before the headers", "in mid-stream"])
def test_a_client_that_goes_away_is_noticed(style: str, moment: str) -> None:
    never = threading.Event()
    held = {
        "before the headers": Reply("x", hold=never),
        "in mid-stream": Reply("x" * 50, hold_after=(2, never)),
    }
    with ModelServer([held[moment]]) as server:
        asyncio.run(_ask_and_cancel(server, style))
        assert server.disconnected.wait(PATIENCE_S)


async def _ask_and_cancel(server: ModelServer, style: str) -> None:
    task = asyncio.create_task(stream(server, style))
    await asyncio.to_thread(server.wait_for_request, 1)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_hold_lets_go() -> None:
    gate = threading.Event()
    with ModelServer([Reply("after the gate", hold=gate)]) as server:
        answers: list[dict[str, Any]] = []
        url = f"{server.url}/v1/chat/completions"
        asking = threading.Thread(target=lambda: answers.append(post(url, {"model": "m"})))
        asking.start()
        server.wait_for_request(1)
        assert answers == []
        gate.set()
        asking.join(10)
    assert answers[0]["choices"][0]["message"]["content"] == "after the gate"


def test_a_step_may_be_a_function_of_the_request() -> None:
    with ModelServer([lambda request: Reply(request["messages"][-1]["content"].upper())]) as server:
        body = {"model": "m", "messages": [{"role": "user", "content": "echo"}]}
        answer = post(f"{server.url}/v1/messages", body)
    assert answer["content"] == [{"type": "text", "text": "ECHO"}]


def test_requests_are_recorded() -> None:
    with ModelServer([Reply("a")]) as server:
        post(f"{server.url}/v1/messages", {"model": "m", "max_tokens": 3})
        request = server.wait_for_request(1)
    assert (request.path, request.json["max_tokens"]) == ("/v1/messages", 3)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1/messages", 500, "script exhausted: request 1 has no step"),
        ("/v1/other", 404, "no POST /v1/other"),
    ],
)
def test_what_is_not_scripted_says_so(path: str, status: int, text: str) -> None:
    with ModelServer() as server, pytest.raises(urllib.error.HTTPError) as caught:
        post(server.url + path, {"model": "m"})
    with caught.value as error:
        assert error.code == status
        assert text in error.read().decode()


def test_waiting_for_a_request_that_never_comes() -> None:
    with ModelServer() as server, pytest.raises(TimeoutError, match="0 requests"):
        server.wait_for_request(1, timeout=0.01)


def test_leaving_ends_held_replies() -> None:
    with ModelServer([Reply("x", hold=threading.Event())]) as server:
        asking = threading.Thread(target=_post_in_vain, args=[f"{server.url}/v1/messages"])
        asking.start()
        server.wait_for_request(1)
    asking.join(10)
    assert not asking.is_alive()


def _post_in_vain(url: str) -> None:
    with pytest.raises(OSError, match="closed connection"):
        post(url, {"model": "m"})


def test_when_a_request_had_come_and_its_answer_had_gone() -> None:
    gate = threading.Event()
    with ModelServer([Reply("a"), Reply("b", hold=gate)]) as server:
        url = f"{server.url}/v1/messages"
        post(url, {"model": "m"})
        asking = threading.Thread(target=post, args=[url, {"model": "m"}])
        asking.start()
        server.wait_for_request(2)
        (first,) = server.wait_for_answers()
        gate.set()
        asking.join(10)
        came, answered = [request.came_s for request in server.requests], server.wait_for_answers(2)
    assert answered[0] == first
    assert came[0] <= answered[0] <= came[1] <= answered[1]
