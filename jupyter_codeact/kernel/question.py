"""What the agent's cell asks the person on stdin: one thing at a time, and only the answer to that is taken for it."""

from __future__ import annotations

from collections.abc import Callable

from .sockets import Front
from .voice import Voice
from .wire import Message


class Question:
    """The open question, if there is one. Belongs to the proxy's thread."""

    def __init__(self, front: Front, voice: Voice) -> None:
        self._front = front
        self._voice = voice
        self._answer: Callable[[str], None] | None = None
        self._id = ""

    @property
    def is_open(self) -> bool:
        return self._answer is not None

    def ask(self, request: Message, prompt: str, answer: Callable[[str], None]) -> None:
        """Ask whoever sent ``request``; ``answer`` is called in this thread."""
        self._answer = answer
        content = {"prompt": prompt, "password": False}
        self._id = self._voice.reply(request, self._front.stdin, "input_request", content)

    def takes(self, message: Message) -> bool:
        """Whether the message is the answer; it is passed on then. Consoles don't say what they answer."""
        if self._answer is None or message.parent_id not in ("", self._id):
            return False
        answer, self._answer = self._answer, None
        answer(str(message.content.get("value", "")))
        return True

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        self._answer = None
