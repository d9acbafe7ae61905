"""What the sandbox prints, in a real page: it neither acts nor loads anything; what is harmless is shown."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from servers import Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.guard import charts, members

from . import hostile, hostile_models
from .lab import SLOW_MS, Notebook, browser_page

NAMED = re.compile(r"canary(?:=|\.invalid/)([\w-]+)")
UPDATED = "updated-"
VEGA_LITE = "application/vnd.vegalite.v5+json"
COUNTED = re.compile(r"\[\d+\]")
TOUCH = """async () => {
    for (const node of document.querySelectorAll('.jp-OutputArea-output *')) {
        for (const name of ['mouseover', 'mouseenter', 'mousemove', 'focus', 'pointerenter'])
            node.dispatchEvent(new MouseEvent(name, {bubbles: true, clientX: 5, clientY: 5}));
        // What stands in a link is one, too.
        const link = node.closest('a[href]');
        if (/^https?:/.test(link?.href) && link.hostname !== location.hostname) continue;
        if (node.matches('.vega-actions a')) continue;
        if (node.matches('img[src^="blob:"]')) window.open(node.src);
        node.click ? node.click() : node.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
        // Of the places that a page is told to go to in one task it goes to the last.
        if (node.matches('a, area, button, input, svg *')) await new Promise(done => setTimeout(done));
    }
}"""
# Those of a chart's own buttons aside. Of what looks like a path some versions make a link that opens a file.
LINKS = """() => [...document.querySelectorAll('.jp-OutputArea-output a[href]')]
    .filter(a => !a.closest('.vega-actions, .jp-RenderedPlotly'))
    .filter(a => a.dataset.commandlinkerCommand !== 'rendermime:handle-local-link')
    .map(a => [a.protocol, a.hostname === location.hostname, a.target, a.rel])"""
# JupyterLab asks the server before it makes a link of a path its own command's.
LINKED = f"() => ({LINKS})().every(([, isOwn]) => !isOwn)"
# Vega answers to an event in a task of its own.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
AWAY = """async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.reconnect(); }"""
METHODS = """() => [
    Object, Array, String, Number, Boolean, BigInt, Symbol, Date, RegExp, Function, Error, Map, Set, WeakMap,
    WeakSet, Promise, ArrayBuffer, DataView, Uint8Array, Object.getPrototypeOf(Uint8Array),
].flatMap(kind => Object.entries(Object.getOwnPropertyDescriptors(kind.prototype)))
    .filter(([, member]) => typeof member.value === 'function')
    .map(([name]) => name)"""
SHARED = "() => Object.keys(Object.prototype)"
SETTLED = """async () => {
    await new Promise(done => requestIdleCallback(done, {timeout: 3000}));
    await fetch('/api/kernelspecs');
    await new Promise(done => requestIdleCallback(done, {timeout: 3000}));
}"""


def shown(attacks: list[hostile.Attack], source: str = hostile.SHOW) -> list[str]:
    """Cells that display them, each with fewer outputs than JupyterLab shows at once."""
    parts = (attacks[start : start + 30] for start in range(0, len(attacks), 30))
    return [source.format(bundles=json.dumps(part)).strip() for part in parts]


def spoken() -> list[str]:
    """Cells that try it with anything but displays."""
    printed = hostile.PRINT.format(
        vega=json.dumps(hostile.VEGA),
        programs=json.dumps(hostile.PROGRAMS),
        expression=json.dumps(hostile.EXPRESSION),
        lite=json.dumps(hostile.LITE),
        figures=[hostile.PLOTLY, hostile.MAP],
        act=hostile.act("printed").replace("'", "\\'"),
    )
    answered, raised = (source.format(act=hostile.act("spoken")) for source in (hostile.SPOKEN, hostile.RAISED))
    widgets = hostile.WIDGETS.format(act=hostile.act("widget")), hostile_models.source()
    answered += hostile.COMPLETED
    return [source.strip() for source in (printed, *widgets, answered, hostile.REPLACED, raised)]


def _is_attack(url: str) -> bool:
    return "canary" in url or "/files/evil" in url


class Watch:
    """Every request of the page that an attack would make, and what it would say. None of them is answered."""

    def __init__(self, notebook: Notebook) -> None:
        self.page = notebook.page
        # A link may open a page of its own.
        self.context = notebook.page.context
        self.requests: list[str] = []
        self._news = asyncio.Event()
        self.context.on("request", lambda request: self._note(request.url))
        notebook.page.on("framenavigated", lambda frame: self._note(frame.url))
        # What only speaks: Vega's own function.
        notebook.page.on(
            "console", lambda said: self._note(said.text) if said.text.startswith("WARN EXPRESSION canary") else None
        )
        notebook.page.on("download", lambda download: self._note(download.suggested_filename))

    def _note(self, url: str) -> None:
        if _is_attack(url):
            self.requests.append(url)
            self._news.set()

    async def stay(self) -> None:
        """Have the page stay where it is, wherever an attack would take it."""
        await self.context.route(_is_attack, lambda route: route.fulfill(status=204))

    async def until_acted(self, names: set[str]) -> None:
        """Until each of these attacks made its request."""
        while missing := names - {name for url in self.requests for name in NAMED.findall(url)}:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), SLOW_MS / 1000)
            except TimeoutError:
                pytest.fail(f"did not act: {sorted(missing)}")

    async def touch(self) -> None:
        """Do what a person might: move over everything, click everything that is no link to elsewhere.

        Where one formula is typeset, MathJax is there, and all that came before are.
        """
        await self.page.locator(".jp-OutputArea-output mjx-container").first.wait_for(state="attached")
        await self.page.evaluate(SETTLED)
        await self.page.evaluate(TOUCH)
        await self.page.evaluate(SETTLED)

    async def pwned(self) -> list[str]:
        return list(await self.page.evaluate("() => window.pwned || []"))


async def test_nothing_that_the_sandbox_prints_acts_in_the_page(
    notebook: Notebook, lab: tuple[str, Path], shots: Path
) -> None:
    (lab[1] / "evil.js").write_text("(window.pwned=window.pwned||[]).push('require')")
    charted = [(name, VEGA_LITE, {"$schema": charts.LITE, **spec}, {}) for name, spec in hostile.SHARED.items()]
    attacks = [*shown(hostile.bundles()), *shown(hostile.bundles(UPDATED), hostile.UPDATE), *shown(charted)]
    cells = [*attacks, *spoken()]
    saved = hostile_models.saved(*hostile_models.SAVED)
    await notebook.open("hostile", *cells, "print('still', 9 * 9)", "'not run'", widgets=saved)
    watch = Watch(notebook)
    await run_all(notebook, len(cells))
    await notebook.run_cell(len(cells))
    await notebook.until_output(len(cells), "still 81")
    await notebook.press_tab(len(cells) + 1)
    await notebook.page.evaluate(AWAY)
    await notebook.page.locator(".widget-html").get_by_text("back", exact=True).wait_for()
    await watch.touch()
    await notebook.page.screenshot(path=shots / "held-back.png")

    assert await watch.pwned() == []
    assert watch.requests == []
    assert await notebook.page.evaluate(SHARED) == []
    await notebook.page.wait_for_function(LINKED)
    for protocol, _, target, rel in await notebook.page.evaluate(LINKS):
        assert protocol in ("http:", "https:", "mailto:")
        assert target == "_blank"
        assert "noopener" in rel
    assert await notebook.sources() == [*cells, "print('still', 9 * 9)", "'not run'"]
    assert await notebook.page.locator(".jp-Completer-item", has_text="%%agent").count() == 0
    assert await notebook.bar.count() == 0
    assert await notebook.page.locator(".jp-OutputArea-output .jp-Dialog, .jp-OutputArea-output iframe").count() == 0
    assert await notebook.cell(0).get_by_text("Held back: JavaScript output").count() >= 1
    # Her own, and of the models those that are not what they say.
    assert await notebook.page.get_by_text("Held back: a widget with code of its own").count() == 4
    assert await notebook.page.get_by_text("Held back: a type without a name").count() == 1


@pytest.mark.parametrize(("kernel", "written"), [("codeact", ("python", ".py")), ("python3", ("evil.Exporter", ".sh"))])
async def test_what_a_kernel_says_of_its_language_is_not_the_sandboxs_to_write_into_the_file(
    notebook: Notebook, kernel: str, written: tuple[str, str]
) -> None:
    """A page asks a running kernel when it is loaded; of a plain one, the file has what a cell made of it."""
    await notebook.open(f"bent-{kernel}", hostile.BENT, "print('bent')", kernel=kernel)
    await run_all(notebook, 1)
    await notebook.run_cell(1)
    await notebook.until_output(1, "bent")
    await notebook.reload()
    await notebook.idle()
    info = (await notebook.saved()).metadata.language_info
    assert (info.nbconvert_exporter, info.file_extension) == written


@pytest.mark.parametrize(("kernel", "acts"), [("codeact", False), ("python3", True)])
async def test_a_model_that_the_kernel_leaves_out_is_not_taken_from_the_file(
    notebook: Notebook, kernel: str, acts: bool
) -> None:
    """A page that is loaded anew takes from there what it hears nothing of."""
    cells = [hostile_models.LEFT_OUT.strip(), hostile_models.SHOWN.strip(), "print('still', 9 * 9)"]
    await notebook.open(f"left-{kernel}", *cells, kernel=kernel, widgets=hostile_models.saved("left-out"))
    watch = Watch(notebook)
    await run_all(notebook, 1)
    await notebook.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    await notebook.reload()
    await notebook.idle()
    await run_all(notebook, 2, first=1)
    await notebook.until_output(2, "still 81")
    await notebook.page.evaluate(SETTLED)
    if acts:
        await watch.until_acted({"left-out"})
    assert bool(watch.requests) == acts


@pytest.mark.parametrize(("kernel", "acts"), [("codeact", False), ("python3", True)])
@pytest.mark.parametrize("name", hostile.SHARED)
async def test_a_chart_puts_nothing_into_what_all_objects_have(
    notebook: Notebook, name: str, kernel: str, acts: bool
) -> None:
    chart = {"$schema": charts.LITE, **hostile.SHARED[name]}
    attack = (name, VEGA_LITE, chart, {})
    await notebook.open(f"shared-{name}-{kernel}", *shown([attack]), kernel=kernel)
    await notebook.run_cell(0)
    if acts:
        await notebook.page.wait_for_function(f"({SHARED})().length > 0")
        return
    output = notebook.cell(0).locator(".jp-OutputArea-output")
    await output.locator("canvas, svg").or_(output.get_by_text("Held back")).first.wait_for()
    await notebook.page.evaluate(SETTLED)
    assert await notebook.page.evaluate(SHARED) == []


@pytest.mark.parametrize(("kernel", "acts"), [("codeact", False), ("python3", True)])
async def test_a_chart_that_is_hovered_over_runs_nothing(notebook: Notebook, kernel: str, acts: bool) -> None:
    """Its expressions are interpreted in both, as the guard asks for it."""
    chart = {**hostile.HOVERED, "usermeta": charts.INTERPRETED}
    attack = ("hovered", VEGA_LITE, chart, {})
    await notebook.open(f"hovered-{kernel}", *shown([attack]), "print('still', 9 * 9)", kernel=kernel)
    watch = Watch(notebook)
    await run_all(notebook, 2)
    await notebook.until_output(1, "still 81")
    drawn = notebook.cell(0).locator(".jp-OutputArea-output canvas")
    if acts:
        await drawn.hover()
        box = await drawn.bounding_box()
        assert box is not None
        for part in range(60):
            across, down = 0.1 + 0.04 * (part % 20), 0.3 + 0.4 * (part % 7) / 7
            await notebook.page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
            await notebook.page.evaluate(DRAWN)
        await watch.until_acted({"hovered"})
    assert await drawn.count() == int(acts)
    assert bool(watch.requests) == acts


@pytest.mark.parametrize(("kernel", "acts"), [("codeact", False), ("python3", True)])
async def test_a_figure_says_nothing_of_its_own_over_the_page(notebook: Notebook, kernel: str, acts: bool) -> None:
    attack = ("notifier", "application/vnd.plotly.v1+json", hostile.NOTIFIER, {})
    await notebook.open(f"notifier-{kernel}", *shown([attack]), kernel=kernel)
    await run_all(notebook, 1)
    dragged = notebook.page.locator(".js-plotly-plot .nsewdrag").first
    await dragged.hover()
    box = await dragged.bounding_box()
    assert box is not None
    await notebook.page.mouse.move(box["x"] + 60, box["y"] + 60)
    await notebook.page.mouse.down()
    await notebook.page.mouse.move(box["x"] + 200, box["y"] + 160, steps=5)
    await notebook.page.mouse.up()
    note = notebook.page.locator(".plotly-notifier .notifier-note")
    await note.first.wait_for()
    assert await note.filter(has_text=hostile.NOTIFIED).count() == int(acts)


async def run_all(notebook: Notebook, number: int, first: int = 0) -> None:
    """Run so many cells, each when the one before it is done."""
    for cell in range(first, first + number):
        await notebook.run_cell(cell)
        await notebook.cell(cell).locator(".jp-InputPrompt", has_text=COUNTED).wait_for()


async def test_her_word_shows_them_and_the_danger_is_real(notebook: Notebook, pytestconfig: pytest.Config) -> None:
    attacks, updated = hostile.loud(), hostile.loud(UPDATED)
    cells = [*shown(attacks), *shown(updated, hostile.UPDATE), *spoken()]
    last = shown([attack for attack in hostile.bundles() if attack[0] == hostile.LAST])
    saved = hostile_models.saved(*hostile_models.SAVED)
    await notebook.open("trusted", "%agent trust outputs", "%agent trust", *cells, *last, widgets=saved)
    watch = Watch(notebook)
    await watch.stay()
    await notebook.run_cell(0)
    question = notebook.cell(0).locator(".jp-Stdin-input")
    await question.fill("y")
    await question.press("Enter")
    await notebook.until_output(0, "Outputs: trusted")
    await notebook.run_cell(1)
    await notebook.until_output(1, "Outputs: trusted")
    await run_all(notebook, len(cells), first=2)
    await notebook.page.evaluate(AWAY)
    await watch.touch()
    models = {
        *hostile_models.MODELS,
        *hostile_models.CHANGED,
        *hostile_models.SAVED,
        *hostile.LINKED,
        *hostile.CHARTED,
        "widget",
        "vega",
    }
    is_other = pytestconfig.getoption("--front-end-python") != sys.executable
    new = {way + name for way in ("", UPDATED) for name in hostile.NEW} if is_other else set()
    await watch.until_acted(({name for name, *_ in attacks + updated} | models) - new)
    # Her word is for outputs, and for nothing that a reply asks of the page.
    assert "spoken" not in {name for url in watch.requests for name in NAMED.findall(url)}
    assert (await notebook.sources())[2:-1] == cells
    await run_all(notebook, 1, first=2 + len(cells))
    await watch.until_acted({hostile.LAST})


async def test_no_function_of_a_browsers_values_has_a_name_that_is_not_known(chromium: None) -> None:
    """Newer browsers have more of them: the list has to grow with them."""
    async with browser_page() as page:
        assert set(await page.evaluate(METHODS)) - members.METHODS == set()


async def test_expressions_of_a_chart_are_interpreted(notebook: Notebook) -> None:
    """As the guard asks for it: a plain kernel asks for the same, of a chart that the guard would hold back."""
    chart = {**hostile.MADE, "usermeta": charts.INTERPRETED}
    attack = ("chart", VEGA_LITE, chart, {})
    said = asyncio.Event()
    notebook.page.on("console", lambda message: said.set() if "Prevented interpretation" in message.text else None)
    await notebook.open("interpreted", *shown([attack]), kernel="python3")
    await run_all(notebook, 1)
    await asyncio.wait_for(said.wait(), SLOW_MS / 1000)


async def test_what_a_reply_asks_of_the_page_is_done_for_a_plain_kernel(notebook: Notebook) -> None:
    answered = (hostile.SPOKEN.format(act=hostile.act("spoken")) + hostile.COMPLETED).strip()
    await notebook.open("answered", hostile.REPLACED, answered, "'not run'", kernel="python3")
    watch = Watch(notebook)
    await run_all(notebook, 2)
    await watch.until_acted({"spoken"})
    await notebook.press_tab(3)
    await notebook.page.locator(".jp-Completer-item", has_text="%%agent").wait_for()
    await notebook.page.keyboard.press("Enter")
    await notebook.cell(3).get_by_text("do it").wait_for()
    assert (await notebook.sources())[:4] == ["import os", answered, "%agent trust outputs", "%%agent\ndo it"]


async def test_the_agents_words_are_guarded_too(notebook: Notebook, service: ModelServer) -> None:
    act = hostile.act("answer")
    words = (
        f"**Done** [x](javascript:{act})\n\n"
        f'<img src=x onerror="{act}"><script>{act}</script>![](http://canary.invalid/a)'
        " $$\\mmlToken{mi}[href='/api/contents?canary=answer-tex']{x}$$"
    )
    call = ToolCall("run_cell", {"code": f"x = {words!r}"})
    service.add(Reply(thinking=words, text=words, tool_calls=[call]), Reply(thinking=words, text=words))
    service.add(Failure(400, words))
    await notebook.open("answer", "%%agent --review auto --reasoning-effort low\nhello", f"%%agent\n{words}")
    watch = Watch(notebook)
    await notebook.run_cell(0)
    await notebook.until_output(0, "1 step")
    await notebook.idle()
    await notebook.run_cell(2)
    await notebook.until_output(2, "400")
    await notebook.idle()
    await watch.touch()
    assert await notebook.cell(0).locator("strong", has_text="Done").count() == 5
    assert await watch.pwned() == []
    assert watch.requests == []
