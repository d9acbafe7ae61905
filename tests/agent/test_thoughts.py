"""Thinking that a server sends as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.thoughts import Thoughts, without_thought
from jupyter_codeact.events import Reply, TextChunk, TextDelta, ThinkingChunk, ThinkingDelta

from .reading import CUTS, pieces
from .twins import ScriptedCells, StreamModel, agent_of, answered, run, words

BLOCK = "```python\n{}\n```\n"
THOUGHT = f"<think>\nMaybe\n{BLOCK.format('import shutil')}no, better not.\n</think>\n\n"


@pytest.mark.parametrize(
    ("text", "thinking", "said"),
    [
        ("<think>Hm.</think>So.", "Hm.", "So."),
        ("\n<think>\nHm.\n</think>\n\nSo.\n", "\nHm.\n", "So.\n"),
        ("<think></think>So.", "", "So."),
        ("<think>Never ended </thin", "Never ended </thin", ""),
        ("<think>Hm.</think>\n", "Hm.", ""),
        ("<thin air", "", "<thin air"),
        ("<thi", "", "<thi"),
        ("So. <think>no</think>", "", "So. <think>no</think>"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        ("", "", ""),
    ],
)
@given(cuts=CUTS)
def test_what_stands_between_the_marks_is_thinking(text: str, thinking: str, said: str, cuts: list[int]) -> None:
    assert came(text, cuts) == (thinking, said)
    assert without_thought(text) == said


@given(
    text=st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "think>", " ", "\n", "x"])).map("".join), cuts=CUTS
)
def test_every_way_of_cutting_is_the_same(text: str, cuts: list[int]) -> None:
    assert came(text, cuts)[1] == without_thought(text)


def came(text: str, cuts: list[int]) -> tuple[str, str]:
    thoughts = Thoughts()
    deltas = [delta for piece in pieces(text, cuts) for delta in thoughts.take(TextDelta(piece))]
    deltas += thoughts.rest()
    thinking = "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta))
    return thinking, "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_code_in_a_thought_does_not_run_and_the_action_after_it_does() -> None:
    whole = f"{THOUGHT}I print.\n{BLOCK.format('print(1)')}"
    parts = [TextDelta(whole[n : n + 9]) for n in range(0, len(whole), 9)]
    model = StreamModel([*parts, Reply(whole)], words("<think>ok</think>\n\nDone."), takes_tools=False)
    agent, cells = agent_of(model), ScriptedCells()
    events = await run(agent, cells)
    assert answered(events) == "Done."
    assert [action.source for action in cells.ran] == ["print(1)"]
    assert "shutil" in "".join(event.text for event in events if isinstance(event, ThinkingChunk))
    assert "think" not in "".join(event.text for event in events if isinstance(event, TextChunk))
    assert "shutil" not in str(agent.history)


async def test_with_tools_it_is_no_answer() -> None:
    agent = agent_of(StreamModel(words("<think>Only this.</think>"), words("<think>Hm.</think>Done.")))
    assert answered(await run(agent)) == "Done."
    assert "It was empty" in str(agent.trajectory[0]["observation"])
