"""What a picture is by its bytes: real ones of each type, and what is none."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.agent.formats import Found, look


def picture(kind: str, size: tuple[int, int], frames: int = 1, **options: Any) -> str:
    image = pytest.importorskip("PIL.Image")
    first, *others = [image.new("RGB", size, color) for color in ("red", "blue", "green")[:frames]]
    made = io.BytesIO()
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(made, kind, **more | options)
    return base64.b64encode(made.getvalue()).decode()


@pytest.mark.parametrize(
    ("kind", "options", "mime"),
    [
        ("PNG", {}, "image/png"),
        ("JPEG", {}, "image/jpeg"),
        ("JPEG", {"progressive": True}, "image/jpeg"),
        ("JPEG", {"icc_profile": b"x" * 200_000, "comment": b"y" * 9}, "image/jpeg"),
        ("GIF", {}, "image/gif"),
        ("WEBP", {}, "image/webp"),
        ("WEBP", {"lossless": True}, "image/webp"),
        ("WEBP", {"icc_profile": b"x" * 99}, "image/webp"),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (301, 20), (3, 2000)])
def test_type_and_size_of_pictures(kind: str, options: dict[str, Any], mime: str, size: tuple[int, int]) -> None:
    data = picture(kind, size, **options)
    assert look(data) == Found(mime, size, plain=True)
    assert look("\n".join(data[start : start + 76] for start in range(0, len(data), 76))) == look(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_that_was_cut_is_not_plain(kind: str) -> None:
    content = base64.b64decode(picture(kind, (200, 200)))
    found = look(base64.b64encode(content[: len(content) * 3 // 4]).decode())
    assert found is None or not found.plain


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_pictures_that_move_are_not_plain(kind: str) -> None:
    """Services take none of them, or their first frame alone."""
    found = look(picture(kind, (20, 20), frames=3))
    assert found is not None
    assert not found.plain


def test_other_types_are_none() -> None:
    assert [look(picture(kind, (9, 9))) for kind in ("BMP", "TIFF", "ICO")] == [None] * 3


HEADS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x09\0\0\0WEBPVP8 ", b"RIFF\x09\0\0\0WEBPVP8X"]


@given(st.sampled_from(HEADS), st.binary(max_size=60))
def test_whatever_the_bytes_are_it_is_said_or_none(head: bytes, rest: bytes) -> None:
    found = look(base64.b64encode(head + rest).decode())
    assert found is None or min(found.size) > 0


@given(st.text())
def test_whatever_the_text_is_it_is_said_or_none(text: str) -> None:
    assert look(text) is None
