"""The widgets of the sandbox that front ends know of, and those that were held back."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..guard import widgets as guard

TARGET = "jupyter.widget"
KEPT = 50_000
Content = dict[str, Any]


class Widgets:
    """Cleans messages on the sandbox's comms; follows which model each comm is."""

    def __init__(self) -> None:
        self.models: OrderedDict[str, str] = OrderedDict()
        self.held: OrderedDict[str, None] = OrderedDict()

    def clean(self, kind: str, content: Content) -> Content | None:
        """The content of a comm message that may pass, or None."""
        comm_id, data = content.get("comm_id"), content.get("data")
        if not isinstance(comm_id, str) or comm_id in self.held:
            return None
        data = data if isinstance(data, dict) else {}
        match kind:
            case "comm_open":
                return self._open(comm_id, str(content.get("target_name")), data)
            case "comm_close":
                self.models.pop(comm_id, None)
                return {"comm_id": comm_id, "data": {}}
            case _:
                return {"comm_id": comm_id, "data": self._said(comm_id, data)}

    def _open(self, comm_id: str, target: str, data: Content) -> Content | None:
        state = _object(data, "state")
        model = str(state.get("_model_name", ""))
        if target != TARGET or not self._admits(state, model):
            self.held[comm_id] = None
            _limit(self.held)
            return None
        self.models[comm_id] = model
        _limit(self.models)
        paths = guard.clean_paths(data.get("buffer_paths"))
        cleaned = {"state": guard.clean_state(state, model), "buffer_paths": paths}
        return {"comm_id": comm_id, "target_name": TARGET, "target_module": None, "data": cleaned}

    def _said(self, comm_id: str, data: Content) -> Content:
        """A model's update; or all models at once, as a page that is loaded anew asks for them."""
        cleaned = {key: value for key, value in data.items() if key in ("method", "content")}
        if "buffer_paths" in data:
            cleaned["buffer_paths"] = guard.clean_paths(data["buffer_paths"])
        if data.get("method") == "update_states":
            cleaned["states"] = self._states(_object(data, "states"))
        elif "state" in data:
            cleaned["state"] = self._update(_object(data, "state"), self.models.get(comm_id, ""))
        return cleaned

    def _states(self, states: Content) -> Content:
        kept = {}
        for model_id, entry in states.items():
            state = _object(entry, "state") if isinstance(entry, dict) else {}
            name = str(state.get("_model_name", ""))
            same = {"_model_module": entry.get("model_module"), **state} if isinstance(entry, dict) else {}
            if model_id not in self.held and self._admits(same, name) and entry.get("model_name") == name:
                self.models[model_id] = name
                version = guard.clean_version(entry.get("model_module_version"))
                kept[model_id] = {**entry, "model_module_version": version, "state": guard.clean_state(state, name)}
        return kept

    def _update(self, state: Content, model: str) -> Content:
        if model in guard.LINKS:
            return {}
        if model and state.get("_model_name") == model and self._admits(state, model):
            # A page that was loaded anew asks a model for all of its state, and for what it is.
            return guard.clean_state(state, model)
        # A model that is not known any more may be of any kind: it is treated as the one that shows HTML.
        return guard.clean_update(state, model or "HTMLModel")

    def _admits(self, state: Content, model: str) -> bool:
        if guard.foreign_module(state) or guard.foreign_view(state) or not state.get("_model_module"):
            return False
        return model not in guard.LINKS or self._joins_numbers(state)

    def _joins_numbers(self, state: Content) -> bool:
        """A link copies inside the page, past us: only what is a number at both ends."""
        return all(
            self.models.get(model) in guard.NUMERIC and trait in guard.TRAITS for model, trait in guard.ends(state)
        )


def _object(data: Content, key: str) -> Content:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _limit(kept: OrderedDict[str, Any]) -> None:
    if len(kept) > KEPT:
        kept.popitem(last=False)
