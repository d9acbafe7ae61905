"""A text of rows is read by the guard: what an engine would make of an odd one does not matter any more."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_codeact.guard import charts

CSV = {"type": "csv"}


def rows(text: Any, style: dict[str, Any]) -> Any:
    """What is handed on of it, wherever it stands; None where the chart is held back."""
    source = {"values": text, "format": style}
    cleaned = charts.vega({"data": source})
    if cleaned is None:
        return None
    data = cleaned["data"]
    named = {"datasets": {"d": text}, "layer": [{"data": {"name": "d", "format": style}}, {"data": {"name": "d"}}]}
    joined = {"lookup": "a", "from": {"data": source, "key": "a"}}
    assert charts.vega({"hconcat": [{"spec": {"layer": [{"data": source}]}}]})["hconcat"][0]["spec"]["layer"][0] == {
        "data": data
    }
    assert charts.vega({"transform": [joined]})["transform"][0]["from"]["data"] == data
    assert charts.vega(named)["datasets"] == {"d": data["values"]}
    assert data.get("format", {}).keys().isdisjoint(("type", "delimiter", "header"))
    return data["values"]


@pytest.mark.parametrize(
    ("text", "style", "left"),
    [
        ("a,b\n1,2\n", CSV, [{"a": "1", "b": "2"}]),
        ("a,b\r\n1,2\r\n3,4", CSV, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("a,b\r1,2\r", CSV, [{"a": "1", "b": "2"}]),
        ('a,"b, c"\n"x ""y""","two\nlines"', CSV, [{"a": 'x "y"', "b, c": "two\nlines"}]),
        ("a\tb c\n\t2", {"type": "tsv"}, [{"a": "", "b c": "2"}]),
        ("a;b\n1;2", {"type": "dsv", "delimiter": ";"}, [{"a": "1", "b": "2"}]),
        ("axb\n1x2", {"type": "dsv", "delimiter": "x"}, [{"a": "1", "b": "2"}]),
        ("a\\b\n1\\2", {"type": "dsv", "delimiter": "\\"}, [{"a": "1", "b": "2"}]),
        # What is over goes, what is missing is empty, and so are the values of a line without any.
        ("a,b\n1,2,3\n4\n\n5,6", CSV, [*({"a": a, "b": b} for a, b in ("12", ("4", ""), ("", ""), "56"))]),
        ("a,,a,\n1,2,3,4", CSV, [{"a": "3", "": "4"}]),
        ("1,2", {**CSV, "header": ["a", "it's"]}, [{"a": "1", "it's": "2"}]),
        ("a,b", CSV, []),
        ("", CSV, []),
        # These are no columns of rows that are written out either.
        ("__proto__,a,constructor\n1,2,3", CSV, [{"a": "2"}]),
        (
            "url,href,cursor,constructorId\n1,2,3,reconstructor",
            CSV,
            [dict(zip(("url", "href", "cursor", "constructorId"), ("1", "2", "3", "reconstructor"), strict=True))],
        ),
    ],
)
def test_a_text_becomes_the_rows_that_it_says(text: str, style: dict[str, Any], left: list[dict[str, str]]) -> None:
    assert rows(text, style) == left


@pytest.mark.parametrize("parse", [None, "auto", {"a": "number", "b": "date:'%Y-%m-%d'"}])
def test_how_its_columns_are_read_stays(parse: Any) -> None:
    cleaned = charts.vega({"data": {"values": "a,b\n1,2020-01-01", "format": {**CSV, "parse": parse}}})
    assert cleaned is not None
    assert cleaned["data"] == {"values": [{"a": "1", "b": "2020-01-01"}], "format": {"parse": parse}}


@pytest.mark.parametrize("name", ["__proto__", "toString", "isPrototypeOf"])
@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("a,b\r{},1\r{},2", CSV),
        ("a\tb\r{}\t1", {"type": "tsv"}),
        ("a|b\n{}|1\n{}|2", {"type": "dsv", "delimiter": "|"}),
        ("axb\n{}x1", {"type": "dsv", "delimiter": "x"}),
        ("q 1\n{} 2", {"type": "dsv", "delimiter": " ", "header": ["a", "b"]}),
        # An engine leaves out a sign behind quotes.
        ('c,a,b\n"1"x{},0\n"1"x{},1\n', CSV),
        ('c,a,b\n""_{},0\n"1""2"_{},1', CSV),
    ],
)
def test_no_value_of_one_is_a_name_that_each_object_has(text: str, style: dict[str, Any], name: str) -> None:
    read = rows(text.replace("{}", name), style)
    assert name not in {value.strip() for row in read for value in row.values()}
    assert any(name in value for row in read for value in row.values())


@pytest.mark.parametrize("delimiter", [None, "", "||", '"', "\n", "\r", ["|"], "\u200b", "\ud835", "\U0001d6c1", "é"])
def test_one_that_cannot_be_read_is_held_back(delimiter: Any) -> None:
    assert rows("a|b\n__proto__|1\n", {"type": "dsv", "delimiter": delimiter}) is None


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (["a", "b"], None),
        ({"a": "b"}, None),
        (None, None),
        ("a", ["a", {"title": "hasOwnProperty"}]),
        ("a", [["a hasOwnProperty b"]]),
        ("a", "a,b"),
        # More than is read of one value.
        ("a\n" + "1" * 200_000, None),
    ],
)
def test_nor_what_is_no_text_of_rows(text: Any, header: Any) -> None:
    assert rows(text, {**CSV, "header": header}) is None


def test_rows_are_not_much_longer_than_their_text() -> None:
    """Each of them has the names of all columns: a short text could make more than a message may have."""
    columns = ",".join(f"column {number}" for number in range(100))
    assert len(rows(f"{columns}\n{'1,' * 100}\n" * 100, CSV)) == 199
    assert rows(columns + "\n" * 10_000, CSV) is None
    source = {"data": {"values": "the name of a column\n" + "1,\n" * 100_000, "format": CSV}}
    assert charts.vega(source) is not None
    assert charts.vega({"layer": [source] * 10}) is None


def test_a_data_set_is_read_once() -> None:
    layer = [{"data": {"name": "d", "format": {**CSV, "parse": parse}}} for parse in ({"a": "number"}, None)]
    cleaned = charts.vega({"datasets": {"d": "a\n1"}, "layer": layer})
    assert cleaned is not None
    assert cleaned["datasets"] == {"d": [{"a": "1"}]}
    assert [view["data"]["format"] for view in cleaned["layer"]] == [{"parse": {"a": "number"}}, {"parse": None}]
    odd = [{"data": {"name": "d", "format": {"type": kind}}} for kind in ("csv", "tsv")]
    assert charts.vega({"datasets": {"d": "a\n1"}, "layer": odd}) is None
    assert charts.vega({"datasets": {"d": [{"a": "b\n__proto__"}]}, "data": {"name": "d", "format": CSV}}) is None
