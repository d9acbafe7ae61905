"""Puts proxy, host and session together, and serves until the front end shuts the kernel down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import SandboxUnavailable
from ..sandbox.launch import Sandbox
from ..settings import Settings
from .cell import RequestCell
from .host import Host
from .proxy import Proxy

if TYPE_CHECKING:
    from ..session import Session


def serve(connection: dict[str, Any], sandbox: Sandbox, fresh: Callable[[], Sandbox], settings: Settings) -> None:
    """Run the kernel in this thread. A sandbox that ends before it answers ends in ``refuse``."""
    proxy = Proxy(connection, sandbox, fresh)
    proxy.host = host = Host(proxy, SessionAnswers(settings), warm_up)
    host.open()
    proxy.orphaned = _parent_watch()
    reason = ""
    try:
        proxy.run()
    except SandboxUnavailable as error:
        reason = str(error)
    finally:
        proxy.close()
    if reason:
        from .refuse import refuse

        refuse(connection, reason)
    # Threads of model clients may still wait for a network: nothing of theirs is worth waiting for.
    os._exit(0)


class SessionAnswers:
    """Answers with a session, which is made, with all that it imports, when the first cell of ours comes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._session: Session | None = None

    async def answer(self, host: Host, cell: RequestCell) -> None:
        from ..magics.dispatch import answer

        await answer(self._made(host), cell)

    def assist(self, host: Host, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        from ..magics.assist import Known, complete, inspect

        code, cursor = str(content.get("code", "")), int(content.get("cursor_pos", 0))
        if kind == "inspect_request":
            return inspect(code, cursor)
        return complete(code, cursor, Known(*self._made(host).names()))

    def _made(self, host: Host) -> Session:
        from ..session import Session

        if self._session is None:
            self._session = Session(self.settings, host)
        return self._session


def warm_up() -> None:
    """Import what the first `%%agent` will want, while the person is still writing it."""
    from ..models.litellm_model import load

    load()


def _parent_watch() -> Callable[[], bool]:
    """Whether the server that started us is gone. Set by jupyter_client, as for any kernel."""
    if not os.environ.get("JPY_PARENT_PID"):
        return lambda: False
    parent = os.getppid()
    return lambda: os.getppid() != parent
