"""Models without a service: scripted, replay, human."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact.errors import ConfigError, ModelError
from jupyter_codeact.events import CallDelta, Reply, TextDelta, ThinkingDelta
from jupyter_codeact.models.human import PROMPT, HumanModel
from jupyter_codeact.models.scripted import CALL, REPLY, SCRIPT, ScriptedModel, shipped_scripts
from jupyter_codeact.parts import ModelConfig, open_model
from jupyter_codeact.protocols import Model

DOCS = Path(__file__).parents[2] / "docs"
GO = [{"role": "user", "content": "Go."}]


async def asked(model: Model) -> list[Any]:
    return [delta async for delta in model.query(GO, [])]


async def test_a_script_says_what_it_is_written_to_say() -> None:
    broken = {"name": "run_cell", "arguments": '{"code": "x'}
    whole = {"name": "run_cell", "arguments": {"code": "y"}}
    model = ScriptedModel("s", [{"thinking": "Hm.", "text": "Two calls.", "calls": [broken, whole]}, {"submit": "ok"}])
    first, second = await asked(model), await asked(model)
    reply = first[-1]
    assert [(call.name, call.arguments) for call in reply.calls] == [
        ("run_cell", '{"code": "x'),
        ("run_cell", '{"code": "y"}'),
    ]
    assert len({call.id for call in reply.calls}) == 2
    assert "".join(d.text for d in first if isinstance(d, TextDelta)) == "Two calls."
    assert "".join(d.text for d in first if isinstance(d, ThinkingDelta)) == "Hm."
    streamed = {n: "".join(d.arguments for d in first if isinstance(d, CallDelta) and d.index == n) for n in (0, 1)}
    assert streamed == {0: '{"code": "x', 1: '{"code": "y"}'}
    assert json.loads(second[-1].calls[0].arguments) == {"answer": "ok"}
    assert reply.usage.sent > 0
    assert reply.usage.cost == 0.0


@pytest.mark.parametrize("name", shipped_scripts())
def test_the_scripts_that_ship_can_be_opened(name: str) -> None:
    assert open_model(ModelConfig(name=name)).name == name


SWE_AGENT = {
    "environment": "swe_main",
    "trajectory": [
        {"action": "ls -F\n", "observation": "a.py\n", "response": "I look.", "thought": "I look.", "state": {}},
        {"action": "submit\n", "observation": "", "response": "", "thought": "Done."},
    ],
    "history": [],
    "info": {"exit_status": "submitted", "submission": "diff --git"},
}


async def test_swe_agents_trajectories_are_replayed_as_shell_commands(tmp_path: Path) -> None:
    (tmp_path / "theirs.traj").write_text(json.dumps(SWE_AGENT))
    model = open_model(ModelConfig(name="replay/theirs.traj"), tmp_path)
    assert json.loads((await asked(model))[-1].calls[0].arguments) == {"code": "%%bash\nls -F\n"}
    assert (await asked(model))[-1].text == "diff --git"


@pytest.mark.parametrize(
    "text", ["", "{}", '{"trajectory": [{}]}', '{"trajectory": 1}', "[]", '{"trajectory": [], "info": [1]}']
)
def test_what_can_not_be_replayed_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.traj").write_text(text)
    with pytest.raises(ConfigError, match="can be replayed") as caught:
        open_model(ModelConfig(name="replay/x.traj"), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it must be a mapping with replies, delay_s."),
        ("[]", "it must be a mapping"),
        ("replies: 3", "it needs a list `replies`"),
        ("{}", "it needs a list `replies`"),
        ("replies: [", "expected the node content"),
        *(
            (f"replies: []\ndelay_s: {text}", f"its `delay_s` is {said}, and no number of seconds, such as 0.02.")
            for text, said in (("fast", "'fast'"), ("-1", "-1"), (".inf", "inf"), (".nan", "nan"), ("", "None"))
        ),
        ("replies: [text: \udce0\udcff]", "it is no text in UTF-8."),
        ("replies: []\ndelays_s: 1", "it has the key 'delays_s', which means nothing (did you mean delay_s?)."),
        (
            "replies: [text: a, {code: 1, txt: b}]",
            "reply 2 has the key 'txt', which means nothing (did you mean text?).",
        ),
        ("replies: [{zzz: 1}]", "(there are text, thinking, code, edit, submit, calls)."),
        ("replies: [text]", "reply 1 must be a mapping with text, thinking"),
        ("replies: [calls: x]", "reply 1 needs a list `calls`"),
        (
            "replies: [calls: [{nam: x}]]",
            "call 1 of reply 1 has the key 'nam', which means nothing (did you mean name?).",
        ),
        ("replies: [calls: [{name: x}]]", "call 1 of reply 1 has no arguments."),
        ("replies:\n- text: a: b", "it is no YAML, line 2, column 10: mapping values are not allowed here."),
    ],
)
def test_what_is_no_script_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigError, match=r"x\.yaml is not a script: ") as caught:
        open_model(ModelConfig(name="scripted/x"), tmp_path)
    assert said in str(caught.value)
    assert not {*"\n^"} & {*str(caught.value)}


@pytest.mark.parametrize(
    ("tools", "end"),
    [
        ([], "`%agent reset` begins it again."),
        ([{"function": {"name": "submit"}}], "A run from a terminal ends with a reply that has `submit`."),
    ],
)
async def test_a_script_that_is_spent_says_so(tools: list[dict[str, Any]], end: str) -> None:
    model = ScriptedModel("scripted/fit", [{"text": "One."}, {"text": "Two."}])
    for _ in range(2):
        await asked(model)
    with pytest.raises(ModelError) as caught:
        [_ async for _ in model.query(GO, tools)]
    assert str(caught.value) == f"scripted/fit has no more replies: it had 2 replies. {end}"


def test_the_document_names_every_key_of_a_script() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "scripted.md").read_text(), re.MULTILINE)
    assert rows == [*SCRIPT, *REPLY, *CALL]


async def test_a_person_writes_the_actions_until_she_rejects_one() -> None:
    model = HumanModel()
    reply = (await asked(model))[-1]
    assert json.loads(reply.calls[0].arguments) == {"code": PROMPT}
    rejected = [*GO, {"role": "tool", "content": "She rejected it.", "outcome": "rejected"}]
    *_, last = [delta async for delta in model.query(rejected, [])]
    assert last == Reply("Ended by you.")
