"""What is worth keeping: a fit becomes a skill, by her word and by the agent's tool, and the next agent finds it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from servers import ModelServer, Reply, ToolCall

from .lab import Notebook
from .test_review import act, told

FIT = '''import numpy as np

SCALES = np.linspace(0.5, 5, 40)


def gp_fit(x, y, n_restarts=10):
    """Fit a Gaussian process to samples: the likeliest of some length scales.

    >>> gp_fit(np.arange(4.0), np.zeros(4))(np.zeros(1))
    array([0.])
    """
    def kernel(a, b, scale):
        return np.exp(-((a[:, None] - b) ** 2) / scale)

    def likelihood(scale):
        k = kernel(x, x, scale) + 0.1 * np.eye(len(x))
        return -y @ np.linalg.solve(k, y) - np.linalg.slogdet(k)[1]

    best = max(SCALES[:n_restarts], key=likelihood)
    weights = np.linalg.solve(kernel(x, x, best) + 0.1 * np.eye(len(x)), y)
    return lambda new: kernel(new, x, best) @ weights'''
PLOT = '''def plot_pred(predict, x, y):
    """Plot samples, and what a fit predicts between them."""
    import matplotlib.pyplot as plt
    grid = np.linspace(x.min(), x.max(), 200)
    plt.figure(figsize=(5, 2.5))
    plt.plot(x, y, "o", grid, predict(grid))
    plt.show()

x = np.linspace(0, 6, 30)
y = np.sin(x) + np.random.default_rng(1).normal(0, 0.1, 30)
print(abs(gp_fit(x, y)(x) - np.sin(x)).max() < 0.2)'''
COSINE = """y_cos = np.cos(x)
print(gp_fit.__defaults__, abs(gp_fit(x, y_cos)(x) - y_cos).max() < 0.2)"""
SAMPLES = """import numpy as np
x = np.linspace(0, 6, 30)
y = np.cos(x)"""
REUSE = """from gp_fit import gp_fit, plot_pred
plot_pred(gp_fit(x, y), x, y)"""
SAVE = "%skill save gp_fit --names gp_fit"
STORE = "%%agent\nstore these as functions gp_fit and plot_pred in a module gp_fit.py"
STORED = {"command": "save", "name": "gp_fit", "what": "gp_fit,plot_pred"}
CHANGE = "%%agent\nchange the default of n_restarts to 15, and test the module on a cosine"
CHANGED = {"command": "str_replace", "path": "skill:gp_fit.py", "old_str": "n_restarts=10", "new_str": "n_restarts=15"}
WORDS = ("list", "show gp_fit", "diff gp_fit", "log gp_fit", "search gaussian process", "where")


async def test_a_fit_becomes_a_skill_that_the_next_notebook_s_agent_finds(
    notebook: Notebook, service: ModelServer, shots: Path
) -> None:
    service.add(act(FIT), act(PLOT), Reply(text="Fitted."))
    await notebook.open(
        "fit",
        "%%agent\nfit a Gaussian process to noisy samples of a sine",
        SAVE,
        STORE,
        CHANGE,
        *map("%skill {}".format, WORDS),
    )
    await notebook.run_cell(0)
    for step in (1, 2):
        await notebook.bar.get_by_text(f"step {step}").wait_for()
        await notebook.button("Run").first.click()
    await notebook.until_output(2, "True")
    await notebook.until_output(0, "Fitted.")
    await notebook.run_cell(3)
    await notebook.until_output(3, "1 test passed")
    await expect(notebook.cell(3)).not_to_contain_text("Checking gp_fit")
    service.add(Reply(tool_calls=[ToolCall("skills", STORED)]), Reply(text="Stored."))
    await notebook.run_cell(4)
    await notebook.until_output(4, "+def plot_pred(predict, x, y)")
    await notebook.bar.get_by_role("button", name="Save").click()
    await notebook.until_output(4, "Stored.")
    service.add(Reply(tool_calls=[ToolCall("edit_file", CHANGED)]), act(f"from gp_fit import gp_fit\n{COSINE}"))
    service.add(Reply(text="Changed."))
    await notebook.run_cell(5)
    await notebook.until_output(5, "+def gp_fit(x, y, n_restarts=15)")
    await notebook.bar.get_by_role("button", name="Save").click()
    await notebook.button("Run").first.click()
    await notebook.until_output(6, "(15,) True")
    await notebook.until_output(5, "Changed.")
    for number in range(7, 13):
        await notebook.run_cell(number)
    for number, text in {
        7: "Fit a Gaussian process",
        8: "def plot_pred",
        9: "+def gp_fit(x, y, n_restarts=15)",
        10: "gp_fit has 3 versions",
        11: "gaussian, process in its functions, docstrings",
        12: "shared by all workspaces",
    }.items():
        await notebook.until_output(number, text)
    await pictures(notebook, shots)
    await notebook.close()

    service.add(act(REUSE), Reply(text="Done with the skill."))
    await notebook.open("reuse", SAMPLES, "%%agent\nfit a Gaussian process to these samples")
    await notebook.run_cell(0)
    await notebook.run_cell(1)
    await notebook.ready()
    assert "gp_fit(x, y, n_restarts=15)" in told(service, -1)
    await notebook.button("Run").first.click()
    await notebook.cell(2).locator(".jp-OutputArea img").wait_for()
    await notebook.until_output(1, "skills used: gp_fit")


async def pictures(notebook: Notebook, shots: Path) -> None:
    """The outputs of `%skill` in both themes, the second narrow and beside no file browser."""
    for theme, width in (("Dark", 480), ("Light", 1200)):
        await notebook.page.set_viewport_size({"width": width, "height": 2200})
        await notebook.run_command("application:toggle-left-area")
        await notebook.page.evaluate(
            "async theme => { await jupyterapp.commands.execute('apputils:change-theme', {theme}); }",
            f"JupyterLab {theme}",
        )
        # JupyterLab covers the page while it changes.
        await notebook.page.locator("#jupyterlab-splash").wait_for(state="detached")
        await notebook.cell(7).evaluate("cell => cell.scrollIntoView()")
        await notebook.page.screenshot(path=shots / f"skills-{theme.lower()}.png")
    await notebook.page.set_viewport_size({"width": 1200, "height": 900})
