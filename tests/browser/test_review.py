"""Review by running, as a person meets it: real JupyterLab, real Chromium, the model over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from servers import ModelServer, Reply, ToolCall

from jupyter_codeact.sandbox.usage import descendants

from .lab import Notebook


def act(code: str, text: str = "", **options: Any) -> Reply:
    return Reply(text=text, tool_calls=[ToolCall("run_cell", {"code": code})], **options)


def told(service: ModelServer, request: int) -> str:
    """The last message of a request to the model."""
    return str(service.requests[request].json["messages"][-1])


async def test_a_run_from_prompt_to_answer(notebook: Notebook, service: ModelServer, shots: Path) -> None:
    service.add(act("b = a + 1\nprint('b is', b)", "I compute **b** first.", usage=(1000, 200)))
    service.add(act("print('twice', b * 2)", "Then twice of it.", usage=(1500, 100)))
    service.add(Reply(text="Twice *b* is **84**.", usage=(2000, 50)))
    await notebook.open("run", "a = 41", "%%agent\ncompute twice a plus one", "print('after', a)")
    await notebook.run_cell(0)
    await notebook.run_cell(1)
    await notebook.run_cell(2)
    bar = await notebook.ready()

    assert await notebook.proposed.count() == 1
    assert (await notebook.sources())[2] == "b = a + 1\nprint('b is', b)"
    words = await bar.inner_text()
    for part in ("Proposed", "step 1", "1.2k tokens", "$0.0"):
        assert part in words
    for name in ("Run", "Reject", "Run all", "Stop"):
        assert await notebook.button(name).first.is_visible()
    assert await notebook.cell(1).locator(".jp-RenderedMarkdown strong", has_text="b").count() == 1
    await notebook.page.screenshot(path=shots / "proposed.png")

    await notebook.proposed.locator(".cm-content").click()
    await notebook.page.keyboard.press("Shift+Enter")
    await notebook.until_output(2, "b is 42")
    await notebook.bar.get_by_text("step 2").wait_for()
    assert (await notebook.sources())[3] == "print('twice', b * 2)"
    # The cell after the agent's, run long ago, still waits.
    assert (await notebook.cells())[4]["execution_count"] is None
    await notebook.button("Run").first.click()
    assert await notebook.focus_is_in_notebook()

    await notebook.until_output(4, "after 41")
    await notebook.until_output(1, "Done")
    assert await notebook.bar.count() == 0
    assert await notebook.proposed.count() == 0
    answer = await notebook.cell(1).locator(".jp-OutputArea").inner_text()
    for part in ("Twice b is 84.", "2 steps", "4.8k tokens", "$0.0"):
        assert part in answer
    assert [mark["status"] for mark in await notebook.marks()] == ["accepted", "accepted"]
    assert "b is 42" in told(service, 1)
    await notebook.page.screenshot(path=shots / "done.png")


async def test_a_prompt_is_edited_as_prose_and_nothing_else_is(notebook: Notebook, shots: Path) -> None:
    """In Python's colours its `for`, `in` and `None` were keywords, and an apostrophe began a string."""
    prompt = "%%agent --review auto\nfor each class in `names`, don't import None:\n- plot it\n- **say** why"
    await notebook.open("prose", prompt, "%agent model", "%%agents\nfor x in y: pass")

    async def language(cell: int, is_one: str) -> None:
        await notebook.cell(cell).locator(f".cm-content[data-language={is_one}]").wait_for()

    await language(0, "markdown")
    await language(1, "python")
    await language(2, "python")
    await notebook.page.screenshot(path=shots / "prose.png")
    # The kernel says its language once more.
    await notebook.press_restart()
    await language(0, "markdown")
    editor = notebook.cell(1).locator(".cm-content")
    await editor.click()
    await editor.fill("%%agent\nwhat is in this notebook?")
    await language(1, "markdown")
    await editor.fill("%%agent --skil")
    await notebook.page.keyboard.press("Tab")
    await notebook.page.locator(".jp-Completer-item", has_text="--skills").wait_for()
    await notebook.page.keyboard.press("Enter")
    await notebook.cell(1).get_by_text("%%agent --skills").wait_for()
    await editor.fill("%agent model")
    await language(1, "python")


async def test_the_cell_fills_while_it_is_written_and_cannot_be_run_yet(
    notebook: Notebook, service: ModelServer, shots: Path
) -> None:
    rest = threading.Event()
    service.add(act("total = sum(range(100))\nprint('the total is', total)", "Soon.", hold_after=(6, rest)))
    service.add(Reply(text="ok"))
    await notebook.open("fill", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.proposed.locator(".cm-line", has_text="total").wait_for()
    half = (await notebook.sources())[1]
    assert half
    await notebook.until_output(0, "Soon.")
    assert (
        "print('the total is', total)".startswith(half)
        or half in "total = sum(range(100))\nprint('the total is', total)"
    )
    assert await notebook.bar.count() == 0
    await notebook.page.screenshot(path=shots / "filling.png")
    await notebook.proposed.locator(".cm-content").click()
    await notebook.page.keyboard.type("xyz")
    await notebook.page.keyboard.press("Shift+Enter")
    rest.set()
    await notebook.ready()
    assert (await notebook.sources())[1] == "total = sum(range(100))\nprint('the total is', total)"
    assert (await notebook.cells())[1]["execution_count"] is None
    await notebook.button("Run").first.click()
    await notebook.until_output(1, "the total is 4950")


async def test_her_edit_is_what_runs_and_what_the_model_is_told(
    notebook: Notebook, service: ModelServer, shots: Path
) -> None:
    service.add(act("answer = 'from the model'\nprint(answer)"), Reply(text="ok"))
    await notebook.open("edit", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.proposed.locator(".cm-line").first.click()
    await notebook.page.keyboard.press("End")
    await notebook.page.keyboard.type(" + ' and from her'")
    await notebook.bar.get_by_text("Edited").wait_for()
    await notebook.bar.get_by_role("button", name="Show proposal").click()
    await notebook.page.screenshot(path=shots / "edited.png")
    await notebook.proposed.locator(".cm-line").first.click()
    await notebook.page.keyboard.press("Shift+Enter")
    await notebook.until_output(1, "from the model and from her")
    await notebook.until_output(0, "1 edited")
    (mark,) = await notebook.marks()
    assert mark["status"] == "edited"
    assert mark["proposed"] == "answer = 'from the model'\nprint(answer)"
    assert "She edited the code" in told(service, 1)
    assert "and from her" in told(service, 1)


async def test_a_rejection_by_keyboard_alone_carries_its_reason(
    notebook: Notebook, service: ModelServer, shots: Path
) -> None:
    service.add(act("print('too much')"), act("print('better')"), Reply(text="ok"))
    await notebook.open("reject", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.button("Run").first.focus()
    await notebook.page.keyboard.press("ArrowRight")
    await notebook.page.keyboard.press("Enter")
    reason = notebook.page.get_by_placeholder("Reason")
    await reason.wait_for()
    await notebook.page.keyboard.type("dd too slow")
    await notebook.page.screenshot(path=shots / "reject.png")
    await notebook.page.keyboard.press("Enter")
    await notebook.page.locator(".jp-CodeAct-proposed .cm-line", has_text="better").wait_for()
    assert await notebook.focus_is_in_notebook()
    await notebook.ready()
    await notebook.button("Run").first.click()
    await notebook.until_output(0, "Done")
    marks = await notebook.marks()
    assert [mark["status"] for mark in marks] == ["rejected", "accepted"]
    assert marks[0]["reason"] == "dd too slow"
    assert "dd too slow" in told(service, 1)
    sources = await notebook.sources()
    assert any("print('better')" in source for source in sources)
    await notebook.page.screenshot(path=shots / "rejected.png")


async def test_run_all_goes_on_alone_and_can_be_turned_off(
    notebook: Notebook, service: ModelServer, shots: Path
) -> None:
    hold = threading.Event()
    service.add(act("print(1)"), act("print(2)"), act("print(3)", hold=hold), Reply(text="ok"))
    await notebook.open("all", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.button("Run all").click()
    await notebook.until_output(2, "2")
    back = notebook.cell(0).get_by_role("button", name="Review each step")
    await back.wait_for()
    await notebook.page.screenshot(path=shots / "run-all.png")
    await back.click()
    hold.set()
    await notebook.ready()
    assert (await notebook.cells())[3]["execution_count"] is None
    await notebook.button("Run").first.click()
    await notebook.until_output(0, "3 steps")


@pytest.mark.parametrize("moment", ["before the first byte", "in mid-stream", "while it waits", "in a running action"])
@pytest.mark.parametrize("how", ["interrupt", "Stop"])
async def test_stop_ends_it_at_once(notebook: Notebook, service: ModelServer, moment: str, how: str) -> None:
    never = threading.Event()
    held: dict[str, Any] = {"before the first byte": {"hold": never}, "in mid-stream": {"hold_after": (8, never)}}
    service.add(act("import time\nprint('running', flush=True)\ntime.sleep(600)", "Hm.", **held.get(moment, {})))
    service.add(Reply(text="I go on."))
    await notebook.open(f"stop-{how}-{moment.replace(' ', '-')}", "%%agent\ngo", "%%agent\nagain", "print('alive')")
    await notebook.run_cell(0)
    await until(notebook, service, moment)
    if how == "interrupt":
        await notebook.run_command("notebook:interrupt-kernel")
    else:
        await notebook.page.get_by_role("button", name="Stop", exact=True).first.click()
    await notebook.until_output(0, "Stopped by you")
    await notebook.idle()
    assert await notebook.bar.count() == 0
    assert [mark["status"] for mark in await notebook.marks()] in ([], ["stopped"])
    never.set()
    number = len(await notebook.cells())
    await notebook.run_cell(number - 2)
    await notebook.until_output(number - 2, "I go on.")
    await notebook.run_cell(number - 1)
    await notebook.until_output(number - 1, "alive")


async def until(notebook: Notebook, service: ModelServer, moment: str) -> None:
    match moment:
        case "before the first byte":
            await asyncio.to_thread(service.wait_for_request, 1)
            await notebook.cell(0).locator(".jp-CodeAct-status").wait_for()
        case "in mid-stream":
            await notebook.proposed.locator(".cm-line", has_text="import").wait_for()
        case "while it waits":
            await notebook.ready()
        case _:
            await notebook.ready()
            await notebook.button("Run").first.click()
            await notebook.until_output(1, "running")


async def test_the_agents_cell_says_what_it_does(notebook: Notebook, service: ModelServer, shots: Path) -> None:
    hold = threading.Event()
    service.add(Reply(text="ok", hold=hold))
    await notebook.open("status", "%%agent\ngo")
    await notebook.run_cell(0)
    status = notebook.cell(0).locator(".jp-CodeAct-status")
    await status.get_by_text("Thinking").first.wait_for()
    await status.get_by_text("2 s").first.wait_for()
    words = await status.inner_text()
    assert "tokens" in words
    assert await status.get_by_role("status").count() == 1
    await notebook.page.screenshot(path=shots / "thinking.png")
    hold.set()
    await notebook.until_output(0, "Done")
    assert await status.count() == 0


async def test_her_typing_elsewhere_is_not_disturbed(notebook: Notebook, service: ModelServer) -> None:
    hold = threading.Event()
    service.add(act("print('x')", hold=hold), Reply(text="ok"))
    await notebook.open("focus", "%%agent\ngo", "mine = 1")
    await notebook.run_cell(0)
    await asyncio.to_thread(service.wait_for_request, 1)
    await notebook.cell(1).locator(".cm-content").click()
    await notebook.page.keyboard.press("End")
    await notebook.page.keyboard.type("0")
    hold.set()
    await notebook.ready()
    await notebook.page.keyboard.type("0")
    assert (await notebook.sources())[2] == "mine = 100"
    assert await notebook.active_cell() == 2


async def test_a_reload_in_mid_run_brings_the_proposal_back(notebook: Notebook, service: ModelServer) -> None:
    service.add(act("print('one')"), act("print('two')"), Reply(text="The end."))
    await notebook.open("reload", "%%agent\ngo", "last = 1")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.reload()
    await notebook.ready()
    assert await notebook.sources() == ["%%agent\ngo", "print('one')", "last = 1"]
    await notebook.proposed.locator(".cm-content").click()
    await notebook.page.keyboard.press("Shift+Enter")
    await notebook.until_output(1, "one")
    await notebook.bar.get_by_text("step 2").wait_for()
    assert (await notebook.sources())[2] == "print('two')"
    await notebook.button("Run").first.click()
    await notebook.until_output(2, "two")
    await notebook.until_output(0, "The end.")
    await notebook.idle()
    assert [mark["status"] for mark in await notebook.marks()] == ["accepted", "accepted"]


async def test_a_second_window_takes_the_proposal_over(notebook: Notebook, service: ModelServer) -> None:
    service.add(act("print('one')"), act("print('two')"), Reply(text="The end."))
    await notebook.open("second", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    second = await notebook.in_second_window()
    await second.ready()
    elsewhere = notebook.page.get_by_text("Another window has this run")
    await elsewhere.wait_for()
    assert await notebook.bar.count() == 0
    await second.proposed.locator(".cm-content").click()
    await second.page.keyboard.press("Shift+Enter")
    await second.until_output(1, "one")
    await second.bar.get_by_text("step 2").wait_for()
    await second.button("Run").first.click()
    await second.until_output(2, "two")
    await second.until_output(0, "The end.")
    await second.idle()
    await elsewhere.wait_for(state="detached")
    assert [mark["status"] for mark in await second.marks()] == ["accepted", "accepted"]


async def test_undo_takes_no_proposal_away_for_good(notebook: Notebook, service: ModelServer) -> None:
    """She may have meant a change of her own; a cell that she deletes is rejected."""
    service.add(act("print('one')"), act("print('two')"), act("print('three')"), Reply(text="The end."))
    await notebook.open("undo", "%%agent\ngo", "last = 1")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.run_command("notebook:undo-cell-action")
    await notebook.cell(0).get_by_text("Redo brings the cell back").first.wait_for()
    assert await notebook.sources() == ["%%agent\ngo", "last = 1"]
    await notebook.run_command("notebook:redo-cell-action")
    await notebook.ready()
    assert await notebook.cell(0).get_by_text("Redo brings the cell back").count() == 0
    assert await notebook.sources() == ["%%agent\ngo", "print('one')", "last = 1"]
    await notebook.button("Run").first.click()
    await notebook.until_output(1, "one")
    await notebook.bar.get_by_text("step 2").wait_for()
    await notebook.run_command("notebook:delete-cell")
    # What comes next stands where that one stood.
    await notebook.bar.get_by_text("step 3").wait_for()
    assert await notebook.sources() == ["%%agent\ngo", "print('one')", "print('three')", "last = 1"]
    await notebook.run_command("notebook:delete-cell")
    await notebook.until_output(0, "The end.")
    assert "one" in told(service, 1)
    assert "She deleted the cell." in told(service, 2)


async def test_a_proposal_that_she_made_markdown_says_so_and_run_makes_it_code(
    notebook: Notebook, service: ModelServer
) -> None:
    service.add(act("print('one')"), act("print('two')"), Reply(text="The end."))
    await notebook.open("markdown", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.proposed.locator(".cm-content").click()
    await notebook.page.keyboard.press("End")
    await notebook.page.keyboard.type(" # hers")
    await notebook.page.keyboard.press("Escape")
    await notebook.page.keyboard.press("m")
    await notebook.bar.get_by_text("No code cell now").wait_for()
    await notebook.page.keyboard.press("y")
    await notebook.bar.get_by_text("Edited").wait_for()
    await notebook.page.keyboard.press("m")
    await notebook.bar.get_by_text("No code cell now").wait_for()
    # Her text is there after a reload, too.
    await notebook.reload()
    await notebook.bar.get_by_text("Edited").wait_for()
    assert (await notebook.sources())[1] == "print('one') # hers"
    await notebook.run_command("notebook:change-cell-to-markdown")
    await notebook.bar.get_by_text("No code cell now").wait_for()
    await notebook.button("Run").first.click()
    await notebook.until_output(1, "one")
    await notebook.bar.get_by_text("step 2").wait_for()
    await notebook.button("Run").first.click()
    await notebook.until_output(0, "The end.")
    assert [mark["status"] for mark in await notebook.marks()] == ["edited", "accepted"]


async def test_the_other_half_of_a_split_proposal_is_hers(notebook: Notebook, service: ModelServer) -> None:
    service.add(act("print('one')\nprint('two')"), Reply(text="The end."))
    await notebook.open("split", "%%agent\ngo", "last = 1")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.proposed.locator(".cm-line").nth(1).click()
    await notebook.page.keyboard.press("Home")
    await notebook.run_command("notebook:split-cell-at-cursor")
    await notebook.bar.get_by_text("Edited").wait_for()
    assert await notebook.sources() == ["%%agent\ngo", "print('one')", "print('two')", "last = 1"]
    assert [mark["status"] for mark in await notebook.marks()] == ["proposed"]
    assert await notebook.page.get_by_text("Proposed, never run").count() == 0
    await notebook.button("Run").first.click()
    await notebook.until_output(0, "The end.")
    assert [mark["status"] for mark in await notebook.marks()] == ["edited"]


async def test_what_waits_for_its_turn_is_not_said_to_have_never_run(notebook: Notebook, service: ModelServer) -> None:
    service.add(act("print('one')"), act("print('two')"))
    await notebook.open("queued", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.button("Stop").first.click()
    never_run = notebook.page.get_by_text("Proposed, never run")
    await never_run.wait_for()
    await notebook.idle()
    await notebook.begin_command("notebook:run-all-cells")
    # The new proposal stands above it.
    await notebook.ready()
    assert (await notebook.sources())[2] == "print('one')"
    assert await never_run.count() == 0
    await notebook.button("Stop").first.click()
    await never_run.nth(1).wait_for()


async def test_a_run_whose_cell_is_deleted_goes_on_and_says_where_its_answer_is(
    notebook: Notebook, service: ModelServer
) -> None:
    service.add(act("print('one')"), Reply(text="The end of it."))
    await notebook.open("deleted", "%%agent\ngo", "%agent history")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    await notebook.run_command("notebook:delete-cell")
    await notebook.page.get_by_text("will have its answer").wait_for()
    await notebook.button("Run").first.click()
    await notebook.until_output(0, "one")
    await notebook.idle()
    await notebook.run_cell(1)
    await notebook.until_output(1, "The end of it.")


async def test_an_edit_of_the_library_is_shown_as_a_diff_and_can_be_refused(
    notebook: Notebook, service: ModelServer, lab: tuple[str, Path], shots: Path
) -> None:
    create = {"command": "create", "path": "skill:sines.py", "file_text": "def f(x):\n    return x\n"}
    edit = Reply(text="I store it.", tool_calls=[ToolCall("edit_file", create)])
    service.add(edit, edit, act("import sines\nprint(sines.f(42))"), Reply(text="ok"))
    stored = lab[1] / ".codeact" / "skills" / "private" / "default" / "sines.py"
    await notebook.open("library", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    await notebook.until_output(0, "def f(x):")
    await notebook.page.screenshot(path=shots / "edit-of-a-skill.png")
    await notebook.button("Reject").click()
    await notebook.page.get_by_placeholder("Reason").fill("not yet")
    await notebook.page.keyboard.press("Enter")
    await asyncio.to_thread(service.wait_for_request, 2)
    assert not stored.exists()
    assert "not yet" in told(service, 1)
    await notebook.bar.get_by_role("button", name="Save").click()
    await notebook.proposed.wait_for()
    assert stored.exists()
    await notebook.button("Run").first.click()
    await notebook.until_output(1, "42")
    await notebook.until_output(0, "1 change to skills")


async def test_dark_and_narrow(notebook: Notebook, service: ModelServer, shots: Path) -> None:
    service.add(act("import numpy as np\nx = np.linspace(0, 6, 50)", "First the grid."), Reply(text="ok"))
    await notebook.open("dark", "%%agent\nmake a grid")
    await notebook.page.evaluate(
        "async () => { await jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); }"
    )
    try:
        await notebook.run_cell(0)
        await notebook.ready()
        await notebook.page.screenshot(path=shots / "dark.png")
        await notebook.page.set_viewport_size({"width": 640, "height": 700})
        await notebook.page.screenshot(path=shots / "narrow.png")
        for name in ("Run", "Reject", "Run all", "Stop"):
            assert await notebook.button(name).first.is_visible()
        await notebook.button("Run").first.click()
        await notebook.until_output(0, "Done")
    finally:
        await notebook.page.evaluate(
            "async () => { await jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'}); }"
        )


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("restarted", "This run is over"),
        ("restarted from elsewhere", "Stopped by you"),
        ("killed", "This run is over"),
    ],
)
async def test_a_run_whose_kernel_is_gone_says_so_and_leaves_an_ordinary_cell(
    notebook: Notebook, service: ModelServer, shots: Path, how: str, said: str
) -> None:
    service.add(act("print('one')", "I print."), act("print('two')"))
    await notebook.open(f"gone-{how.replace(' ', '-')}", "%%agent\ngo")
    await notebook.run_cell(0)
    await notebook.ready()
    kernel = await notebook.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    match how:
        case "restarted":
            await notebook.press_restart()
        case "killed":
            (pid,) = (pid for pid in descendants(os.getpid()) if f"kernel-{kernel}.json" in command_of(pid))
            os.kill(pid, signal.SIGKILL)
            await notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
        case _:
            await notebook.page.request.post(f"{notebook.address}/api/kernels/{kernel}/restart")
    await notebook.until_output(0, said)
    await notebook.cell(1).get_by_text("Proposed, never run").wait_for()
    assert await notebook.bar.count() == 0
    await notebook.page.screenshot(path=shots / f"gone-{how.replace(' ', '-')}.png")
    await notebook.idle()
    await notebook.run_cell(1)
    await notebook.until_output(1, "one")
    await notebook.cell(1).get_by_text("Proposed, never run").wait_for(state="detached")
    # The page is attached to the new kernel.
    await notebook.run_cell(0)
    await notebook.ready()
    assert "This run is over" not in await notebook.cell(0).inner_text()


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.parametrize("before", ["nothing ran", "a run was stopped", "a proposal waits"])
async def test_restart_and_run_all_shows_the_proposal(notebook: Notebook, service: ModelServer, before: str) -> None:
    """All cells are sent as soon as the new kernel is there, and the page attaches behind them."""
    await notebook.open(f"again-{before.replace(' ', '-')}", "%%agent\ngo", "y = 2")
    if before != "nothing ran":
        service.add(act("print('zero')"))
        await notebook.run_cell(0)
        await notebook.ready()
    if before == "a run was stopped":
        await notebook.button("Stop").first.click()
        await notebook.until_output(0, "Stopped by you")
        await notebook.idle()
    service.add(act("print('one')"), Reply(text="The end."))
    await notebook.restart_and_run_all()
    await notebook.ready()
    await notebook.button("Run").first.click()
    await notebook.until_output(1, "one")
    await notebook.until_output(0, "The end.")
