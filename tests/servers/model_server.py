"""A scripted model behind real HTTP on loopback, in OpenAI's and in Anthropic's words.

    with ModelServer([Failure(429), Reply("I look.", tool_calls=[ToolCall("run", {"code": "1"})])]) as server:
        litellm.completion("openai/test-model", api_base=server.openai_base, ...)
        litellm.completion("anthropic/claude-sonnet-4-5", api_base=server.anthropic_base, ...)
        assert server.requests[0].json["messages"] == ...

Each request takes the next step of the script; one that the provider would refuse gets its 400 (`rules.py`), and
`server.refused` says why. `server.disconnected` is set when a client goes away before the end of its answer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from . import anthropic_style, embeddings_style, openai_style
from .http11 import Request, chunk, head, json_response, read_request
from .rules import RULES
from .script import Answer, Failure, Raw, Reply, Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType, TracebackType

STYLES: dict[str, ModuleType] = {
    "/v1/chat/completions": openai_style,
    "/v1/messages": anthropic_style,
    "/v1/embeddings": embeddings_style,
}
POLL_S = 0.005
SSE = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}


class ModelServer:
    """A context manager; its event loop lives in a thread of its own, so that a test may block.

    strict: whether requests are held to the provider's rules.
    """

    def __init__(self, script: Iterable[Step] = (), *, strict: bool = True) -> None:
        self._strict = strict
        self._script = deque(script)
        self._requests: list[Request] = []
        self._answered: list[float] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="model-server")
        self.disconnected = threading.Event()
        # Why requests were refused: what was sent must never be.
        self.refused: list[str] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_base(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic_base(self) -> str:
        return self.url

    @property
    def requests(self) -> list[Request]:
        """What has come in so far, oldest first (a copy)."""
        with self._changed:
            return list(self._requests)

    @property
    def answered(self) -> list[float]:
        """When the last byte of each answer was written, in seconds of `time.perf_counter` (a copy)."""
        with self._changed:
            return list(self._answered)

    @property
    def remaining(self) -> int:
        """Steps of the script that no request has taken yet."""
        with self._changed:
            return len(self._script)

    def add(self, *steps: Step) -> None:
        """Append steps to the script; a running test may do so."""
        with self._changed:
            self._script.extend(steps)

    def reset(self) -> None:
        """Forget script and requests: a server that several tests share starts each of them empty."""
        with self._changed:
            self._script.clear()
            self._requests.clear()
            self._answered.clear()
            self.refused.clear()
        self.disconnected.clear()

    def wait_for_request(self, n: int = 1, timeout: float = 200.0) -> Request:
        """Block until request `n` (the first is 1) has come in, at most `timeout` seconds, and return it."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= n, timeout):
                raise TimeoutError(f"{len(self._requests)} requests after {timeout} s, waited for {n}")
            return self._requests[n - 1]

    def wait_for_answers(self, n: int = 1, timeout: float = 200.0) -> list[float]:
        """Block until `n` answers are written; returns `answered`. Who asked may have read it all before that."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._answered) >= n, timeout):
                raise TimeoutError(f"{len(self._answered)} answers after {timeout} s, waited for {n}")
            return list(self._answered)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Clients open connections that they never use; those end here.
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                request = await read_request(reader)
                await self._answer_or_notice(request, reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_or_notice(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer, and watch the other direction: its end before ours means that the client went away."""
        answering = asyncio.create_task(self._answer(request, writer))
        watching = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.disconnected.set()
        finally:
            answering.cancel()
            watching.cancel()
            results = await asyncio.gather(answering, watching, return_exceptions=True)
        if isinstance(results[0], ConnectionError):
            self.disconnected.set()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        answer = self._next(request)
        if isinstance(answer, Failure):
            writer.write(json_response(answer.status, answer.json, answer.headers))
        elif isinstance(answer, Raw):
            writer.write(answer.data)
        else:
            await _send_reply(answer, request, writer)
        with self._changed:
            self._answered.append(time.perf_counter())
            self._changed.notify_all()
        await writer.drain()

    def _next(self, request: Request) -> Answer:
        """Record the request and take its step, in one move, so that a waiting test sees both."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            if request.method != "POST" or request.path not in STYLES:
                return Failure(404, f"the scripted server has no {request.method} {request.path}", {})
            if not self._script:
                return Failure(500, f"script exhausted: request {len(self._requests)} has no step", {})
            if self._strict and (refused := RULES.get(request.path, lambda _: "")(request.json)):
                self.refused.append(refused)
                return Failure(400, f"the scripted server refuses the request: {refused}", {})
            step = self._script.popleft()
        return _evaluate(step, request)


def _evaluate(step: Step, request: Request) -> Answer:
    if isinstance(step, Reply | Failure | Raw):
        return step
    try:
        return step(request.json)
    except Exception as error:  # noqa: BLE001 (a message boundary: the test shall see what its function raised)
        return Failure(500, f"the script's function raised {error!r}", {})


async def _send_reply(reply: Reply, request: Request, writer: asyncio.StreamWriter) -> None:
    style = STYLES[request.path]
    if reply.hold is not None:
        await _wait(reply.hold)
    if not request.json.get("stream"):
        body = json_response(200, style.whole(reply, request.json))
        writer.write(body if reply.cut_after is None else body[: len(body) - 20])
        return
    writer.write(head(200, SSE))
    if await _send_frames(style, reply, request, writer):
        writer.write(chunk(b""))


async def _send_frames(style: ModuleType, reply: Reply, request: Request, writer: asyncio.StreamWriter) -> bool:
    """Send the frames with their delays and holds; False where the script cuts the connection."""
    sent = 0
    for frame in style.stream(reply, request.json):
        if sent == reply.cut_after:
            return False
        if reply.hold_after is not None and sent == reply.hold_after[0]:
            await _wait(reply.hold_after[1])
        if frame.is_chunk and sent:
            await asyncio.sleep(reply.delay_s)
        sent += frame.is_chunk
        writer.write(chunk(frame.data))
        await writer.drain()
    return True


async def _wait(event: threading.Event) -> None:
    """Wait without a thread: one that sat in `event.wait()` could not be ended with the server."""
    while not event.is_set():  # noqa: ASYNC110 (the event is a thread's)
        await asyncio.sleep(POLL_S)
