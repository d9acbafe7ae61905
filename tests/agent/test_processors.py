"""History processors: what is sent of a history, and that the history itself stays as it is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.history import text_message
from jupyter_codeact.agent.pictures import ImageParsing, image_part
from jupyter_codeact.agent.processors import (
    CacheControl,
    ClosedWindow,
    Compact,
    Identity,
    LastNObservations,
    Processor,
    RemoveRegex,
    TagToolCallObservations,
    default_processors,
)

from .twins import valid

Messages = list[dict[str, Any]]
IMAGE = image_part("data:image/png;base64,AAAA")
MARKDOWN = "![plot](data:image/png;base64,AAAA)"


def turn(number: int, text: str = "", tool: str = "run_cell", **arguments: Any) -> Messages:
    """A call and its observation."""
    call = {"id": f"c{number}", "function": {"name": tool, "arguments": json.dumps(arguments or {"code": "x"})}}
    said = text_message("assistant", "", "action", "main", tool_calls=[call])
    seen = text_message("tool", text or f"output {number}\nof two lines", "observation", "main")
    return [said, seen | {"tool_call_id": f"c{number}"}]


def history(turns: int, **more: Any) -> Messages:
    first = [text_message("system", "Act.", "system_prompt", "main"), text_message("user", "Go.", "instance", "main")]
    return [*first, *(message for n in range(turns) for message in turn(n, **more))]


def elided(messages: Messages) -> list[int]:
    seen = [m["content"] for m in messages if m["message_type"] == "observation"]
    return [place for place, text in enumerate(seen) if "left out" in text]


PROCESSORS: list[Processor] = [
    Identity(),
    LastNObservations(n=1),
    LastNObservations(n=2, polling=3),
    TagToolCallObservations(function_names=("run_cell",)),
    ClosedWindow(tool="run_cell"),
    CacheControl(last_n_messages=1),
    RemoveRegex(remove=("out.*?put",)),
    ImageParsing(),
    Compact(),
    *default_processors(),
]
MESSAGES = st.lists(
    st.sampled_from(
        [
            *[turn(n) for n in range(3)],
            turn(3, "![x](data:image/png;base64,AAAA)"),
            turn(4, tool="edit_file", command="view", path="a.py"),
            [text_message("user", [IMAGE], "images", "main", tags=["images"])],
            [text_message("user", "Next.", "instance", "main")],
            [text_message("user", "In short.", "summary", "main", covers=2)],
            [text_message("user", "A demo.", "demonstration", "main", is_demo=True)],
        ]
    ),
    max_size=12,
)


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda processor: type(processor).__name__)
@given(turns=MESSAGES)
def test_what_it_is_given_stays_as_it_is(processor: Processor, turns: list[Messages]) -> None:
    messages = [*history(0), *(message for turn in turns for message in turn)]
    before = copy.deepcopy(messages)
    made = processor(messages)
    assert messages == before
    assert made is not messages
    # What is sent after it can be sent: calls and answers stay together.
    assert valid(made)
    # And what it makes depends on nothing else.
    assert made == processor(messages)


@pytest.mark.parametrize("total", range(2, 12))
def test_last_n_observations(total: int) -> None:
    """The instance message counts as an observation, and is never left out: total - 3 - 1."""
    sent = LastNObservations(n=3)(history(total - 1))
    assert len(elided(sent)) == max(0, total - 3 - 1)
    assert sent[1]["content"] == "Go."
    assert sent[-1]["content"] == f"output {total - 2}\nof two lines"
    if elided(sent):
        assert sent[3]["content"] == "(old output left out: 2 lines)"


def test_with_polling_they_are_left_out_in_blocks() -> None:
    counts = [len(elided(LastNObservations(n=2, polling=4)(history(n)))) for n in range(14)]
    assert counts == [0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 10, 10]


def test_short_outputs_stay() -> None:
    messages = [*history(2), *turn(8, "long " * 100), *history(3)[2:]]
    assert elided(LastNObservations(n=1, shortest=200)(messages)) == [2]


def test_tags_decide() -> None:
    messages = history(4)
    messages[3]["tags"], messages[-1]["tags"] = ["keep_output"], ["remove_output"]
    assert elided(LastNObservations(n=1)(messages)) == [1, 2, 3]


def test_old_pictures_go_like_old_outputs() -> None:
    messages = [*history(1), text_message("user", [IMAGE], "images", "main"), *history(2)[2:]]
    sent = LastNObservations(n=1)(messages)
    assert "image_url" not in json.dumps(sent)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"polling": 0}])
def test_fewer_than_one_makes_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LastNObservations(**wrong)


def test_tools_are_tagged_by_name() -> None:
    messages = [*history(1), *turn(7, tool="edit_file", command="view", path="a")]
    tagged = TagToolCallObservations(tags=("t",), function_names=("edit_file",))(messages)
    assert [m.get("tags") for m in tagged if m["role"] == "tool"] == [None, ["t"]]


def test_only_the_newest_view_of_a_file_is_sent() -> None:
    views = [turn(n, f"view {n}", tool="edit_file", command="view", path=path) for n, path in enumerate("aba")]
    other = turn(9, "done", tool="edit_file", command="create", path="a")
    sent = ClosedWindow()([message for turn in [*views, other] for message in turn])
    seen = [m["content"] for m in sent if m["role"] == "tool"]
    assert seen == ["(outdated view of a left out)", "view 1", "view 2", "done"]


def test_a_view_is_known_by_its_own_call_where_ids_come_again() -> None:
    """Some services count the calls of each reply anew."""
    view = [turn(0, text, tool="edit_file", command="view", path="a") for text in ("old", "new")]
    sent = ClosedWindow()([*view[0], *turn(0, "ran"), *view[1], *turn(0, "ran again")])
    seen = [m["content"] for m in sent if m["role"] == "tool"]
    assert seen == ["(outdated view of a left out)", "ran", "new", "ran again"]


@pytest.mark.parametrize("count", [-1, 4])
def test_no_more_marks_than_a_service_takes(count: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 3"):
        CacheControl(last_n_messages=count)
    assert not [m for m in CacheControl(last_n_messages=0)(history(2)) if "cache_control" in m and m["role"] == "tool"]


def test_the_last_turns_and_the_system_message_are_marked() -> None:
    messages = history(3)
    messages[1]["cache_control"] = {"type": "ephemeral"}
    sent = CacheControl(last_n_messages=2)(messages)
    assert [n for n, message in enumerate(sent) if "cache_control" in message] == [0, 5, 7]


def test_what_matches_is_removed_but_for_the_last() -> None:
    messages = [text_message("user", f"a <diff>{n}\n</diff> b", "observation", "main") for n in range(3)]
    sent = RemoveRegex(keep_last=1)(messages)
    assert [m["content"] for m in sent] == ["a  b", "a  b", "a <diff>2\n</diff> b"]


def test_where_nothing_is_left_it_is_said_what_is_missing() -> None:
    """A service takes no message without words."""
    note = "(left out: what matches <diff>.*?</diff>)"
    called = turn(0)[0] | {"content": "<diff></diff>"}
    parts = [{"type": "text", "text": "<diff>b</diff>"}, IMAGE]
    messages = [text_message("user", content, "observation", "main") for content in ("<diff>a</diff>\n", parts)]
    sent = RemoveRegex()([*messages, called])
    assert [m["content"] for m in sent] == [note, [{"type": "text", "text": note}, IMAGE], ""]


def test_pictures_in_text_become_pictures() -> None:
    text = "Look:\n![plot](data:image/png;base64,AAAA)\nand ![x](data:image/tiff;base64,AAAA)."
    (message,) = ImageParsing()([text_message("user", text, "instance", "main")])
    assert message["content"] == [
        {"type": "text", "text": "Look:\n"},
        IMAGE,
        {"type": "text", "text": "\nand ![x](data:image/tiff;base64,AAAA)."},
    ]
    (alone,) = ImageParsing()([text_message("user", MARKDOWN + "\n" + MARKDOWN, "instance", "main")])
    assert alone["content"] == [IMAGE, IMAGE]
    prompt = [text_message("system", MARKDOWN, "system_prompt", "main")]
    assert ImageParsing()(prompt) == prompt


def test_pictures_of_an_output_follow_when_every_call_is_answered() -> None:
    """Services take them from the person alone."""
    said, seen = turn(0, f"a {MARKDOWN} b")
    second, other = turn(1)
    said["tool_calls"] += second["tool_calls"]
    sent = ImageParsing()([said, seen, other, *turn(2)])
    assert [m["role"] for m in sent] == ["assistant", "tool", "tool", "user", "assistant", "tool"]
    assert sent[1]["content"] == "a (a picture, which follows) b"
    assert (sent[3]["content"], sent[3]["message_type"], sent[3]["agent"]) == ([IMAGE], "images", "main")
    assert ImageParsing()([said, seen, other])[-1] == sent[3]


@pytest.mark.parametrize("first", [ImageParsing(), Compact()])
def test_a_summary_stands_for_the_same_after_other_processors(first: Processor) -> None:
    before = [*history(0), *turn(0, MARKDOWN), *turn(1)]
    messages = [*before, *turn(2), text_message("user", "In short.", "summary", "main", covers=len(before)), *turn(3)]
    assert [(m["role"], m["content"]) for m in Compact()(first(messages))] == [
        (m["role"], m["content"]) for m in Compact()(messages)
    ]


def test_a_summary_is_sent_for_what_it_covers() -> None:
    messages = [*history(3), text_message("user", "In short.", "summary", "main", covers=6), *turn(8)]
    sent = Compact()(messages)
    assert [m["content"] for m in sent if m["role"] != "assistant"] == [
        "Act.",
        "In short.",
        "output 2\nof two lines",
        "output 8\nof two lines",
    ]


def test_the_default_chain_keeps_the_beginning_of_the_conversation() -> None:
    """From one step to the next, all that was sent stays as it was, but where a block is left out."""

    def sent(turns: int) -> list[str]:
        messages = history(turns)
        for processor in default_processors():
            messages = processor(messages)
        return [json.dumps({key: m[key] for key in m if key != "cache_control"}) for m in messages]

    kept = [sent(n + 1)[: len(sent(n))] == sent(n) for n in range(40)]
    assert kept.count(False) <= 5
