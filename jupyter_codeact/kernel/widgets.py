"""The widgets of the sandbox that front ends know of, and those that were held back.

A page gives what comes on a comm to the model that it made when the comm was opened. So what each model is, is known
here for as long as the kernel lives: none is forgotten, none becomes another one, and where there is no more room for
new ones they are held back.

A page has models from the notebook's file, too, but for those that it heard of from the kernel. So what is open here
alone is shown or referred to, and a page that is loaded anew hears of all that is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..guard import bundle, figures
from ..guard import widgets as guard
from ..guard.models import FIGURES, LINKS, NAMING, OUTPUT, Identity, identity
from .taken import Taken

TARGET = "jupyter.widget"
# On comms of this target a page asks for all models at once, when it is loaded anew or has been away.
CONTROL = "jupyter.widget.control"
# About 30 MB; a progress bar has ten models.
KEPT = 200_000
HELD = 50_000
ID_LIMIT = 100
OWN_CODE = "a widget with code of its own"
Content = dict[str, Any]


class Widgets:
    """Cleans messages on the sandbox's comms; follows which model each comm is.

    open: those of the models that a page has, if it was there.
    held: why models were held back, by their ids. One that is forgotten is as one that was never heard of.
    taken: what Output widgets show.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.models: dict[str, Identity] = {}
        self.open: set[str] = set()
        self.held: OrderedDict[str, str] = OrderedDict()
        self._kept = kept
        # By id: whether a page waits for an answer.
        self._controls: OrderedDict[str, bool] = OrderedDict()
        self._may_save = False
        self._request = ""
        self.taken = Taken()

    # ---- from front ends

    def asked(self, kind: str, content: Content) -> None:
        """Note what a page says on a comm, for what may be said to it then."""
        comm_id, data = str(content.get("comm_id")), _object(content, "data")
        self.note(content)
        if kind == "comm_open" and content.get("target_name") == CONTROL:
            _add(self._controls, comm_id, False)
        elif kind == "comm_close":
            self._controls.pop(comm_id, None)
        elif comm_id in self._controls:
            self._controls[comm_id] = data.get("method") == "request_states"
        elif comm_id in self.models and figures.asks_to_save(data.get("content")):
            self._may_save = True

    def note(self, content: Content) -> None:
        """What an Output shows, whoever says it, in a comm message that passed."""
        comm_id, outputs = str(content.get("comm_id")), _object(_object(content, "data"), "state").get("outputs")
        known = self.models.get(comm_id)
        if known is not None and known.model_module == OUTPUT and isinstance(outputs, list):
            self.taken.of(comm_id).note(outputs)

    # ---- for the rest of the guard

    def no_view(self, model_id: str) -> str:
        """Why a model is not shown; "" where it is."""
        return "" if model_id in self.open else self.held.get(model_id, bundle.unknown(model_id))

    def listed(self, comms: Content) -> Content:
        """All comms, as a page is told that would ask each of its widgets by itself."""
        return comms | {model: {"target_name": TARGET} for model in self.open}

    # ---- from the sandbox

    def end(self) -> None:
        """The sandbox has ended: of the next one, its widgets are not heard any more."""
        self.open.clear()

    def follow(self, kind: str, content: Content) -> None:
        """Note what passes as it is, since she trusts it: her word may end, and the page has these models then."""
        if kind == "comm_open" and self._opens(content):
            self.open.add(content["comm_id"])
        elif kind == "comm_close":
            self.open.discard(str(content.get("comm_id")))

    def clean(self, kind: str, content: Content, request: str = "", buffers: int = 0) -> Content | None:
        """The content of a comm message that may pass, or None. Raises ValueError, too, where it may not.

        request: the id of that to which it belongs. buffers: how many came with it.
        """
        self._request = request
        comm_id, data = content.get("comm_id"), _object(content, "data")
        if not isinstance(comm_id, str) or comm_id in self.held:
            return None
        match kind:
            case "comm_open":
                if not self._opens(content):
                    return None
                state = self._cleaned(_object(data, "state"), self.models[comm_id])
                paths = guard.clean_paths(data.get("buffer_paths"))
                if not guard.takes(state, paths, buffers):
                    return None
                self.open.add(comm_id)
                cleaned = {"state": state, "buffer_paths": paths}
                return {"comm_id": comm_id, "target_name": TARGET, "target_module": None, "data": cleaned}
            case "comm_close":
                self.open.discard(comm_id)
                return {"comm_id": comm_id, "data": {}}
            case _:
                said = self._said(comm_id, data)
                return None if said is None else {"comm_id": comm_id, "data": said}

    def _opens(self, content: Content) -> bool:
        """Whether a page may make a model of what is opened here, which is known from now on."""
        comm_id, state = content.get("comm_id"), _object(_object(content, "data"), "state")
        if not isinstance(comm_id, str) or len(comm_id) > ID_LIMIT:
            return False
        known = identity(state) if content.get("target_name") == TARGET else None
        is_new = comm_id not in self.models and comm_id not in self._controls
        if known is None or not (is_new or self.models.get(comm_id) == known) or not self._joins_numbers(state, known):
            _add(self.held, comm_id, OWN_CODE)
            return False
        if is_new and len(self.models) >= self._kept:
            _add(self.held, comm_id, f"a widget after {self._kept:,} others")
            return False
        self.models[comm_id] = known
        return True

    def _said(self, comm_id: str, data: Content) -> Content | None:
        """What is told to a model; or of all models, to a page that asked. To what isn't known nothing is said."""
        if comm_id in self._controls:
            return self._all_states(comm_id, data)
        model = self.models.get(comm_id)
        match data.get("method"):
            case _ if model is None:
                return {}
            case "update" | "echo_update" as method:
                said = {"method": method, "state": self._update(_object(data, "state"), model)}
                return said | _paths(data)
            case "custom" if model.model_module == FIGURES:
                kind, message = figures.told(data.get("content"))
                return {"method": "custom", "content": message} if kind != "save" or self._saves() else None
            case _:
                return None

    def _saves(self) -> bool:
        """Once for each click of hers."""
        may, self._may_save = self._may_save, False
        return may

    def _update(self, state: Content, known: Identity) -> Content:
        """A page that was loaded anew may ask a model for all of its state, and for what it is."""
        return {} if known.model in LINKS else self._cleaned(known.without_change(state), known)

    def _cleaned(self, state: Content, known: Identity) -> Content:
        """A page gives an Output all that is said to the request that it names: its own, and no other cell's."""
        cleaned = guard.clean_state(state, known.model, self.no_view)
        if known.model_module == OUTPUT and cleaned.get("msg_id") != self._request and "msg_id" in cleaned:
            cleaned["msg_id"] = ""
        return cleaned

    def _all_states(self, comm_id: str, data: Content) -> Content | None:
        if data.get("method") != "update_states" or not self._controls[comm_id]:
            return None
        self._controls[comm_id] = False
        cleaned = {model: self._entry(model, entry) for model, entry in _object(data, "states").items()}
        states = {model: entry for model, entry in cleaned.items() if entry is not None}
        states |= {model: _bare(self.models[model]) for model in self.open - states.keys()}
        return {"method": "update_states", "states": states, "buffer_paths": [], **_paths(data)}

    def _entry(self, model_id: str, entry: Any) -> Content | None:
        known = self.models.get(model_id)
        if known is None or model_id not in self.open or not isinstance(entry, dict):
            return None
        state = _object(entry, "state")
        named = {"_model_name": entry.get("model_name"), "_model_module": entry.get("model_module")}
        if not (known.keeps(named) and known.keeps(state) and self._joins_numbers(state, known)):
            return None
        return {
            "model_name": known.model,
            "model_module": known.model_module,
            "model_module_version": guard.clean_version(entry.get("model_module_version")),
            "state": self._cleaned(state, known),
        }

    def _joins_numbers(self, state: Content, known: Identity) -> bool:
        """A link copies inside the page, past us: only what is a number at both ends."""
        if known.model not in LINKS:
            return True
        ends = guard.ends(state)
        return ends is not None and all(self._is_number(model, trait) for model, trait in ends)

    def _is_number(self, model_id: str, trait: str) -> bool:
        is_open = model_id in self.open
        return is_open and self.models[model_id].model in guard.NUMERIC and trait in guard.TRAITS


def _bare(known: Identity) -> Content:
    """What a page is told of a model that the sandbox left out: enough not to take it from the file."""
    named = {key: value for key, value in zip(NAMING, known, strict=True) if value is not None}
    return {
        "model_name": known.model,
        "model_module": known.model_module,
        "model_module_version": "*",
        "state": named,
    }


def _object(data: Mapping[str, Any], key: str) -> Content:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _paths(data: Content) -> Content:
    return {"buffer_paths": guard.clean_paths(data["buffer_paths"])} if "buffer_paths" in data else {}


def _add(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > HELD:
        kept.popitem(last=False)
