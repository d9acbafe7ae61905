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
