"""Whoever picks our kernel gets the plain one, message by message, but for what docs/differences.md has a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .case import Case
from .cases import CASES, PREAMBLE
from .conversation import Ask, Conversation, Transcript, conversation, execute

pytestmark = [
    pytest.mark.usefixtures("sandbox"),
    # jupyter_client's manager leaves an event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Conversation, Conversation]]:
    """A plain kernel and ours, in the same folder, with the same Python; neither has a past."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setenv("JUPYTER_CODEACT_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("work")
        with conversation("python3", folder) as plain, conversation("codeact", folder) as ours:
            for kernel in (plain, ours):
                kernel.hold([execute(PREAMBLE)])
            yield plain, ours


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_kernel_says_what_the_plain_one_says(kernels: tuple[Conversation, Conversation], case: Case) -> None:
    plain, ours = (kernel.hold(case.asks) for kernel in kernels)
    expected = case.differs.ours(plain) if case.differs else plain
    assert case.differs is None or expected != plain, "They do not differ any more."
    assert written(ours) == written(expected)


def written(transcript: Transcript) -> str:
    """As text, of which pytest shows the lines that differ."""
    return json.dumps(transcript, indent=1, sort_keys=True)


def test_each_difference_has_its_reason_in_the_docs() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs" / "differences.md").read_text(), re.MULTILINE)
    assert {case.differs.row for case in CASES if case.differs} <= set(rows)
    assert len(rows) == len(set(rows))


def test_the_ports_of_connect_are_those_that_a_front_end_can_reach(kernels: tuple[Conversation, Conversation]) -> None:
    for kernel in kernels:
        kernel.hold([Ask("connect_request")])
        ports = kernel.find("connect_reply")
        assert {name: ports[name] for name in kernel.ports} == kernel.ports


def test_cells_have_a_server_s_word_that_what_programs_print_is_not_to_wait(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers say it; without it the workers of a pool keep what they print until they end."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    transcripts = []
    for name in ("python3", "codeact"):
        with conversation(name, tmp_path) as talk:
            transcripts.append(talk.hold([execute("import os, sys; os.environ.get('PYTHONUNBUFFERED')")]))
    assert "'1'" in written(transcripts[0])
    assert written(transcripts[1]) == written(transcripts[0])


@pytest.mark.parametrize(("channel", "restart"), [("control", True), ("shell", False)])
def test_a_shutdown_is_answered_and_told_to_all(tmp_path: Path, home: Path, channel: str, restart: bool) -> None:
    request = Ask("shutdown_request", {"restart": restart}, channel=channel)
    transcripts = []
    for name in ("python3", "codeact"):
        with conversation(name, tmp_path) as talk:
            transcripts.append(talk.hold([request]))
    assert written(transcripts[1]) == written(transcripts[0])
