"""Widgets as no library makes them: models said on the wire, with what the page does not expect in them.

The source of a cell, as in ``hostile.py``: each model has a name, and acts by it.
"""

from __future__ import annotations

from typing import Any

from .hostile import AWAY, act

IMG = '<img src=x onerror="{act}">'
# Whoever opens the picture by itself has it act as a page of the server's.
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">
<script>fetch(location.origin + '/api/contents?canary={name}')</script></svg>"""
STYLE = {
    "kind": "HTMLStyle",
    "_view_name": "StyleView",
    "_view_module": "@jupyter-widgets/base",
    "_view_module_version": "2.0.0",
}

# name: what the state of the model holds besides its kind. A text is formatted with {act}, {away} and {name}.
MODELS: dict[str, dict[str, Any]] = {
    "list": {"kind": "HTML", "value": [IMG]},
    "list-maths": {"kind": "HTMLMath", "value": [[IMG]]},
    "style-list": {"kind": "HTML", "value": "s", "style": {**STYLE, "background": ["url({away})"]}},
    "no-such-model": {"kind": "", "_model_name": IMG, "_view_name": "TextView"},
    "no-such-view": {"kind": "Label", "_view_name": IMG},
    "no-such-version": {"kind": "Label", "_view_module_version": IMG, "_model_module_version": IMG},
    "no-such-format": {"kind": "IntSlider", "readout_format": IMG},
    "error-view": {
        "kind": "DOMWidget",
        "module": "@jupyter-widgets/base",
        "_view_name": "ErrorWidgetView",
        "msg": IMG,
        "error": {"stack": "s"},
    },
    "toolbar": {"kind": "Toolbar", "module": "jupyter-matplotlib", "toolitems": [["a", "b", IMG + " x", "home"]]},
    "picture-url": {"kind": "MPLCanvas", "module": "jupyter-matplotlib", "_data_url": "{away}"},
    "output-list": {
        "kind": "Output",
        "module": "@jupyter-widgets/output",
        "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/html": [IMG]}}],
    },
    "picture-page": {"kind": "Image", "value": PAGE, "format": "svg+xml"},
    "output-prototype": {
        "kind": "Output",
        "module": "@jupyter-widgets/output",
        "outputs": [{"output_type": "display_data", "__proto__": {"data": {"text/html": IMG}, "metadata": {}}}],
    },
}

SOURCE = """
from comm import create_comm
from ipympl._version import js_semver
from IPython.display import display
CONTROLS = "@jupyter-widgets/controls"
VERSIONS = {{CONTROLS: "2.0.0", "jupyter-matplotlib": js_semver}}
def model(kind, id=None, module=CONTROLS, **state):
    names = dict(_model_name=kind + "Model", _view_name=kind + "View", _model_module=module, _view_module=module)
    names["_model_module_version"] = names["_view_module_version"] = VERSIONS.get(module, "*")
    if kind != "Layout":
        names["layout"] = LAYOUT
    return create_comm("jupyter.widget", comm_id=id, data=dict(state={{**names, **state}}, buffer_paths=[]),
        metadata=dict(version="2.1.0"))
def named(kind, **state):
    return "IPY_MODEL_" + model(kind, **state).comm_id
def shown(**state):
    made = model(**state)
    view = dict(model_id=made.comm_id, version_major=2, version_minor=0)
    display({{"application/vnd.jupyter.widget-view+json": view}}, raw=True)
    return made
LAYOUT = named("Layout", module="@jupyter-widgets/base")
for state in {models!r}:
    if "style" in state:
        state["style"] = named(**state["style"])
    shown(**state)

acts = {acts!r}
def entry(kind, **state):
    names = dict(model_name=kind + "Model", model_module=CONTROLS, model_module_version="2.0.0")
    state.update({{"_" + key: value for key, value in names.items()}})
    return dict(names, state=state)
# A model that is said to be another one meanwhile.
renamed = shown(kind="HTML", value="-")
renamed.send(dict(method="update_states", states={{renamed.comm_id: entry("Text")}}))
renamed.send(dict(method="update", state=dict(value=acts["renamed"])))
# A link whose ends have a third part.
text, target = named("Text", value=acts["link"]), shown(kind="HTML", value="-").comm_id
model("Link", _view_name=None, source=[text, "value", ""], target=["IPY_MODEL_" + target, "value", ""])
# A file, with a name and bytes of ours.
figure = shown(kind="MPLCanvas", module="jupyter-matplotlib", _figure_label="canary=saved")
figure.send(dict(method="custom", content=dict(data='{{"type": "save", "format": "sh"}}')), buffers=[b"#!/bin/sh"])
# What a page is told that has been away.
back, honest = shown(kind="HTML", value="-"), shown(kind="HTML", value="away")
def opened(comm, message):
    states = {{back.comm_id: entry("Text", value=acts["restored"]), honest.comm_id: entry("HTML", value="back")}}
    comm.on_msg(lambda message: comm.send(dict(method="update_states", states=states, buffer_paths=[])))
get_ipython().kernel.comm_manager.register_target("jupyter.widget.control", opened)
"""
CHANGED = ("link", "renamed", "restored", "saved")
# Models that no kernel opens: the notebook's file has them, and each of these ways takes one from there.
SAVED = ("saved-view", "saved-child", "saved-layer", "saved-output")
TAKEN = """
shown(kind="VBox", children=["IPY_MODEL_saved-child"])
late = shown(kind="Stack", children=[], selected_index=0)
late.send(dict(method="update", state=dict(children=["IPY_MODEL_saved-layer"])))
def view(id):
    return {"application/vnd.jupyter.widget-view+json": dict(model_id=id, version_major=2, version_minor=0)}
display(view("saved-view"), raw=True)
output = dict(output_type="display_data", metadata={}, data=view("saved-output"))
shown(kind="Output", module="@jupyter-widgets/output", outputs=[output])
"""
# One that is opened, and of which a page that is loaded anew hears nothing.
LEFT_OUT = """
from comm import create_comm
state = dict(_model_name="HTMLModel", _view_name="HTMLView", value="as it was opened")
state.update(dict.fromkeys(("_model_module", "_view_module"), "@jupyter-widgets/controls"))
state.update(dict.fromkeys(("_model_module_version", "_view_module_version"), "2.0.0"))
made = create_comm("jupyter.widget", comm_id="left-out", data=dict(state=state), metadata=dict(version="2.1.0"))
def opened(comm, message):
    comm.on_msg(lambda message: comm.send(dict(method="update_states", states={}, buffer_paths=[])))
get_ipython().kernel.comm_manager.register_target("jupyter.widget.control", opened)
# Nor where it is slow, and the page asks in another way.
get_ipython().kernel.comm_manager.comms.pop("left-out")
"""
SHOWN = """
from IPython.display import display
view = dict(model_id="left-out", version_major=2, version_minor=0)
display({"application/vnd.jupyter.widget-view+json": view, "text/plain": "-"}, raw=True)
"""


def source() -> str:
    """A cell that shows all of them."""
    acts = {name: _named(IMG, name) for name in CHANGED}
    return SOURCE.format(models=[_named(state, name) for name, state in MODELS.items()], acts=acts) + TAKEN


def saved(*names: str) -> dict[str, Any]:
    """The metadata of a notebook with the state of these, as JupyterLab writes it."""
    module = {"model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0"}
    models = {
        name: {**module, "model_name": "HTMLModel", "state": {"value": name + _named(IMG, name)}} for name in names
    }
    return {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": models}}


def _named(value: Any, name: str) -> Any:
    match value:
        case str():
            return value.format(act=act(name), away=AWAY.format(name), name=name)
        case list():
            return [_named(item, name) for item in value]
        case dict():
            return {key: _named(item, name) for key, item in value.items()}
        case _:
            return value
