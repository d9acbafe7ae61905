"""No address is reached, the host's own ones included."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rooms import Cells


@pytest.fixture(scope="module")
def listeners(base: Path) -> Iterator[dict[str, str]]:
    """What somebody on the host listens at, as code that connects to it."""
    loopback = socket.create_server(("127.0.0.1", 0))
    abstract, named = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    name = f"\0codeact-canary-{loopback.getsockname()[1]}"
    path = str(base / "host.socket")
    abstract.bind(name)
    named.bind(path)
    for listener in (abstract, named):
        listener.listen()
    connect = "s = socket.socket(socket.{}); s.connect({!r}); print('reached')"
    yield {
        "the host's loopback": connect.format("AF_INET", loopback.getsockname()),
        "an abstract socket": connect.format("AF_UNIX", name),
        "a named socket": connect.format("AF_UNIX", path),
    }
    for listener in (loopback, abstract, named):
        listener.close()


@pytest.mark.parametrize("which", ["the host's loopback", "an abstract socket", "a named socket"])
def test_nothing_of_the_hosts_is_reached(
    closed: Cells, unprotected: Cells, listeners: dict[str, str], which: str
) -> None:
    assert closed.attempt(listeners[which]) in ("ECONNREFUSED", "ENOENT")
    assert unprotected.attempt(listeners[which]) == "reached"


def test_there_is_no_interface_but_its_own_loopback(closed: Cells, unprotected: Cells) -> None:
    names = "print([name for _, name in socket.if_nameindex()])"
    assert closed.attempt(names) == "['lo']"
    send = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53)); print('a way')"
    assert closed.attempt(send) == "ENETUNREACH"
    if unprotected.attempt(names) != "['lo']":
        assert unprotected.attempt(send) == "a way"


def test_families_that_know_no_namespaces_are_closed(closed: Cells, unprotected: Cells) -> None:
    """By AF_VSOCK a virtual machine reaches its host; AF_ALG is the kernel's cryptography."""
    attack = "socket.socket(socket.{}, {}).close(); print('open')"
    wanted = [("AF_VSOCK", "socket.SOCK_STREAM"), ("AF_ALG", "socket.SOCK_SEQPACKET")]
    assert [closed.attempt(attack.format(*each)) for each in wanted] == ["EAFNOSUPPORT"] * 2
    assert "open" in [unprotected.attempt(attack.format(*each)) for each in wanted]


def test_its_own_loopback_works(closed: Cells) -> None:
    code = """
        import socket
        server = socket.create_server(('127.0.0.1', 0))
        socket.create_connection(server.getsockname()).close(); print('works')
    """
    assert closed(code) == "works"


def test_its_own_loopback_works_by_name(closed: Cells) -> None:
    code = """
        import http.server, socket, threading, urllib.request
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_): pass
        server = http.server.HTTPServer(('localhost', 0), Quiet)
        threading.Thread(target=server.handle_request).start()
        print(urllib.request.urlopen(f'http://localhost:{server.server_port}/').status)
        server.server_close()
        print(socket.gethostbyname('localhost'), socket.gethostbyname(socket.gethostname()))
        print(socket.getaddrinfo('localhost', 1, socket.AF_INET6)[0][4][0])
    """
    assert closed(code).split() == ["200", "127.0.0.1", "127.0.0.1", "::1"]


def test_no_name_of_the_hosts_is_known(closed: Cells, unprotected: Cells) -> None:
    """Neither its own nor those of the machines that it talks to."""
    attack = "print(open('/etc/hosts').read())"
    assert closed.attempt(attack).splitlines() == ["127.0.0.1 localhost sandbox", "::1 localhost"]
    assert unprotected.attempt(attack) == Path("/etc/hosts").read_text().strip() != closed.attempt(attack)
