"""Review by running, over the comm that the JupyterLab extension speaks: a document is the front end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from helpers import history, marks, shown, until_shown

from jupyter_codeact.notebook.document import Document, Proposal

Opened = Callable[..., Any]
Script = Callable[..., None]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def wait(_proposal: Proposal) -> None:
    """The review of somebody who hasn't looked yet."""


async def test_actions_become_cells_in_order_and_share_her_variables(opened: Opened, script: Script) -> None:
    script({"text": "One.", "code": "b = a + 1\nprint('b is', b)"}, {"code": "c = b * 2"}, {"text": "c is **84**."})
    async with opened("a = 41", "%%agent\ncompute c", "print(c, In[1])") as document:
        await document.run_cells()
        first, agent, one, two = document.nb.cells[:4]
    assert [cell.source for cell in (one, two)] == ["b = a + 1\nprint('b is', b)", "c = b * 2"]
    assert shown(one) == "b is 42\n"
    assert "c is **84**." in shown(agent)
    assert "**Done** · 2 steps" in shown(agent)
    assert [mark["status"] for mark in marks(document)] == ["accepted", "accepted"]
    assert [cell.execution_count for cell in (first, agent, one, two)] == [1, 2, 3, 4]


async def test_what_she_edited_runs_and_the_model_is_told(opened: Opened, script: Script, home: Any) -> None:
    async def edit(proposal: Proposal) -> None:
        proposal.cell.source = "print('hers')"
        proposal.run()

    script({"code": "print('its')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        document.review = edit
        await document.run_cells()
    mark = marks(document)[0]
    assert shown(document.nb.cells[1]) == "hers\n"
    assert (mark["status"], mark["proposed"]) == ("edited", "print('its')")
    told = history(home)[-2]["content"]
    assert "She edited the code" in told
    assert "print('hers')" in told
    assert "hers" in told


async def test_a_rejection_carries_its_reason_and_the_run_goes_on(opened: Opened, script: Script, home: Any) -> None:
    async def review(proposal: Proposal) -> None:
        proposal.reject("not the table") if "drop" in proposal.cell.source else proposal.run()

    script({"code": "print('drop')"}, {"code": "print('keep')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        document.review = review
        await document.run_cells()
    assert [mark["status"] for mark in marks(document)] == ["rejected", "accepted"]
    assert marks(document)[0]["reason"] == "not the table"
    assert shown(document.nb.cells[1]) == ""
    assert any("Her reason: not the table" in str(message["content"]) for message in history(home))


async def test_cells_after_the_agent_wait_until_it_ends(opened: Opened, script: Script) -> None:
    script({"code": "x = 'the agent'"}, {"text": "ok"})
    async with opened("x = 'nobody'", "%%agent\ngo", "print(x)", review=wait) as document:
        ends = [document.send(cell) for cell in list(document.nb.cells)]
        ready = await document.until("ready")
        assert not ends[2].done()
        Proposal(document, ready, document.cell(ready["id"])).run()
        assert [await end for end in ends] == ["ok", "ok", "ok"]
        assert shown(document.nb.cells[-1]) == "the agent\n"


async def test_a_failed_step_is_shown_and_repaired(opened: Opened, script: Script, home: Any) -> None:
    script({"code": "print('before'); 1/0"}, {"code": "print('mended')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        assert [mark["status"] for mark in marks(document)] == ["failed", "accepted"]
        await document.until("status", text="Step 1 failed, the agent is trying again")
    told = next(str(m["content"]) for m in history(home) if "ZeroDivisionError" in str(m["content"]))
    assert told.index("before") < told.index("ZeroDivisionError")


async def test_code_that_does_not_compile_never_becomes_a_cell(opened: Opened, script: Script, home: Any) -> None:
    script({"code": "print('a'\nprint('b')"}, {"code": "print('a')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
    assert [cell.source for cell in document.nb.cells[1:]] == ["print('a')"]
    assert not any("does not compile" in str(message["content"]) for message in history(home))


async def test_what_is_refused_before_it_runs_is_a_line_in_the_agents_cell(opened: Opened, script: Script) -> None:
    """She would see a model that goes round in circles."""
    script({"text": "I ask.", "code": "input()"}, {"text": "", "code": "print("}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        await document.run_cells()
        (agent,) = document.nb.cells
    lines = [line for line in shown(agent).splitlines() if line]
    assert lines[:3] == [
        "Not run: `input()` waits for a person, or ends the kernel; the model was told.",
        "Not run: the code does not compile; the model was told.",
        "ok",
    ]


async def test_a_second_prompt_continues_and_reset_starts_afresh(opened: Opened, script: Script, home: Any) -> None:
    script({"text": "first"}, {"text": "second"}, {"text": "third"})
    cells = ["%%agent\none", "%%agent\ntwo", "%agent status", "%agent reset", "%agent status", "%agent cost"]
    async with opened(*cells) as document:
        await document.run_cells()
        two, before, _, after, cost = document.nb.cells[1:]
    assert "second" in shown(two)
    assert "5 messages" in shown(before)
    assert "0 messages" in shown(after)
    assert "2 calls" in shown(cost)


@pytest.mark.parametrize("moment", ["writing", "waiting", "running"])
@pytest.mark.parametrize("how", ["interrupt", "stop"])
async def test_stop_ends_the_run_at_once(opened: Opened, script: Script, home: Any, moment: str, how: str) -> None:
    code = "import time\nprint('running', flush=True)\ntime.sleep(600)"
    script({"text": "Look.", "code": code}, {"text": "after"}, delay_s=600 if moment == "writing" else 0)

    async def review(proposal: Proposal) -> None:
        if moment == "running":
            proposal.run()

    async with opened("%%agent\ngo", "%%agent --model scripted/calm\nagain", "1 + 1", review=review) as document:
        (document_folder(document) / "calm.yaml").write_text("replies: [{text: I go on.}]")
        agent, again, plain = document.nb.cells
        end = document.send(agent)
        await document.until("status", state={"writing": "thinking"}.get(moment, moment))
        if moment == "running":
            await until_shown(document, "running")
        document.interrupt() if how == "interrupt" else document.say(op="stop")
        assert await end == "error"
        assert f"Stopped by you {'in step 1' if moment == 'running' else 'before the first step'}" in shown(agent)
        assert [mark["status"] for mark in marks(document)] in ([], ["stopped"])
        assert await document.run_cell(again) == "ok"
        assert "I go on." in shown(again)
        assert await document.run_cell(plain) == "ok"
    assert_every_call_is_answered(history(home))
    # What ran before the Stop is known to the model and on record, and was interrupted once.
    assert str(history(home)).count("It was interrupted.") == (1 if moment == "running" else 0)


async def test_a_stop_right_behind_a_run_ends_what_was_run(opened: Opened, script: Script) -> None:
    async def run_and_stop(proposal: Proposal) -> None:
        proposal.run()
        proposal.document.say(op="stop")

    script({"code": "import time\ntime.sleep(600)"}, {"text": "after"})
    async with opened("%%agent\ngo", "1 + 1", review=run_and_stop) as document:
        agent, plain = document.nb.cells
        assert await document.run_cell(agent) == "error"
        assert await document.run_cell(plain) == "ok"
        assert marks(document)[0]["status"] == "stopped"


CATCHING = """
import signal
begun = open('begun', 'w')
while True:
    try:
        begun.close()
        while True: pass
    except KeyboardInterrupt:
        # In one piece.
        print('caught\\n', end='', flush=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
"""
# No other thread of Python's runs either: not even the one that hears of the interrupt.
IN_C = """
import itertools, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
open('begun', 'w').close()
sum(itertools.repeat(1))
"""


@pytest.mark.parametrize(("deaf", "said"), [(CATCHING, "caught\n"), (IN_C, "")], ids=["in Python", "in C"])
async def test_a_stop_ends_the_run_where_its_code_goes_on_and_a_restart_ends_that(  # noqa: PLR0917  # fixtures and a table
    opened: Opened, script: Script, home: Any, work: Any, deaf: str, said: str
) -> None:
    os.mkfifo(work / "begun", 0o666)
    script({"code": deaf}, {"text": "after"})
    async with opened("%%agent --review auto\ngo", "1 + 1") as document:
        agent, plain = document.nb.cells
        end = document.send(agent)
        await asyncio.to_thread((work / "begun").read_text)
        document.interrupt()
        assert await end == "error"
        assert "Stopped by you in step 1" in shown(agent)
        assert "Step 1 has not ended: its code ignores interrupts, and cells wait for it." in shown(agent)
        assert "It was stopped before it had ended, and may still run." in str(history(home))
        # What it printed of the first interrupt came; the second it does not hear.
        assert shown(document.nb.cells[1]) == said
        waiting = document.send(plain)
        await document.km.restart_kernel(now=False)
        assert not waiting.done()
        assert await document.run_cell(plain) == "ok"
        assert shown(plain) == "2"


async def test_a_cell_that_still_fills_cannot_be_run(opened: Opened, script: Script) -> None:
    script({"code": "print('x')"}, {"text": "ok"}, delay_s=0.3)
    async with opened("%%agent\ngo", review=wait) as document:
        end = document.send(document.nb.cells[0])
        proposed = await document.until("propose")
        assert await document.send(document.cell(proposed["id"])) == "aborted"
        ready = await document.until("ready")
        Proposal(document, ready, document.cell(ready["id"])).run()
        assert await end == "ok"
        assert shown(document.cell(ready["id"])) == "x\n"


async def test_run_all_lets_the_agent_go_on_alone(opened: Opened, script: Script) -> None:
    async def run_all_from_here(proposal: Proposal) -> None:
        proposal.document.say(op="auto", on=True)
        proposal.run()

    create = {"command": "create", "path": "skill:m.py", "file_text": "x = 1\n"}
    script({"code": "a = 1"}, {"code": "b = 2"}, {"edit": create})
    async with opened("%%agent\ngo") as document:
        document.review = run_all_from_here
        await document.run_cells()
        autos = [message["auto"] for message in document.said if message["op"] == "ready"]
        assert autos == [False, True]
        assert not [message for message in document.said if message["op"] == "confirm"]


async def test_a_reloaded_page_gets_the_open_proposal_and_goes_on(opened: Opened, script: Script) -> None:
    script({"code": "print('one')"}, {"code": "print('two')"}, {"text": "ok"})
    async with opened("%%agent\ngo", review=wait) as document:
        end = document.send(document.nb.cells[0])
        await document.until("ready")
        document.said.clear()
        document.comm_id = "another page"
        document.attach()
        ready = await document.until("ready")
        document.review = run_it
        Proposal(document, ready, document.cell(ready["id"])).run()
        assert await end == "ok"
        assert [cell.source for cell in document.nb.cells[1:]] == ["print('one')", "print('two')"]


@pytest.mark.parametrize("page", ["attaches once more", "attaches only now", "is opened anew"])
async def test_a_page_that_attaches_behind_its_request_has_the_run(opened: Opened, script: Script, page: str) -> None:
    """As after Restart and Run All, where cells are sent before the page hears that the kernel has started."""
    script({"code": "print('it ran')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        await document.until("attached")
        session = document.client.session
        if page == "attaches only now":
            document.post(session.msg("comm_close", {"comm_id": document.comm_id, "data": {}}))
        agent = document.nb.cells[0]
        ended = document.send(agent)
        document.comm_id = "the new one"
        content = {"comm_id": document.comm_id, "target_name": "jupyter_codeact", "data": {"op": "attach"}}
        attach = session.msg("comm_open", content)
        if page == "is opened anew":
            attach["header"]["session"] = "another"
        document.post(attach)
        assert await ended == "ok"
        assert shown(document.nb.cells[1]) == "it ran\n"
        told = [said for said in document.said if said["op"] == "attached"]
        # Its own outputs JupyterLab brings to the page that asked; another one is told whose they are.
        assert any(said.get("cell") == agent.id for said in told) == (page == "is opened anew")


async def test_a_removed_cell_is_a_rejection(opened: Opened, script: Script, home: Any) -> None:
    async def remove(proposal: Proposal) -> None:
        proposal.document.say(op="reject", id=proposal.message["id"], reason="", removed=True)

    script({"code": "print('x')"}, {"text": "ok"})
    async with opened("%%agent\ngo") as document:
        document.review = remove
        await document.run_cells()
    assert any("She deleted the cell." in str(message["content"]) for message in history(home))


async def test_code_in_the_sandbox_cannot_speak_on_our_comm(opened: Opened, script: Script) -> None:
    forged = (
        "from ipykernel.comm import Comm\n"
        "comm = Comm(target_name='jupyter_codeact', data={'op': 'propose', 'id': 'forged'})\n"
        "comm.send({'op': 'ready', 'id': 'forged', 'source': 'x', 'auto': True})"
    )
    async with opened(forged, "1") as document:
        await document.run_cells()
        assert not any(message.get("id") == "forged" for message in document.said)


async def test_a_timeout_keeps_what_was_printed(opened: Opened, script: Script, home: Any) -> None:
    script({"code": "print('partial', flush=True)\nimport time; time.sleep(600)"}, {"text": "ok"})
    async with opened("%%agent --step-timeout 1\ngo") as document:
        await document.run_cells()
    told = next(str(m["content"]) for m in history(home) if "partial" in str(m["content"]))
    assert "took too long" in told


async def run_it(proposal: Proposal) -> None:
    proposal.run()


async def test_an_output_widget_of_her_cell_clears_its_own_in_the_agent_s(
    opened: Opened, script: Script, home: Any
) -> None:
    """One that an earlier cell has made, whose opening no message of the action's tells."""
    pytest.importorskip("ipywidgets")
    code = "print('before')\nwith out: clear_output(); print('inner')\nprint('after')"
    script({"code": code}, {"text": "ok"})
    made = "import ipywidgets; from IPython.display import clear_output; out = ipywidgets.Output(); display(out)"
    async with opened(made, "%%agent\ngo") as document:
        await document.run_cells()
        assert shown(document.nb.cells[2]).split() == ["before", "after"]
        assert [state["outputs"][0]["text"] for state in document.widget_state.values() if state.get("outputs")] == [
            "inner\n"
        ]
    told = next(str(m["content"]) for m in history(home) if m["role"] == "tool")
    assert "before\ninner\nafter" in told


@pytest.mark.parametrize("review", ["ask", "auto"])
async def test_her_cell_after_steps_in_a_fresh_sandbox_is_told_what_is_true(
    opened: Opened, script: Script, review: str
) -> None:
    script({"code": "import os; os.kill(os.getpid(), 9)"}, {"code": "b = 5"}, {"text": "ok"})
    look = "print('a' in dir(), 'b' in dir())"
    async with opened("a = 1", f"%%agent --review {review}\ngo", look, look) as document:
        for cell in [*document.nb.cells]:
            await document.run_cell(cell)
        after, then = document.nb.cells[-2:]
    gone = "Variables from before that are gone; the agent's steps since then ran in a fresh one."
    assert shown(after).splitlines()[-1] == "False True"
    assert gone in shown(after)
    assert shown(then) == "False True\n"


def document_folder(document: Document) -> Any:
    from pathlib import Path

    return Path(document.resources["metadata"]["path"])


def assert_every_call_is_answered(messages: list[dict[str, Any]]) -> None:
    calls = [call["id"] for message in messages for call in message.get("tool_calls", [])]
    answers = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert calls == answers


async def test_a_file_name_that_is_no_text_does_not_end_the_kernel(opened: Opened, script: Script, home: Any) -> None:
    script({"code": "print('name: a\\udc80b')"}, {"text": "ok"})
    async with opened("%%agent\ngo", "1 + 1") as document:
        agent, after = document.nb.cells
        assert await document.run_cell(agent) == "ok"
        assert await document.run_cell(after) == "ok"
    assert any("name: a" in str(message["content"]) for message in history(home) if message["role"] == "tool")
