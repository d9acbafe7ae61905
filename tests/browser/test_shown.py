"""What is harmless is shown as by any kernel: tables, formulas, pictures, charts; widgets and figures that answer."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.async_api import FilePayload, Locator, expect
from playwright.async_api import TimeoutError as LateError

from .lab import SLOW_MS, Notebook

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOWN = r"""
import pandas as pd, io
import matplotlib.pyplot as plt
from IPython.display import display, Math, SVG, Markdown, HTML
frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
display(frame)
styler = frame.style.background_gradient(cmap="viridis")
display(styler.set_table_styles([{"selector": "th", "props": "color: rgb(1, 2, 3)"}]))
display(Math(r"\frac{1}{x_1}"))
figure, axes = plt.subplots(); axes.plot([1, 2]); text = io.StringIO(); figure.savefig(text, format="svg")
display(SVG(text.getvalue()))
display({"image/png": "{dot}"}, raw=True)
display({"application/vnd.vegalite.v5+json": {"data": {"values": [{"x": 1, "y": 2}]}, "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}}}, raw=True)
import plotly.graph_objects as go
go.Figure(go.Bar(y=[1, 2]), layout={"title": "<b>bold</b> title", "height": 200}).show()
display(Markdown("*plain* with $x_1$"), Markdown("[a link](https://example.org) and $a_1 b_1$ and `<b>`"))
display(HTML("<a href='https://example.org'>there</a>"))
print("shown")
"""


async def test_what_is_harmless_is_shown(notebook: Notebook, shots: Path) -> None:
    await notebook.open("shown", SHOWN.replace("{dot}", DOT).strip())
    await notebook.run_cell(0)
    await notebook.until_output(0, "shown")
    await notebook.idle()
    area = notebook.cell(0).locator(".jp-OutputArea")
    styled = area.locator("table[id]").first
    assert await styled.locator("td").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(68, 1, 84)"
    assert await styled.locator("th").last.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert await area.locator("table.dataframe").count() == 1
    await area.locator("mjx-container").nth(2).wait_for()
    assert await area.locator("mjx-mfrac").count() == 1
    drawing, inline = area.locator("img[src^='data:image/svg']"), area.locator("img[src^='data:image/png']").last
    for picture in (drawing, inline):
        await picture.evaluate("e => e.decode()")
        assert await picture.evaluate("e => e.naturalWidth") > 100
    await area.locator(".jp-RenderedVegaCommon5 canvas, .jp-RenderedVegaCommon5 svg").first.wait_for()
    await area.locator(".js-plotly-plot .gtitle tspan", has_text="bold").wait_for()
    assert await area.locator(".js-plotly-plot .bars path").count() == 2
    assert await area.locator("em", has_text="plain").count() == 1
    assert await area.locator("code", has_text="<b>").count() == 1
    assert await area.locator("a[href='https://example.org']").count() == 2
    assert await area.get_by_text("Held back").count() == 0
    await notebook.page.screenshot(path=shots / "shown.png")


WIDGETS = """
import ipywidgets as w
from IPython.display import display
s, t = w.IntSlider(description="size"), w.HTML("<i>none</i>")
s.observe(lambda change: setattr(t, "value", f"<b>now {change.new}</b>"), "value")
near = w.FloatText()
w.jslink((s, "value"), (near, "value"))
display(s, t, near)
"""

INTERACT = """
@w.interact(power=(1, 5), base=["two", "three"])
def show(power=2, base="two"):
    print(power, "of", base)
    return {"two": 2, "three": 3}[base] ** power
"""

FILES = """
upload, picture, name = w.FileUpload(), w.Image(format="png"), w.Label()
def shown(change):
    (file,) = upload.value
    picture.value, name.value = bytes(file.content), f"{file.name}, {file.size} bytes"
upload.observe(shown, "value")
out, button = w.Output(), w.Button(description="table")
@button.on_click
def pressed(_):
    with out:
        print("pressed")
        display(w.Label("inside"))
        display({"text/html": "<table><tr><td>a cell</td></tr></table>"}, raw=True)
display(upload, picture, name, button, out)
"""


async def test_widgets_answer_both_ways(notebook: Notebook, shots: Path) -> None:
    await notebook.open("widgets", *(source.strip() for source in (WIDGETS, INTERACT, FILES)), "s.value = 33")
    for number in range(3):
        await notebook.run_cell(number)
    linked, interact, files = (notebook.cell(number).locator(".jp-Cell-outputArea") for number in range(3))

    await linked.locator(".noUi-handle").press("ArrowRight")
    await linked.locator("b", has_text="now 1").wait_for()
    await notebook.run_cell(3)
    await linked.locator(".widget-readout", has_text="33").wait_for()
    await linked.locator("b", has_text="now 33").wait_for()
    await expect(linked.locator("input[type=number]")).to_have_value("33")

    await interact.get_by_text("2 of two").wait_for()
    await interact.locator(".noUi-handle").press("ArrowRight")
    await interact.locator("select").select_option("three")
    await interact.get_by_text("3 of three").wait_for()
    await interact.get_by_text("27").wait_for()

    data = base64.b64decode(DOT)
    async with notebook.page.expect_file_chooser() as chooser:
        await files.locator("button", has_text="Upload").click()
    await (await chooser.value).set_files(FilePayload(name="dot.png", mimeType="image/png", buffer=data))
    await files.get_by_text(f"dot.png, {len(data)} bytes").wait_for()
    await expect(files.locator("img")).to_have_js_property("naturalWidth", 1)
    await files.locator("button", has_text="table").click()
    await files.locator("td", has_text="a cell").wait_for()
    await files.get_by_text("inside").wait_for()
    await files.get_by_text("pressed").wait_for()
    await notebook.page.screenshot(path=shots / "widgets.png")

    # A page that is loaded anew asks for all of them.
    await notebook.reload()
    await linked.locator(".widget-readout", has_text="33").wait_for()
    await linked.locator("b", has_text="now 33").wait_for()
    await linked.locator(".noUi-handle").press("ArrowRight")
    await linked.locator("b", has_text="now 34").wait_for()
    await expect(linked.locator("input[type=number]")).to_have_value("34")


FIGURE = """
%matplotlib widget
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(4, 2))
presses = []
def on_press(event):
    presses.append(event.xdata)
    axes.set_facecolor("lime")
    figure.canvas.draw_idle()
figure.canvas.mpl_connect("button_press_event", on_press)
plt.show()
"""

RED = "axes.set_facecolor('red')\nfigure.canvas.draw_idle()"

COLOUR = """canvas => {
    const {width, height} = canvas;
    return [...canvas.getContext('2d').getImageData(width / 2, height / 2, 1, 1).data].join();
}"""


async def test_a_matplotlib_figure_answers(notebook: Notebook, shots: Path) -> None:
    await notebook.open(
        "figure", FIGURE.strip(), "axes.set_facecolor('red'); figure.canvas.draw_idle()", "len(presses)"
    )
    await notebook.run_cell(0)
    drawn, touched = (notebook.cell(0).locator("canvas").nth(number) for number in (0, 1))
    await until_colour(drawn, "255,255,255,255")
    await notebook.run_cell(1)
    try:
        await until_colour(drawn, "255,0,0,255", wait_ms=10_000)
    except LateError:
        # In a plain kernel, too, ipympl forgets what is to be drawn while a picture is on its way.
        await notebook.run_cell(1)
        await until_colour(drawn, "255,0,0,255")
    await touched.click()
    await until_colour(drawn, "0,255,0,255")
    await notebook.page.screenshot(path=shots / "figure.png")
    async with notebook.page.expect_download() as saved:
        await notebook.cell(0).locator("button[title='Download plot']").click()
    assert (await saved.value).suggested_filename == "Figure 1.png"
    await notebook.run_cell(2)
    await notebook.until_output(2, "1")


async def until_colour(canvas: Locator, colour: str, wait_ms: float = SLOW_MS) -> None:
    """Until the middle of a canvas has that colour (red, green, blue, alpha)."""
    there = f"([canvas, colour]) => ({COLOUR})(canvas) === colour"
    await canvas.page.wait_for_function(there, arg=[await canvas.element_handle(), colour], timeout=wait_ms)
