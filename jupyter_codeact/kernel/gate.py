"""What is let in to the sandbox: no request that makes no sense, none beyond a number, and none before it hears us."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

import zmq

from .incoming import misfit
from .requests import Asked, Requests
from .sockets import Front
from .turns import Turns
from .voice import Voice
from .wire import Message

ENDING = ("interrupt_request", "shutdown_request")
FULL = "So many requests are open in the sandbox that it is given no more. Interrupt it, or restart the kernel."


class Held(NamedTuple):
    """A request that waits for a sandbox. hers: a person wrote what it runs."""

    channel: str
    message: Message
    hers: bool


class Gate:
    """See the module. Belongs to the proxy's thread."""

    def __init__(self, front: Front, voice: Voice, turns: Turns, requests: Requests) -> None:
        self._front = front
        self._voice = voice
        self._turns = turns
        self._requests = requests
        self._held: list[Held] = []

    def received(self, channel: str) -> Message | None:
        """The next request of a front end, if it is one; one that nobody could answer is answered here."""
        message = self._front.receive(self._front.answering(channel))
        if message is not None and (wrong := misfit(message)):
            self._turn_away(channel, message, "MalformedRequest", wrong)
            return None
        return message

    def admits(self, channel: str, message: Message) -> bool:
        """Whether there is room for what waits for no turn; what ends things there is always room for."""
        if self._requests.full and message.type not in ENDING:
            self._turn_away(channel, message, "TooManyRequests", FULL)
            return False
        return True

    def _turn_away(self, channel: str, message: Message, name: str, why: str) -> None:
        self._voice.refuse(Asked(message.id, message.type, channel, message.parts[0], message.idents), name, why)
        self._turns.stay_busy()

    def hold(self, request: Held) -> None:
        self._held.append(request)

    def let_go(self) -> list[Held]:
        """All that waited, in its order."""
        held, self._held = self._held, []
        return held

    def drop(self, ids: Container[str]) -> list[Message]:
        """The execute_requests of what waits that have one of these ids: they are not to run any more."""
        dropped = [held for held in self._held if held.message.type == "execute_request" and held.message.id in ids]
        self._held = [held for held in self._held if held not in dropped]
        return [held.message for held in dropped]

    def unheard(self) -> list[tuple[zmq.Socket[Any], Message]]:
        """Requests of front ends that no sandbox has heard, each with the socket that it came from."""
        return [(self._front.answering(held.channel), held.message) for held in self._held if held.message.idents]
