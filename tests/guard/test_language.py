"""Vega's expressions may compute. Each sentence of the language that comes to more is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.guard import language

NAMES = frozenset({"brush", "$p", "_q"})


def computes(expression: str) -> bool:
    """In a chart that has parameters of these names."""
    return language.computes(expression, NAMES)


@pytest.mark.parametrize(
    "expression",
    [
        "datum.a + datum['b c'] * 2.5e3 - .5",
        "datum.größe >= 1e3 && !isValid(datum.b) || datum.c === null",
        "test(/^[/\\d']+$/i, datum.a) ? 'x' : \"it's\"",
        "(datum.a + 1) / 2 / length(datum.b) ** 2",
        "format(datum.value, ',.2f') + '\\n' + timeFormat(datum.date, '%Y')",
        "[1, 2][0] + '\\\\u00e9'",
        "datum.sort + datum['link'] + brush.a.length",
        "if(datum.a > 0, 'up', 'down')",
        "inrange(datum.x, [0, 1]) || indexof(['a', 'b'], datum.y) >= 0",
        "scale('x', datum.a) + bandwidth('x') + domain(\"y\")[0]",
        "length(data('row_domain')) + data('d').length",
        "datetime(2012, 0, 1) < datum.date",
        "clamp(width, 0, height) % 3 << 1 ^ ~2",
        "event.shiftKey && !event.item",
        "brush.x ? [brush.x[0], brush['y']] : null",
        "toString(datum.constructed)",
        "$p + _q",
    ],
)
def test_ordinary_expressions_compute(expression: str) -> None:
    assert computes(expression)


@pytest.mark.parametrize(
    "expression",
    [
        # Names that are put together.
        "pluck(datum, 'con' + 'structor')",
        "datum['con' + 'structor']",
        "datum[datum.a]",
        "[1][datum.a]",
        "(datum)[datum.a]",
        "'a'['at']['b' + 'c']",
        # Functions that set, call or hand out more than they are given.
        "setdata('d', [1])",
        "modify('d', datum)",
        "encode(datum, 'x')",
        "merge({}, datum)",
        "scale(datum.f, 0)",
        "scale('x' + 'y', 0)",
        "scale(scale('x', 0), 0)",
        "invert((x), 0)",
        "copy('x')",
        "data('d')",
        "data('d')[0].mark",
        "length(data('d')[0].mark)",
        "length(data('d').length.a)",
        "data('d').length.a",
        "data('d').length['a']",
        "{}[datum.a]",
        "data(datum.a).length",
        "length(data('d' + 'e'))",
        "vlSelectionTuples([], {})",
        "group()",
        "item()",
        "event()",
        "xy()",
        "open('/logout')",
        # Values that are called.
        "datum.f()",
        "datum['f']()",
        "(datum.f)()",
        "[].at(0)",
        "'a'('b')",
        "pow(2, 3)(4)",
        "{a: 1}(2)",
        # Values that are functions, or could have some of their own.
        "[].push",
        "'a'['split']",
        "1.5.toFixed",
        "/a/.exec",
        "datum.a.push",
        "datum.a['sort']",
        "[datum][0].at",
        "q.datum.sort",
        "datum.hasOwnProperty",
        "datum['valueOf']",
        "{a: 1}",
        "{}",
        "parent.a",
        # What is drawn, and the window.
        "item.mark",
        "item",
        "unit.context",
        "group.x",
        "event",
        "event.view",
        "event['view']",
        "event.item.mark",
        "event.item['mark']",
        "this",
        "_",
        "[event]",
        "{a: item}",
        # What another reader would read otherwise.
        "typeof /'/ + pluck(item, datum.a) + /'/",
        "1 /* ' */ + item /* ' */ / 2",
        "1 // '",
        "`${item}`",
        "'con\\x73tructor'",
        "'con\\structor'",
        "\\u0069tem",
        "a = 1",
        "a => 1",
        "a; b",
        "(1]",
        "(1",
        "1)",
        "'open",
        "/open",
        "a\u2028b",
        "1a",
    ],
)
def test_nothing_else_does(expression: str) -> None:
    assert not computes(expression)


SIGNS = [*"()[]{}.,:?+! ", "item", "event", "datum", "pluck", "scale", "data", "length", "'", '"', "'a'", "1", "key"]
TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")


@given(st.lists(st.sampled_from(SIGNS), max_size=30).map("".join))
def test_in_none_that_computes_is_an_item_named_or_a_member_plucked(expression: str) -> None:
    if computes(expression):
        signs = ["", *re.findall(r"[\w$]+|\S", TEXT.sub("''", expression)), ""]
        for before, sign, after in zip(signs, signs[1:], signs[2:], strict=False):
            assert sign != "item" or before == "."
            assert sign != "event" or before == "." or after == "."
            assert (sign, after) != ("pluck", "(")


@given(st.text(st.sampled_from("aé_$0.'\"\\/[](){}`,:;=?+-*&|<>!~ \n\u2028"), max_size=40))
def test_any_text_is_read_to_its_end(text: str) -> None:
    assert computes(text) in (True, False)
