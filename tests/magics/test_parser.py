"""Reading our magics."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.errors import UsageError
from jupyter_codeact.magics.parser import Help, LineParser, agent_parser, choose, save_parser

DEFAULTS = {
    "model": "",
    "review": None,
    "skills": "",
    "max_steps": None,
    "step_timeout": None,
    "reasoning_effort": None,
    "temperature": None,
    "max_tokens": None,
    "templates": "",
    "new": False,
}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("", {}),
        ("   ", {}),
        ("--model openai/gpt", {"model": "openai/gpt"}),
        ("-m openai/gpt --new", {"model": "openai/gpt", "new": True}),
        ("--model=a/b", {"model": "a/b"}),
        ("--model 'a b'", {"model": "a b"}),
        ('--skills "a, b"', {"skills": "a, b"}),
        ("--review auto", {"review": "auto"}),
        ("--max-steps 1", {"max_steps": 1}),
        ("--step-timeout 0.5", {"step_timeout": 0.5}),
        ("--step-timeout 1e3", {"step_timeout": 1000.0}),
        ("--temperature 0", {"temperature": 0.0}),
        ("--max-tokens 100", {"max_tokens": 100}),
        ("--reasoning-effort high", {"reasoning_effort": "high"}),
    ],
)
def test_options_of_the_agent(line: str, changed: dict[str, object]) -> None:
    assert vars(agent_parser().read(line)) == DEFAULTS | changed


@pytest.mark.parametrize(
    ("line", "name", "cells", "names"),
    [
        ("gp", "gp", [], ""),
        ("gp 3-5 7", "gp", ["3-5", "7"], ""),
        ("gp 3-5 --names f,g", "gp", ["3-5"], "f,g"),
        ("gp --names f,g 3-5 7", "gp", ["3-5", "7"], "f,g"),
        ("--names f,g gp 3-5", "gp", ["3-5"], "f,g"),
        ("gp last", "gp", ["last"], ""),
    ],
)
def test_options_of_save_stand_anywhere(line: str, name: str, cells: list[str], names: str) -> None:
    options = save_parser().read(line)
    assert (options.name, options.cells, options.names) == (name, cells, names)


@pytest.mark.parametrize(
    ("parser", "line", "said"),
    [
        (agent_parser(), "--modle x", "'--modle' is no option here. Did you mean --model?"),
        (agent_parser(), "--max_steps=3", "Did you mean --max-steps?"),
        (agent_parser(), "--revew auto --xx", "Did you mean --review?"),
        (agent_parser(), "--mod x", "'--mod' is no option here. Did you mean --model?"),
        (agent_parser(), "--zzzzzzz", "'--zzzzzzz' is no option here. `%%agent --help` shows what there is."),
        (agent_parser(), "-x", "'-x' is no option here. `%%agent --help` shows what there is."),
        (agent_parser(), "fit a curve", "'fit' is one word too many."),
        (agent_parser(), "--model", "expected one argument"),
        (agent_parser(), "--review yes", "(choose from "),
        (agent_parser(), "--new=1", "ignored explicit argument '1'"),
        (agent_parser(), "--model 'a", "%%agent: No closing quotation in: --model 'a"),
        (agent_parser(), "--model a\\", "%%agent: No escaped character in: --model a\\"),
        (agent_parser(), "--max-steps abc", "--max-steps: 'abc' is not a whole number of at least 1"),
        (agent_parser(), "--max-steps 0", "'0' is not a whole number of at least 1"),
        (agent_parser(), "--max-steps -1", "'-1' is not a whole number of at least 1"),
        (agent_parser(), "--max-steps 1.5", "'1.5' is not a whole number of at least 1"),
        (agent_parser(), "--step-timeout x", "'x' is not a number of at least 0"),
        (agent_parser(), "--step-timeout -5", "'-5' is not a number of at least 0"),
        (agent_parser(), "--step-timeout nan", "'nan' is not a number of at least 0"),
        (agent_parser(), "--step-timeout inf", "'inf' is not a number of at least 0"),
        (agent_parser(), "--step-timeout 0", "0 seconds are too short"),
        (agent_parser(), "--temperature hot", "'hot' is not a number of at least 0"),
        (save_parser(), "", "required: name. `%skill save --help` shows the options."),
        (save_parser(), "gp 3 --nams f", "'--nams' is no option here. Did you mean --names?"),
    ],
)
def test_what_is_wrong_is_one_line(parser: LineParser, line: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser.read(line)
    text = str(caught.value)
    assert said in text
    assert text.startswith(f"{parser.prog}: ")
    assert "\n" not in text
    assert "_count" not in text


@pytest.mark.parametrize(("parser", "prog"), [(agent_parser(), "%%agent"), (save_parser(), "%skill save")])
@pytest.mark.parametrize("line", ["--help", "-h", "x --help", "--help --modle"])
def test_help_shows_the_magic_as_it_is_written(parser: LineParser, prog: str, line: str) -> None:
    with pytest.raises(Help) as caught:
        parser.read(line)
    assert str(caught.value).startswith(f"usage: {prog} [-h]")
    assert f"\n  {prog} " in str(caught.value)


@given(st.text(max_size=40))
def test_no_line_does_anything_else_than_parse_or_say(line: str) -> None:
    for parser in (agent_parser(), save_parser()):
        with suppress(UsageError, Help):
            parser.read(line)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("sve", "`%skill sve` does not exist. Did you mean `%skill save`?"),
        ("zzz", "`%skill zzz` does not exist. There are: save, list."),
    ],
)
def test_a_subcommand_that_does_not_exist(word: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose("%skill", word, ["save", "list"])
    assert str(caught.value) == said


def test_a_subcommand_that_exists() -> None:
    assert choose("%skill", "save", ["save", "list"]) == "save"


@pytest.mark.parametrize("option", ["--api-key", "--base-url", "--api-base", "--key-env"])
def test_no_cell_takes_a_key_or_an_address(option: str) -> None:
    """They would be in the file, and a notebook from elsewhere would say where her keys go."""
    with pytest.raises(UsageError, match=f"'{option}' is no option here"):
        agent_parser().read(f"{option} x")
    assert "never written in a notebook" in agent_parser().format_help()
