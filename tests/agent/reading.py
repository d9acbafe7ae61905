"""Replies cut into pieces, read, and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from jupyter_codeact.agent.fence_reader import FenceReader
from jupyter_codeact.agent.reader import Problem
from jupyter_codeact.agent.tool_reader import ToolReader
from jupyter_codeact.events import (
    Action,
    ActionChunk,
    ActionDropped,
    ActionOpened,
    CallDelta,
    CodeAction,
    Delta,
    EditAction,
    Event,
    Reply,
    SkillAction,
    TextChunk,
    TextDelta,
    ThinkingChunk,
    ThinkingDelta,
    ToolCall,
)

TOOLS = ("run_cell", "edit_file", "skills")


@dataclass(frozen=True)
class Read:
    """What was read out of one reply, without ids. ``cells``: step and streamed source of each cell left open."""

    actions: tuple[Any, ...]
    cells: tuple[tuple[int, str], ...]
    text: str
    shown: str
    thinking: str
    problem: Problem | None


def read(reader: FenceReader | ToolReader, deltas: Sequence[Delta], reply: Reply) -> Read:
    """Feed a reader as the loop does, and check what holds for every reply."""
    events = [event for delta in deltas for event in reader.feed(delta)]
    more, actions, text, problem = reader.finish(reply)
    events += more if problem is None else reader.drop()
    cells = streamed(events)
    if isinstance(reader, FenceReader):
        assert sum(isinstance(event, ActionOpened) for event in events) <= 1
    codes = [action for action in actions if isinstance(action, CodeAction)]
    if problem is not None:
        assert not actions
        assert not cells
    else:
        assert {a.id: (a.step, a.source) for a in codes} == cells
    return Read(
        tuple(map(bare, actions)),
        tuple(cells.values()),
        text,
        "".join(event.text for event in events if isinstance(event, TextChunk)),
        "".join(event.text for event in events if isinstance(event, ThinkingChunk)),
        problem,
    )


def bare(action: Action) -> Any:
    if isinstance(action, SkillAction):
        return ("skills", action.arguments)
    if isinstance(action, EditAction):
        return action.arguments
    return (action.step, action.source)


def streamed(events: Sequence[Event]) -> dict[str, tuple[int, str]]:
    """The cells as a front end has them after the events. Chunks and drops are of open cells only."""
    cells: dict[str, tuple[int, str]] = {}
    for event in events:
        match event:
            case ActionOpened(id, step):
                assert id not in cells
                cells[id] = (step, "")
            case ActionChunk(id, text):
                assert text
                cells[id] = (cells[id][0], cells[id][1] + text)
            case ActionDropped(id):
                cells.pop(id, None)
            case _:
                pass
    return cells


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    """``text`` cut at the places ``cuts`` (modulo its length)."""
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


def fenced(text: str, cuts: Sequence[int] = (), thinking: str = "") -> Read:
    deltas: list[Delta] = [ThinkingDelta(thinking)] if thinking else []
    deltas += [TextDelta(piece) for piece in pieces(text, cuts)]
    return read(FenceReader(1, TOOLS), deltas, Reply(text))


def called(text: str, *calls: tuple[str, str], cuts: Sequence[int] = ()) -> Read:
    """A reply with tool calls, (name, arguments) each, whose JSON comes in pieces."""
    deltas: list[Delta] = [TextDelta(piece) for piece in pieces(text, cuts)]
    for index, (name, arguments) in enumerate(calls):
        deltas.append(CallDelta(index, name, ""))
        deltas += [CallDelta(index, "", piece) for piece in pieces(arguments, cuts)]
    return read(ToolReader(1, TOOLS), deltas, Reply(text, tool_calls(*calls)))


def tool_calls(*calls: tuple[str, str]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(f"call_{number}", *call) for number, call in enumerate(calls))


CUTS = st.lists(st.integers(0, 400), max_size=12)
LINES = st.sampled_from(
    [
        "x = 1",
        "    y = 'ünï😀'",
        "",
        "  ",
        "```",
        "````",
        " ```",
        "```python",
        "````python",
        "```py title=a",
        "```{python}",
        "```text",
        "```edit_file",
        '{"command": "view", "path": "."}',
        '{"command": ',
        "`inline` words",
        "    ```python",
        "    ```",
        "~~~python",
        "~~~",
        "``` not ` a fence",
        "\t`",
        "s = '''",
        "\x0c",
        "a\u2028b",
        "a\rb",
    ]
)
REPLIES = st.builds(
    lambda lines, end, last: end.join(lines) + last,
    st.lists(LINES, max_size=14),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r", "\r\n", "\n\n"]),
) | st.text(alphabet='`python \n\r{}":x', max_size=60)
