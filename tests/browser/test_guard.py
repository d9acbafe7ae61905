"""What the sandbox prints, in a real page: it neither acts nor loads anything; what is harmless is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

from servers import ModelServer, Reply

from . import hostile
from .lab import Notebook

COUNTED = re.compile(r"\[\d+\]")
TOUCH = """() => {
    for (const node of document.querySelectorAll('.jp-OutputArea-output *')) {
        for (const name of ['mouseover', 'mouseenter', 'mousemove', 'focus', 'pointerenter'])
            node.dispatchEvent(new MouseEvent(name, {bubbles: true, clientX: 5, clientY: 5}));
        if (!(node instanceof HTMLAnchorElement && /^https?:/.test(node.href)) && node.click) node.click();
    }
}"""
LINKS = """() => [...document.querySelectorAll('.jp-OutputArea-output a[href]:not(.vega-actions a)')]
    .map(a => [a.protocol, a.target, a.rel])"""
SETTLED = """async () => {
    await new Promise(done => requestIdleCallback(done, {timeout: 3000}));
    await fetch('/api/kernelspecs');
    await new Promise(done => requestIdleCallback(done, {timeout: 3000}));
}"""


def hostile_cells() -> list[str]:
    """Each with fewer outputs than JupyterLab shows at once."""
    bundles, vega = json.dumps(hostile.bundles()), json.dumps(hostile.VEGA)
    sources = [
        hostile.SHOW.format(bundles=bundles, isolated=True),
        hostile.UPDATE.format(bundles=bundles),
        hostile.PRINT.format(vega=vega, act=hostile.act("printed").replace("'", "\\'")),
        hostile.WIDGETS.format(act=hostile.act("widget")),
        hostile.SPOKEN.format(act=hostile.act("spoken")),
    ]
    return [source.strip() for source in sources]


class Watch:
    """Every request of the page that an attack would make."""

    def __init__(self, notebook: Notebook) -> None:
        self.page = notebook.page
        self.requests: list[str] = []
        notebook.page.on("request", lambda request: self._note(request.url))
        notebook.page.on("framenavigated", lambda frame: self._note(frame.url))

    def _note(self, url: str) -> None:
        if "canary" in url or "/files/evil" in url:
            self.requests.append(url)

    async def touch(self) -> None:
        """Do what a person might: move over everything, click everything that is no link to elsewhere."""
        await self.page.evaluate(SETTLED)
        await self.page.evaluate(TOUCH)
        await self.page.evaluate(SETTLED)

    async def pwned(self) -> list[str]:
        return list(await self.page.evaluate("() => window.pwned || []"))


async def test_nothing_that_the_sandbox_prints_acts_in_the_page(
    notebook: Notebook, lab: tuple[str, Path], shots: Path
) -> None:
    (lab[1] / "evil.js").write_text("(window.pwned=window.pwned||[]).push('require')")
    cells = hostile_cells()
    await notebook.open("hostile", *cells, "print('still', 9 * 9)", "'not run'")
    watch = Watch(notebook)
    for number in range(len(cells)):
        await notebook.run_cell(number)
        await notebook.cell(number).locator(".jp-InputPrompt", has_text=COUNTED).wait_for()
    await notebook.run_cell(len(cells))
    await notebook.until_output(len(cells), "still 81")
    await watch.touch()
    await notebook.page.screenshot(path=shots / "held-back.png")

    assert await watch.pwned() == []
    assert watch.requests == []
    for protocol, target, rel in await notebook.page.evaluate(LINKS):
        assert protocol in ("http:", "https:", "mailto:")
        assert target == "_blank"
        assert "noopener" in rel
    assert await notebook.sources() == [*cells, "print('still', 9 * 9)", "'not run'"]
    assert await notebook.bar.count() == 0
    assert await notebook.page.locator(".jp-OutputArea-output .jp-Dialog, .jp-OutputArea-output iframe").count() == 0
    assert await notebook.cell(0).get_by_text("Held back: JavaScript output").count() >= 1
    assert await notebook.cell(3).get_by_text("Held back: a widget with code of its own").count() == 1


async def test_her_word_shows_them_and_the_danger_is_real(notebook: Notebook, lab: tuple[str, Path]) -> None:
    (lab[1] / "evil.js").write_text("(window.pwned=window.pwned||[]).push('require')")
    names = ("javascript", "script", "onerror", "svg-inline", "markdown", "latex", "latex-html", "picture", "css")
    chosen = json.dumps([attack for attack in hostile.bundles() if attack[0] in names])
    source = hostile.SHOW.format(bundles=chosen, isolated=False).strip()
    await notebook.open("trusted", "%agent trust outputs", "%agent trust", source)
    watch = Watch(notebook)
    await notebook.run_cell(0)
    question = notebook.cell(0).locator(".jp-Stdin-input")
    await question.fill("y")
    await question.press("Enter")
    await notebook.until_output(0, "Outputs: trusted")
    await notebook.run_cell(1)
    await notebook.until_output(1, "Outputs: trusted")
    await notebook.run_cell(2)
    await notebook.page.wait_for_function(
        "() => ['javascript', 'script', 'onerror', 'markdown'].every(name => (window.pwned || []).includes(name))"
    )
    await watch.touch()
    for worked in ("/api/contents?canary=script", "canary.invalid/picture", "canary.invalid/css"):
        assert any(worked in url for url in watch.requests)


SHOWN = r"""
import pandas as pd, matplotlib, io
matplotlib.use("agg")
import matplotlib.pyplot as plt
from IPython.display import display, Math, SVG, Markdown, HTML
frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
display(frame)
styler = frame.style.background_gradient(cmap="viridis")
display(styler.set_table_styles([{"selector": "th", "props": "color: rgb(1, 2, 3)"}]))
display(Math(r"\frac{1}{x_1}"))
figure, axes = plt.subplots(); axes.plot([1, 2]); text = io.StringIO(); figure.savefig(text, format="svg")
display(SVG(text.getvalue()))
dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
display({"image/png": dot}, raw=True)
display({"application/vnd.vegalite.v5+json": {"data": {"values": [{"x": 1, "y": 2}]}, "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}}}, raw=True)
figure = {"data": [{"y": [1, 2]}], "layout": {"title": "<b>t</b>"}}
display({"application/vnd.plotly.v1+json": figure, "text/plain": "P"}, raw=True)
display(Markdown("*plain* with $x_1$"), Markdown("[a link](https://example.org) and $a_1 b_1$ and `<b>`"))
display(HTML("<a href='https://example.org'>there</a>"))
print("shown")
"""


async def test_what_is_harmless_is_shown(notebook: Notebook, shots: Path) -> None:
    slider = (
        "import ipywidgets as w\nfrom IPython.display import display\ns = w.IntSlider(description='size')\n"
        "t = w.HTML('<i>none</i>')\ns.observe(lambda c: setattr(t, 'value', f'<b>now {c.new}</b>'), 'value')\n"
        "display(s, t)"
    )
    await notebook.open("shown", SHOWN.strip(), slider, "s.value = 33")
    await notebook.run_cell(0)
    await notebook.until_output(0, "shown")
    area = notebook.cell(0).locator(".jp-OutputArea")
    styled = area.locator("table[id]").first
    assert await styled.locator("td").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(68, 1, 84)"
    assert await styled.locator("th").last.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert await area.locator("table.dataframe").count() == 1
    await area.locator("mjx-container").nth(2).wait_for()
    assert await area.locator("mjx-mfrac").count() == 1
    assert await area.locator("img[src^='data:image/svg']").evaluate("e => e.naturalWidth") > 100
    await area.locator(".jp-RenderedVegaCommon5 canvas, .jp-RenderedVegaCommon5 svg").first.wait_for()
    assert await area.locator("em", has_text="plain").count() == 1
    assert await area.locator("code", has_text="<b>").count() == 1
    assert await area.locator("a[href='https://example.org']").count() == 2
    assert await area.get_by_text("Held back").count() == 0
    await notebook.page.screenshot(path=shots / "shown.png")

    await notebook.run_cell(1)
    handle = notebook.cell(1).locator(".noUi-handle")
    await handle.focus()
    await handle.press("ArrowRight")
    await notebook.cell(1).locator("b", has_text="now 1").wait_for()
    await notebook.run_cell(2)
    await notebook.cell(1).locator(".widget-readout", has_text="33").wait_for()
    await notebook.cell(1).locator("b", has_text="now 33").wait_for()


async def test_the_agents_words_are_guarded_too(notebook: Notebook, service: ModelServer) -> None:
    act = hostile.act("answer")
    words = f'**Done** [x](javascript:{act})\n\n<img src=x onerror="{act}"><script>{act}</script>![](http://canary.invalid/a)'
    service.add(Reply(text=words))
    await notebook.open("answer", "%%agent\nhello")
    watch = Watch(notebook)
    await notebook.run_cell(0)
    await notebook.until_output(0, "Done")
    await notebook.idle()
    await watch.touch()
    assert await notebook.cell(0).locator("strong", has_text="Done").count() >= 1
    assert await watch.pwned() == []
    assert watch.requests == []
