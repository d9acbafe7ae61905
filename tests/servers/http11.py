"""As much HTTP/1.1 as a scripted server needs: one request and one response a connection."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from .script import Json


@dataclass(frozen=True)
class Request:
    """A request as it came in; header names in lower case; `json` is `{}` where the body is none.

    `came_s`: when all of it was there, in seconds of `time.perf_counter`.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    came_s: float = 0.0

    @property
    def json(self) -> Json:
        try:
            parsed: Any = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request; `asyncio.IncompleteReadError` where the client goes away before its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target.partition("?")[0], headers, body, time.perf_counter())


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """The status line and headers. `connection: close` keeps each request on a connection of its own."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Scripted"
    lines = [f"{name}: {value}" for name, value in (dict(headers) | {"connection": "close"}).items()]
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *lines, "", ""]).encode("latin-1")


def json_response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> bytes:
    data = json.dumps(body).encode()
    fixed = {"content-type": "application/json", "content-length": str(len(data))}
    return head(status, fixed | dict(headers or {})) + data


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; an empty one ends it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
