"""Puts proxy, host and session together, and serves until the front end shuts the kernel down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, SandboxUnavailable
from ..sandbox.homes import tidy
from ..sandbox.launch import Sandbox
from ..settings import Settings
from .cell import RequestCell
from .host import Host
from .proxy import Proxy
from .requests import cursor_in

if TYPE_CHECKING:
    from ..session import Session


def serve(
    connection: dict[str, Any],
    sandbox: Sandbox,
    fresh: Callable[..., Sandbox],
    settings: Settings,
    *,
    orphaned: Callable[[], bool],
    wake: int | None = None,
) -> None:
    """Run the kernel in this thread. A sandbox that ends before it answers, or can't be followed, ends in ``refuse``.

    ``fresh`` opens a sandbox; it takes folders of skills that are looked at before the libraries.
    ``orphaned`` says that whoever started us is gone; ``wake`` is a descriptor that has something to read then.
    """
    proxy = Proxy(connection, sandbox, fresh)
    proxy.host = host = Host(proxy, SessionAnswers(settings, fresh), lambda: warm_up(settings))
    host.open()
    proxy.orphaned = orphaned
    if wake is not None:
        proxy.polling.watch(wake, lambda: None)
    try:
        proxy.run()
    except (SandboxUnavailable, ConfigError) as error:
        _give_up(proxy, str(error))
    finally:
        proxy.close()
    # Threads of model clients may still wait for a network: nothing of theirs is worth waiting for.
    os._exit(0)


def _give_up(proxy: Proxy, reason: str) -> None:
    """No sandbox can be had any more: answer what was asked for, and whatever comes, with the reason."""
    from .refuse import refuse

    proxy.sandbox.close()
    if proxy.host is not None:
        proxy.host.stop()
    proxy.give_up("SandboxUnavailable", reason)
    proxy.turns.fail_all("SandboxUnavailable", reason)
    refuse(proxy.front, reason, proxy.orphaned, proxy.gate.unheard())


class SessionAnswers:
    """Answers with a session, which is made, with all that it imports, when the first cell of ours comes."""

    def __init__(self, settings: Settings, fresh: Callable[..., Sandbox]) -> None:
        self.settings = settings
        self._fresh = fresh
        self._session: Session | None = None

    async def answer(self, host: Host, cell: RequestCell) -> None:
        from ..magics.dispatch import answer

        await answer(self._made(host), cell)

    def assist(self, host: Host, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        from ..magics.assist import Known, complete, inspect

        code, cursor = cursor_in(content)
        if kind == "inspect_request":
            return inspect(code, cursor)
        return complete(code, cursor, Known(*self._made(host).names()))

    def _made(self, host: Host) -> Session:
        from ..session import Session

        if self._session is None:
            self._session = Session(self.settings, host, self._fresh)
        return self._session


def warm_up(settings: Settings) -> None:
    """Import what the first `%%agent` will want while the person is still writing it; then tidy up, and think ahead."""
    from .. import session

    try:
        session.warm_up()
    finally:
        tidy(str(settings.homes))
    if settings.reserve_minutes and settings.sandbox == "bubblewrap":
        from .waiting import keep

        keep()
