"""Replies of models without tool calls."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.fence_reader import FenceReader
from jupyter_codeact.events import ActionChunk, TextChunk, TextDelta

from .reading import CUTS, REPLIES, Read, fenced

VIEW = {"command": "view", "path": "."}


@pytest.mark.parametrize(
    ("reply", "text", "source"),
    [
        ("```python\nx = 1\n```", "", "x = 1"),
        ("First.\n\n```python\nx = 1\n```\n", "First.", "x = 1"),
        ("```python\nx = 1\n```\nI guess it prints 1.\n```python\nx = 2\n```", "", "x = 1"),
        ("```py\nx = 1\n```", "", "x = 1"),
        ("```Python\nx = 1\n```", "", "x = 1"),
        ("```py3\nx = 1\n```", "", "x = 1"),
        ("```ipython3\nx = 1\n```", "", "x = 1"),
        ("```tool_code\nx = 1\n```", "", "x = 1"),
        ("~~~python\nx = 1\n~~~", "", "x = 1"),
        ("~~~python\ns = '''\n```\n'''\n~~~~", "", "s = '''\n```\n'''"),
        ("1. So:\n\n    ```python\n    if x:\n        y\n    ```\n2. Then", "1. So:", "if x:\n    y"),
        ("- So:\n  ```python\n  x = 1\n\n  y = 2\n  ```", "- So:", "x = 1\n\ny = 2"),
        ("\t```python\n\tx = 1\n\t```", "", "x = 1"),
        ("``` python\nx = 1\n```", "", "x = 1"),
        ('```python title="fit"\nx = 1\n```', "", "x = 1"),
        ("```{python}\nx = 1\n```", "", "x = 1"),
        ("```python   \nx = 1\n```   ", "", "x = 1"),
        ("  ```python\nx = 1\n  ```", "", "x = 1"),
        ("```python\nx = 1\n\n\n```", "", "x = 1"),
        ("```python\n\nif x:\n    y\n```", "", "\nif x:\n    y"),
        ("````python\ns = '''\n```\n'''\n````", "", "s = '''\n```\n'''"),
        ("````python\ns = '''\n```\n'''\n`````", "", "s = '''\n```\n'''"),
        ("```python\ns = '```'\n```", "", "s = '```'"),
        ("```python\n# ```python\n    ```\n```", "", "# ```python\n    ```"),
        ("Like\r\n```python\r\nx = 1\r\ny = 2\r\n```\r\n", "Like", "x = 1\ny = 2"),
        ("```text\nnot this\n```\n```python\nx = 1\n```", "```text\nnot this\n```", "x = 1"),
        ("````text\n```python\nx = 0\n```\n````\n```python\nx = 1\n```", None, "x = 1"),
        ("```python\nx = '\u2028\x0c'\n```", "", "x = '\u2028\x0c'"),
        ("```python\ns = 'ünï😀'\n```", "", "s = 'ünï😀'"),
    ],
)
def test_the_first_block_of_python_is_the_action(reply: str, text: str | None, source: str) -> None:
    seen = fenced(reply, range(len(reply)))
    assert seen.problem is None
    assert seen.actions == ((1, source),)
    assert text is None or seen.text == text
    assert seen == fenced(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "It is 42.",
        "Use `x`.",
        "``` is a fence",
        "```text\nx = 1\n```",
        "```\nx = 1\n```",
        "```json\n{}\n```",
        "The word ```python x = 1``` inline",
        "```text\nnever closed",
    ],
)
def test_words_are_an_answer(reply: str) -> None:
    assert fenced(reply, range(len(reply))) == Read((), (), reply, reply + "\n", "", None)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "empty"),
        ("  \n\n ", "empty"),
        ("```python\n```", "empty"),
        ("Now:\n```python\n\n  \n```", "empty"),
        ("```python\nx = 1", "broke off"),
        ("```python\nx = 1\n``", "broke off"),
        ("````python\nx = 1\n```", "broke off"),
        ("```python", "broke off"),
        ('```edit_file\n{"command": "view"', "broke off"),
        ("```edit_file\nview gp_fit.py\n```", "not a JSON object"),
        ("```edit_file\n[1]\n```", "not a JSON object"),
        ("```edit_file\n```", "not a JSON object"),
    ],
)
def test_what_cannot_be_acted_on_is_said(reply: str, said: str) -> None:
    seen = fenced(reply, range(len(reply)))
    assert seen.problem is not None
    assert seen.problem.kind == "format"
    assert said in seen.problem.text


def test_only_thinking_is_no_reply() -> None:
    seen = fenced("", thinking="```python\nx = 1\n```")
    assert seen.thinking == "```python\nx = 1\n```"
    assert seen.problem is not None


@pytest.mark.parametrize(("tool", "action"), [("edit_file", VIEW), ("skills", ("skills", VIEW))])
def test_an_edit_and_a_command_for_skills_are_one_json_object(tool: str, action: object) -> None:
    reply = f"Look first.\n```{tool}\n{json.dumps(VIEW, indent=1)}\n```\n"
    seen = fenced(reply, range(len(reply)))
    assert (seen.text, seen.actions, seen.problem) == ("Look first.", (action,), None)
    assert not seen.cells


def test_a_line_of_code_shows_before_it_is_complete() -> None:
    """She watches the cell being written, not line after line."""
    reader = FenceReader(1)
    events = [event for piece in ("```py", "thon\npri", "nt(1", ")") for event in reader.feed(TextDelta(piece))]
    assert [event.text for event in events if isinstance(event, ActionChunk)] == ["pri", "nt(1", ")"]


def test_words_show_before_their_line_is_complete() -> None:
    reader = FenceReader(1)
    events = [event for piece in ("It ", "is", " `x`") for event in reader.feed(TextDelta(piece))]
    assert [event.text for event in events if isinstance(event, TextChunk)] == ["It ", "is", " `x`"]


@given(reply=REPLIES, cuts=CUTS)
def test_every_way_of_cutting_reads_the_same(reply: str, cuts: list[int]) -> None:
    assert fenced(reply, cuts) == fenced(reply)


@given(reply=st.text(max_size=80), cuts=CUTS)
def test_nothing_that_a_model_writes_raises(reply: str, cuts: list[int]) -> None:
    assert fenced(reply, cuts) == fenced(reply, range(len(reply)))


@given(source=st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1).filter(str.strip), cuts=CUTS)
def test_any_source_comes_through_in_a_fence_that_is_long_enough(source: str, cuts: list[int]) -> None:
    fence = "`" * (3 + source.count("`"))
    seen = fenced(f"Words.\n{fence}python\n{source}\n{fence}\nignored", cuts)
    assert seen.actions == ((1, source.rstrip("\n")),)
    assert seen.text == "Words."
    assert "ignored" not in seen.shown
