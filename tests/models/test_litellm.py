"""litellm's models over real HTTP, in the words of both providers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from helpers import PATIENCE_S
from servers import UNSAID, Failure, ModelServer, Reply, ToolCall

from jupyter_codeact import events
from jupyter_codeact.agent import AgentConfig, TextProblem, ToolConfig, ToolHandler
from jupyter_codeact.agent.config import arguments_of
from jupyter_codeact.agent.loop import Agent
from jupyter_codeact.errors import ConfigError, ContentPolicy, ContextExceeded, KeyRefused, ModelBusy, ModelError
from jupyter_codeact.models import retry
from jupyter_codeact.models.litellm_model import LiteLLMModel
from jupyter_codeact.parts import ModelConfig, open_model
from jupyter_codeact.protocols import Model

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
CLAUDE, GPT, OTHER = "anthropic/claude-sonnet-4-5", "openai/gpt-4o", "openai/local-model"
DEEPSEEK = "deepseek/deepseek-reasoner"
POLICY = "content_policy_violation: rejected as a result of our safety system"
ACT = Reply("I look.", tool_calls=[ToolCall("run_cell", {"code": "1"})], usage=(1000, 100), cached=400)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.0)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")


def opened(server: ModelServer, name: str, **options: Any) -> Model:
    base = server.anthropic_base if name == CLAUDE else server.openai_base
    return open_model(ModelConfig(name=name, api_base=base, **options))


async def asked(model: Model, messages: list[dict[str, Any]] | None = None) -> list[events.Delta]:
    return [delta async for delta in model.query(messages or [{"role": "user", "content": "Go."}], [])]


@pytest.mark.parametrize(
    ("name", "tools", "sees", "context"),
    [(CLAUDE, True, True, 200_000), (GPT, True, True, 128_000), (OTHER, False, False, None)],
)
def test_what_a_model_can_comes_from_litellms_data(
    model_server: ModelServer, name: str, tools: bool, sees: bool, context: int | None
) -> None:
    model = opened(model_server, name)
    assert (model.takes_tools, model.sees_images, model.context_tokens) == (tools, sees, context)
    assert opened(model_server, name, tool_calls="always").takes_tools
    assert not opened(model_server, name, tool_calls="never").takes_tools


async def test_a_name_sends_the_conversation_to_no_address_of_its_own(model_server: ModelServer) -> None:
    """It may stand in a cell of a notebook from elsewhere. litellm itself would send it there."""
    model_server.add(ACT)
    name = f"oobabooga/{model_server.url}"
    for names in ({"name": name}, {"name": GPT, "api_key": "x", "fallbacks": (name,)}):
        with pytest.raises(ConfigError, match=r"has an address in it.*JUPYTER_CODEACT_API_BASE"):
            open_model(ModelConfig(**names))
    assert not model_server.requests
    with contextlib.suppress(ModelError):
        await asked(LiteLLMModel(ModelConfig(name=name)), [{"role": "user", "content": "My figures."}])
    assert "My figures." in str(model_server.requests[0].json)


@pytest.mark.parametrize("name", [CLAUDE, GPT, OTHER])
async def test_tokens_cached_ones_and_cost(model_server: ModelServer, name: str) -> None:
    model_server.add(ACT)
    *_, reply = await asked(opened(model_server, name))
    assert isinstance(reply, events.Reply)
    assert (reply.text, [call.arguments for call in reply.calls]) == ("I look.", ['{"code": "1"}'])
    used = reply.usage
    assert (used.sent, used.received, used.cached, used.calls) == (1000, 100, 400, 1)
    assert (used.cost is None) is (name == OTHER)


@pytest.mark.parametrize("name", [CLAUDE, GPT])
async def test_a_stream_that_is_left_early_is_closed(
    model_server: ModelServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not when nobody holds it any more."""
    import litellm

    never, kept, complete = threading.Event(), [], litellm.acompletion

    async def kept_completion(**arguments: Any) -> Any:
        kept.append(await complete(**arguments))
        return kept[-1]

    monkeypatch.setattr(litellm, "acompletion", kept_completion)
    model_server.add(Reply("The service goes on and on.", hold_after=(2, never)))
    async with aclosing(opened(model_server, name).query([{"role": "user", "content": "Go."}], [])) as deltas:
        await anext(deltas)
    assert await asyncio.to_thread(model_server.disconnected.wait, PATIENCE_S)


async def test_every_argument_of_litellms_goes_to_the_service(model_server: ModelServer) -> None:
    model_server.add(Reply("ok"))
    await asked(opened(model_server, GPT, temperature=0.5, max_tokens=77, options={"top_p": 0.9, "seed": 7}))
    sent = model_server.requests[0].json
    assert {key: sent[key] for key in ("temperature", "max_tokens", "top_p", "seed")} == {
        "temperature": 0.5,
        "max_tokens": 77,
        "top_p": 0.9,
        "seed": 7,
    }


async def test_thinking_goes_back_signed_to_the_model_that_thought(model_server: ModelServer) -> None:
    model_server.add(
        Reply("I look.", thinking="Hm, hm.", tool_calls=[ToolCall("run_cell", {"code": "1"})]), Reply("ok")
    )
    agent = agent_of(opened(model_server, CLAUDE, reasoning_effort="low"))
    await agent.run(Quiet(), TextProblem("Go."), None)
    first, second = (request.json for request in model_server.requests)
    assert first["thinking"]["type"] == "enabled"
    block = second["messages"][1]["content"][0]
    assert (block["type"], block["thinking"], bool(block["signature"])) == ("thinking", "Hm, hm.", True)


@pytest.mark.parametrize(
    ("name", "back"), [(DEEPSEEK, True), (OTHER, True), ("groq/qwen/qwen3-32b", False), ("cerebras/zai-glm-4.6", False)]
)
async def test_thinking_that_nobody_signed_goes_back_as_it_came(
    model_server: ModelServer, name: str, back: bool
) -> None:
    """Byte for byte. DeepSeek refuses a conversation without it; others refuse one with it."""
    thought = "\n Hm,\u00a0hm. \U0001f914\n\n"
    code = "```python\n1\n```" if name == OTHER else ""
    calls = [] if code else [ToolCall("run_cell", {"code": "1"})]
    model_server.add(Reply(code, thinking=thought, tool_calls=calls), Reply("ok"))
    effort = {"reasoning_effort": "low"} if name == DEEPSEEK else {}
    tools = "never" if code else "always"
    await agent_of(opened(model_server, name, tool_calls=tools, **effort)).run(Quiet(), TextProblem("Go."), None)
    (said,) = [m for m in model_server.requests[1].json["messages"] if m["role"] == "assistant"]
    assert said.get("reasoning_content") == (thought if back else None)


async def test_thinking_does_not_go_to_another_model(model_server: ModelServer) -> None:
    block = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    messages = [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": "ok", "thinking_blocks": [block], "model": CLAUDE},
        {"role": "user", "content": "On."},
        {"role": "assistant", "content": "ok", "reasoning_content": "Hm.", "model": DEEPSEEK},
        {"role": "user", "content": "On."},
    ]
    model_server.add(Reply("ok"))
    await asked(opened(model_server, GPT), messages)
    sent = json.dumps(model_server.requests[0].json)
    assert ("thinking" in sent, "reasoning" in sent) == (False, False)


@pytest.mark.parametrize("name", [CLAUDE, GPT])
async def test_marks_for_the_cache_go_where_they_are_wanted(model_server: ModelServer, name: str) -> None:
    model_server.add(ACT, Reply("ok"))
    await agent_of(opened(model_server, name)).run(Quiet(), TextProblem("Go."), None)
    sent = json.dumps(model_server.requests[1].json)
    assert sent.count("cache_control") == (3 if name == CLAUDE else 0)
    assert "message_type" not in sent


@pytest.mark.parametrize("name", [CLAUDE, GPT])
async def test_the_beginning_of_the_prompt_is_the_same_from_step_to_step(model_server: ModelServer, name: str) -> None:
    model_server.add(ACT, ACT, ACT, Reply("ok"))
    await agent_of(opened(model_server, name)).run(Quiet(), TextProblem("Go."), None)
    bodies = [unmarked(request.json["messages"]) for request in model_server.requests]
    for shorter, longer in pairwise(bodies):
        assert json.dumps(longer).startswith(json.dumps(shorter).removesuffix("]"))


def unmarked(value: Any) -> Any:
    """The same without marks for the cache, which are no part of what is cached."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


# ---- what goes wrong


def anthropics(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


@pytest.mark.parametrize("name", [CLAUDE, GPT])
async def test_a_reply_that_breaks_off_is_charged_and_asked_again(model_server: ModelServer, name: str) -> None:
    model_server.add(Reply("one two three four five six seven", cut_after=3), Reply("ok"))
    deltas = await asked(opened(model_server, name))
    (void,) = [delta for delta in deltas if isinstance(delta, events.Retrying)]
    assert void.usage.sent > 0
    assert void.usage.received > 0
    assert void.usage.cost
    assert deltas[-1] == events.Reply("ok", usage=deltas[-1].usage)  # type: ignore[union-attr]


async def test_a_service_that_is_overloaded_in_the_middle_of_a_reply_is_asked_again(model_server: ModelServer) -> None:
    model_server.add(Reply("one two three", error="overloaded_error"), Reply("ok"))
    deltas = await asked(opened(model_server, CLAUDE))
    (void,) = [delta for delta in deltas if isinstance(delta, events.Retrying)]
    assert void.usage.received > 0
    assert deltas[-1].text == "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize("said", ["one two three", ""])
async def test_a_stream_that_closes_before_its_end_is_asked_again(
    model_server: ModelServer, name: str, said: str
) -> None:
    model_server.add(Reply(said, ending=None), Reply("ok"))
    deltas = await asked(opened(model_server, name))
    (void,) = [delta for delta in deltas if isinstance(delta, events.Retrying)]
    assert void.why.startswith(f"The answer of {name} broke off.")
    assert bool(void.usage.received) is bool(said)
    assert deltas[-1].text == "ok"  # type: ignore[union-attr]


async def test_an_end_without_a_reason_is_an_end(model_server: ModelServer) -> None:
    model_server.add(Reply("ok", ending=UNSAID))
    assert (await asked(opened(model_server, GPT)))[-1].text == "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        (CLAUDE, Reply(ending="refusal")),
        (GPT, Reply(ending="content_filter")),
        (OTHER, Reply(ending="content_filter")),
        (GPT, Reply(refusal="I will not.")),
    ],
)
@pytest.mark.parametrize("said", ["I would", ""])
async def test_an_answer_that_is_refused_is_asked_for_again(
    model_server: ModelServer, name: str, refused: Reply, said: str
) -> None:
    """Counted, charged and taken down, and no part of what is asked next."""
    model_server.add(replace(refused, text=said, usage=(20, 2)), Reply("Done.", usage=(20, 2)))
    agent = agent_of(opened(model_server, name))
    result = await agent.run(Quiet(), TextProblem("Go."), None)
    assert [step["extra_info"].get("failed") for step in result.trajectory] == ["ContentPolicy", None]
    assert (result.info["answer"], agent.usage.sent, agent.usage.calls) == ("Done.", 40, 2)
    first, second = (request.json["messages"] for request in model_server.requests)
    assert first == second


CUT = [(CLAUDE, "max_tokens"), (CLAUDE, "model_context_window_exceeded"), (GPT, "length"), (OTHER, "error")]


@pytest.mark.parametrize(("name", "ending"), CUT)
@pytest.mark.parametrize("calls", [(), [ToolCall("run_cell", {"code": "rm"})]])
async def test_a_reply_that_is_cut_at_its_greatest_length_is_no_answer(
    model_server: ModelServer, name: str, ending: str, calls: list[ToolCall]
) -> None:
    model_server.add(Reply("So I", tool_calls=calls, ending=ending), Reply("Done."))
    result = await agent_of(opened(model_server, name)).run(Quiet(), TextProblem("Go."), None)
    assert [step["extra_info"].get("failed") for step in result.trajectory] == ["Unreadable", None]
    assert result.info["answer"] == "Done."
    assert "cut off" in json.dumps(model_server.requests[1].json["messages"][-1])


async def test_a_block_that_was_whole_before_the_cut_runs(model_server: ModelServer) -> None:
    model_server.add(Reply("I look.\n```python\n1\n```\nAnd then", ending="length"), Reply("Done."))
    result = await agent_of(opened(model_server, OTHER)).run(Quiet(), TextProblem("Go."), None)
    assert [step["action"] for step in result.trajectory] == ["1", ""]


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize("answered", [True, False])
async def test_a_reply_that_the_person_stops_is_charged(model_server: ModelServer, name: str, answered: bool) -> None:
    never, shown = threading.Event(), asyncio.Event()
    held = {"hold_after": (3, never)} if answered else {"hold": never}
    model_server.add(Reply("The service goes on and on.", **held))  # type: ignore[arg-type]
    agent = agent_of(opened(model_server, name))
    agent.listeners.append(lambda event: isinstance(event, events.TextChunk) and shown.set())
    run = asyncio.create_task(agent.run(Quiet(), TextProblem("Go."), None))
    await asyncio.to_thread(model_server.wait_for_request)
    if answered:
        await shown.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (agent.usage.calls, agent.usage.sent > 500, agent.usage.received > 0) == (1, True, answered)
    assert agent.info["model_stats"]["tokens_sent"] == agent.usage.sent


async def test_a_summary_that_the_person_stops_is_charged(model_server: ModelServer) -> None:
    model_server.add(ACT, ACT, Reply("ok"), Reply("So far", hold=threading.Event()))
    agent = agent_of(opened(model_server, GPT))
    await agent.run(Quiet(), TextProblem("Go."), None)
    before = agent.usage
    summing = asyncio.create_task(agent.compact(keep=0))
    await asyncio.to_thread(model_server.wait_for_request, 4)
    summing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await summing
    assert (agent.usage.calls - before.calls, agent.usage.sent - before.sent > 500) == (1, True)


async def test_a_service_that_never_answered_is_not_charged(model_server: ModelServer) -> None:
    model_server.add(Failure(429), Failure(503), Reply("ok"))
    deltas = await asked(opened(model_server, GPT))
    assert [delta.usage for delta in deltas if isinstance(delta, events.Retrying)] == [events.Usage()] * 2


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        *[(GPT, Failure(status)) for status in (408, 409, 429, 500, 503)],
        (CLAUDE, Failure(429, anthropics("rate_limit_error", "This request would exceed your rate limit."))),
        (CLAUDE, Failure(500, anthropics("api_error", "Internal server error"))),
        (CLAUDE, Failure(529, anthropics("overloaded_error", "Overloaded"))),
    ],
)
async def test_a_busy_service_is_asked_five_times(model_server: ModelServer, name: str, failure: Failure) -> None:
    model_server.add(*[failure] * 6)
    with pytest.raises(ModelBusy) as caught:
        await asked(opened(model_server, name))
    assert "is busy (" in str(caught.value)
    assert caught.value.retry_after_s == 0
    assert len(model_server.requests) == 5


@pytest.mark.parametrize(
    ("name", "failure", "error"),
    [
        (GPT, Failure(401, "bad key"), KeyRefused),
        (GPT, Failure(403, "Your project has no access to this model."), KeyRefused),
        (CLAUDE, Failure(403, anthropics("permission_error", "Your API key can't use it.")), KeyRefused),
        (GPT, Failure(403, "Your input was flagged by moderation."), ContentPolicy),
        (GPT, Failure(404, "no such model"), ModelError),
        (GPT, Failure(400, "bad request"), ModelError),
        (CLAUDE, Failure(401, anthropics("authentication_error", "invalid x-api-key")), KeyRefused),
        (CLAUDE, Failure(404, anthropics("not_found_error", "model: claude-0")), ModelError),
        (
            CLAUDE,
            Failure(400, anthropics("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
            ContextExceeded,
        ),
        (
            CLAUDE,
            Failure(400, anthropics("invalid_request_error", "Output blocked by content filtering policy")),
            ContentPolicy,
        ),
        (
            GPT,
            Failure(400, {"error": {"message": "This model's maximum context length is 128000 tokens."}}),
            ContextExceeded,
        ),
        (GPT, Failure(400, {"error": {"type": "invalid_request_error", "message": POLICY}}), ContentPolicy),
    ],
)
async def test_what_asking_again_does_not_mend(
    model_server: ModelServer, name: str, failure: Failure, error: type[Exception]
) -> None:
    model_server.add(failure)
    with pytest.raises(error) as caught:
        await asked(opened(model_server, name))
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert len(model_server.requests) == 1


@pytest.mark.parametrize("name", [CLAUDE, GPT])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_is_said_in_the_services_own_words(model_server: ModelServer, name: str, status: int) -> None:
    """And not as the bytes that it came in."""
    words = "It's no key of \u201eours\u201d: see\nthe console."
    body = anthropics("some_error", words) if name == CLAUDE else {"error": {"message": words, "code": "some_error"}}
    model_server.add(Failure(status, body))
    with pytest.raises(ModelError) as caught:
        await asked(opened(model_server, name))
    said = str(caught.value)
    assert said.startswith("The service refused the ")
    assert said.endswith(": It's no key of \u201eours\u201d: see the console.")
    assert "{" not in said


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_the_next_model_is_asked_when_one_is_unavailable_for_good(model_server: ModelServer, status: int) -> None:
    model_server.add(Failure(status, "no such model"), Reply("from the other"), Reply("again"))
    model = opened(model_server, OTHER, fallbacks=(GPT,))
    assert not model.takes_tools
    deltas = await asked(model)
    assert any(isinstance(d, events.Retrying) and "Asking openai/gpt-4o instead" in d.why for d in deltas)
    assert deltas[-1].text == "from the other"  # type: ignore[union-attr]
    await asked(model)
    assert [request.json["model"] for request in model_server.requests] == ["local-model", "gpt-4o", "gpt-4o"]
    # The conversation was begun in blocks.
    assert not model.takes_tools


O3, HAIKU = "openai/o3-mini", "anthropic/claude-3-5-haiku-20241022"


@pytest.mark.parametrize(
    ("names", "options", "left_out", "sent"),
    [
        ((O3, GPT), {"reasoning_effort": "high", "max_tokens": 9}, "reasoning_effort", {"max_tokens": 9}),
        ((GPT, O3), {"temperature": 0.2}, "temperature", {}),
        ((O3, GPT), {"options": {"reasoning_effort": "high", "seed": 1}}, "reasoning_effort", {"seed": 1}),
        ((O3, HAIKU), {"reasoning_effort": "low"}, "reasoning_effort", {}),
        ((GPT, OTHER), {"temperature": 0.2}, "", {"temperature": 0.2}),
    ],
)
async def test_what_a_fallback_does_not_take_is_left_out_for_it_and_said(
    model_server: ModelServer, names: tuple[str, str], options: dict[str, Any], left_out: str, sent: dict[str, Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_BASE", model_server.anthropic_base)
        model_server.add(Failure(404, "gone"), Reply("Done."))
        deltas = await asked(opened(model_server, names[0], fallbacks=names[1:], **options))
    (why,) = [delta.why for delta in deltas if isinstance(delta, events.Retrying)]
    assert why.endswith(f"Asking {names[1]} instead" + (f", without {left_out}" if left_out else ""))
    body = model_server.requests[1].json
    asked_for = {"temperature", "reasoning_effort", "thinking", "seed", *sent}
    assert {name: value for name, value in body.items() if name in asked_for} == sent


async def test_without_that_the_option_would_end_the_run(model_server: ModelServer) -> None:
    with pytest.raises(ConfigError, match="does not take this temperature"):
        await asked(opened(model_server, O3, temperature=0.2))


@pytest.mark.parametrize("fallback", [CLAUDE, OTHER])
async def test_key_and_address_stay_with_their_provider(
    model_server: ModelServer, fallback: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers, same = {"api_key": "sk-hers", "options": {"extra_headers": {"x-mine": "secret"}}}, fallback == OTHER
    model_server.add(Failure(404), *[Reply("same")] * same)
    with ModelServer([Reply("other")]) as other:
        monkeypatch.setenv("ANTHROPIC_API_BASE", other.anthropic_base)
        deltas = await asked(opened(model_server, GPT, fallbacks=(fallback,), **hers))
        (request,) = model_server.requests[1:] + other.requests
    assert deltas[-1].text == ("same" if same else "other")  # type: ignore[union-attr]
    assert request.headers.get("authorization" if same else "x-api-key") == ("Bearer sk-hers" if same else "sk-test")
    assert ("hers" in str(request.headers), "secret" in str(request.headers)) == (same, same)


async def test_where_there_is_no_other_the_error_stays(model_server: ModelServer) -> None:
    model_server.add(Failure(404, "one"), Failure(404, "two"))
    with pytest.raises(ModelError, match="two"):
        await asked(opened(model_server, OTHER, fallbacks=(GPT,)))


@pytest.mark.parametrize("name", ["anthropic/claude-sonnet-4-5", "nonsense", "nonsense/x", ""])
def test_a_model_that_can_not_be_asked_says_what_to_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ConfigError) as caught:
        open_model(ModelConfig(name=name))
    assert "\n" not in str(caught.value)


class Quiet:
    """An environment in which everything prints one line."""

    async def run(self, action: events.CodeAction, timeout_s: float | None) -> events.Outcome:
        output = {"output_type": "stream", "name": "stdout", "text": f"after {action.source}"}
        return events.Ran(action.source, (output,), "ok")

    async def confirm(self, action: events.EditAction, diff: str, text: str) -> events.Outcome | None:
        return None

    async def inside(self, function: str, **arguments: Any) -> Any:
        return {}

    async def restart(self) -> None: ...


def agent_of(model: Model) -> Agent:
    from jupyter_codeact.notebook.syntax import transformed

    own = arguments_of(AgentConfig(model=ModelConfig(name="human")))
    tools = ToolHandler(ToolConfig(), library=None, transform=transformed)
    return Agent(**own | {"model": model, "tools": tools})


@pytest.mark.parametrize(
    ("name", "options", "flag"),
    [
        ("openai/gpt-4o", {"reasoning_effort": "low"}, "--reasoning-effort"),
        ("openai/o3-mini", {"temperature": 0.3}, "--temperature"),
        ("openai/gpt-5-mini", {"temperature": 0.3}, "--temperature"),
    ],
)
async def test_an_option_that_the_model_does_not_take_is_named_by_its_flag(
    model_server: ModelServer, name: str, options: dict[str, Any], flag: str
) -> None:
    """litellm says to set an option of its own, which nothing of ours sets."""
    model = opened(model_server, name, api_key="sk-test", **options)
    with pytest.raises(ConfigError, match=f"{name} does not take this .*leave out `{flag}`"):
        async for _ in model.query([{"role": "user", "content": "hi"}], []):
            pass
    assert model_server.requests == []
