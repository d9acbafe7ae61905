"""Python's parser in several threads at once."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from jupyter_codeact.parsing import parse, parse_expression

SOURCE = "\n".join(f"def f{n}(a, b):\n    return [a + b * {n} for x in range(3)]" for n in range(40))


class Loop:
    """Garbage whose end lets another thread go on."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(50))


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads change as often as they may, and garbage is collected all the time."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50, 2, 2)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def failures(parser: Callable[[str], object]) -> list[SystemError]:
    found: list[SystemError] = []

    def work() -> None:
        for _ in range(100):
            Loop()
            try:
                parser(SOURCE)
            except SystemError as error:
                found.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_no_thread_gets_another_one_s_error(busy: None) -> None:
    assert failures(parse) == []


@pytest.mark.skipif(sys.version_info >= (3, 11, 8), reason="this Python's own parser bears several threads")
def test_python_s_own_does_that(busy: None) -> None:
    assert any(failures(ast.parse) for _ in range(20))


def test_the_trees_are_those_of_ast() -> None:
    assert ast.dump(parse(SOURCE)) == ast.dump(ast.parse(SOURCE))
    assert ast.dump(parse_expression("a + 1")) == ast.dump(ast.parse("a + 1", mode="eval"))
    assert isinstance(parse("await x", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body[0], ast.Expr)
    with pytest.raises(SyntaxError):
        parse("(")
