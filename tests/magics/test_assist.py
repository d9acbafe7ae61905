"""Tab and Shift+Tab in our magics."""

from __future__ import annotations

import pytest

from jupyter_codeact.magics.assist import Known, complete, inspect

KNOWN = Known(["gp_fit", "gp_plot", "io"], ["anthropic/claude-sonnet-4-5", "scripted/gp_fit"])


@pytest.mark.parametrize(
    ("head", "matches", "replaced"),
    [
        ("%%agent --mo", ["--model"], "--mo"),
        ("%%agent --model scr", ["scripted/gp_fit"], "scr"),
        ("%%agent -m ", ["anthropic/claude-sonnet-4-5", "scripted/gp_fit"], ""),
        ("%%agent --review ", ["ask", "auto"], ""),
        ("%%agent --skills io,gp_f", ["gp_fit"], "gp_f"),
        ("%%agent --new --max", ["--max-steps", "--max-tokens"], "--max"),
        ("%agent re", ["reset", "review"], "re"),
        ("%agent review a", ["ask", "auto"], "a"),
        ("%skill sh", ["show"], "sh"),
        ("%skill show gp", ["gp_fit", "gp_plot"], "gp"),
        ("%skill save x --n", ["--names"], "--n"),
        ("x = 1\n%skill li", ["list"], "li"),
        ("%skill show nope", [], "nope"),
        ("%skill save gp_f", ["gp_fit"], "gp_f"),
        ("%skill save x --names ", [], ""),
        ("%agent trust o", ["off", "outputs"], "o"),
        ("%%agent --review=au", ["auto"], "au"),
        ("%%agent --max-steps ", [], ""),
        ("%%agent --new --max-s", ["--max-steps"], "--max-s"),
    ],
)
def test_tab_completes_what_may_stand_there(head: str, matches: list[str], replaced: str) -> None:
    reply = complete(head + "\nrest of the cell", len(head), KNOWN)
    assert reply["matches"] == matches
    assert head[reply["cursor_start"] : reply["cursor_end"]] == replaced


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%agent --model x", "--review"),
        ("%agent", "%agent cost"),
        ("%agent cost", "usage: %agent cost"),
        ("%skill save x", "--names"),
        ("%skill log x", "usage: %skill log NAME"),
        ("%skill nope", "%skill save NAME"),
    ],
)
def test_shift_tab_shows_the_help_of_the_magic(line: str, words: str) -> None:
    assert words in inspect(line, len(line))["data"]["text/plain"]


@pytest.mark.parametrize(
    ("code", "offered"),
    [
        ("%skill rollback ", ["fit"]),
        ("%%skill ", ["edit"]),
        ("%%skill edit f", ["fit"]),
        ("%%skill edit fit --v", ["--version"]),
    ],
)
def test_versions_are_completed_too(code: str, offered: list[str]) -> None:
    assert complete(code, len(code), Known(["fit"], []))["matches"] == offered
