"""Puts proxy, host and session together, and serves until the front end shuts the kernel down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..errors import SandboxUnavailable
from ..sandbox.launch import Sandbox
from ..settings import Settings
from .cell import RequestCell
from .host import Host
from .proxy import Proxy


def serve(connection: dict[str, Any], sandbox: Sandbox, fresh: Callable[[], Sandbox], settings: Settings) -> None:
    """Run the kernel in this thread. A sandbox that ends before it answers ends in ``refuse``."""
    proxy = Proxy(connection, sandbox, fresh)
    proxy.host = host = Host(proxy, Answers(settings), warm_up)
    host.open()
    proxy.orphaned = _parent_watch()
    try:
        proxy.run()
    except SandboxUnavailable as error:
        proxy.close()
        from ..sandbox.probe import explain
        from .refuse import refuse

        refuse(connection, explain(str(error)))
    finally:
        proxy.close()
    # Threads of model clients may still wait for a network: nothing of theirs is worth waiting for.
    os._exit(0)


class Answers:
    """Answers our own cells. The session, and what it imports, is made when the first one comes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._session: Any = None

    async def __call__(self, host: Host, cell: RequestCell) -> None:
        from ..magics.dispatch import answer
        from ..session import Session

        if self._session is None:
            self._session = Session(self.settings, host)
        await answer(self._session, cell)


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
