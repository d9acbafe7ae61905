"""Messages as frames, against jupyter_client's own Session."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session

from jupyter_codeact.kernel.wire import DELIMITER, Message, Signer, build, split

KEY = "a-key"
CONTENTS = st.dictionaries(st.text(max_size=5), st.text(st.characters(codec="utf-8"), max_size=10) | st.integers())
FRAMES = st.lists(st.binary(max_size=6).filter(lambda frame: frame != DELIMITER), max_size=3)


@given(content=CONTENTS, metadata=CONTENTS, idents=FRAMES, buffers=FRAMES)
def test_what_is_built_comes_back(
    content: dict[str, Any], metadata: dict[str, Any], idents: list[bytes], buffers: list[bytes]
) -> None:
    message = build("stream", content, "s1", b'{"msg_id": "p1"}', metadata=metadata, idents=idents)
    message.buffers = buffers
    frames = Signer(KEY).frames(message)
    assert Signer(KEY).trusts(frames)
    back = split(frames)
    assert (back.parts, back.idents, back.buffers) == (message.parts, idents, buffers)
    assert (back.type, back.parent_id, back.content, back.metadata) == ("stream", "p1", content, metadata)
    assert back.id == message.id


def test_jupyter_client_reads_what_is_written_here() -> None:
    message = build("stream", {"name": "stdout", "text": "ü"}, "s1", idents=[b"topic"])
    session = Session(key=KEY.encode())
    idents, parts = session.feed_identities(Signer(KEY).frames(message))
    read = session.deserialize(parts)
    assert idents == [b"topic"]
    assert (read["msg_type"], read["content"]) == ("stream", {"name": "stdout", "text": "ü"})
    assert read["header"]["date"].tzinfo is not None


def test_what_jupyter_client_writes_is_read_here() -> None:
    session = Session(key=KEY.encode())
    frames = session.serialize(session.msg("execute_request", {"code": "ü"}), ident=b"me")
    assert Signer(KEY).trusts(frames)
    message = split(frames)
    assert (message.type, message.content, message.idents) == ("execute_request", {"code": "ü"}, [b"me"])


@pytest.mark.parametrize("place", [-1, -2, -3, -4])
def test_a_changed_part_is_not_trusted(place: int) -> None:
    frames = Signer(KEY).frames(build("stream", {}, "s1"))
    frames[place] += b" "
    assert not Signer(KEY).trusts(frames)


@pytest.mark.parametrize(("signs", "reads"), [("other", KEY), ("", KEY), (KEY, "")])
def test_another_key_is_not_trusted(signs: str, reads: str) -> None:
    assert not Signer(reads).trusts(Signer(signs).frames(build("stream", {}, "s1")))


def test_without_a_key_there_are_no_signatures() -> None:
    frames = Signer("").frames(build("stream", {}, "s1"))
    assert frames[1] == b""
    assert Signer("").trusts(frames)


@pytest.mark.parametrize("frames", [[], [b"x"], [DELIMITER], [DELIMITER, b"", b"{}", b"{}", b"{}"]])
def test_frames_that_are_no_message(frames: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"parts|list"):
        split(frames)


def test_changed_content_leaves_the_rest() -> None:
    message = build("execute_request", {"code": "x", "silent": False}, "s1", idents=[b"me"])
    changed = message.with_content(silent=True)
    assert changed.content == {"code": "x", "silent": True}
    assert (changed.parts[:3], changed.idents) == (message.parts[:3], [b"me"])
    assert message.content["silent"] is False


def test_every_message_has_an_id_of_its_own() -> None:
    assert len({build("status", {}, "s1").id for _ in range(20)}) == 20


def test_a_header_without_a_type_is_no_error() -> None:
    message = Message([json.dumps({}).encode()] * 4)
    assert (message.type, message.id, message.parent_id) == ("", "", "")
