"""What the sandbox's answers to requests may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import answers, bundle, outputs
from .patterns import Misshapen, fitted, flag, number, one_of, text

Content = dict[str, Any]
# Our magics in a cell that the sandbox wrote would be run by the person without a thought, on the host.
_OURS = re.compile(r"%(agent|skill)\b")
TYPED = "_jupyter_types_experimental"
_OUR_NAME = re.compile(r"%%?(agent|skill)")
_BEGUN = re.compile(r"%%?\w*")
# Signs of a completion: a page makes its list as wide as the longest. No file's name has more than 255.
LONGEST = 1000
# And of what is said of one.
_SHOWN = {"type": 80, "signature": 2000}
_MAGIC = re.compile(r"\s*[%?!]|.*\?\s*$")
_VERSION = re.compile(r"[\w.+-]{1,40}")
_HELP = re.compile(
    r"https?://(docs\.python\.org|ipython\.org|ipython\.readthedocs\.io|docs\.scipy\.org|numpy\.org|matplotlib\.org"
    r"|pandas\.pydata\.org|docs\.sympy\.org)/[\w./-]*"
)
_TEXTS = ("protocol_version", "implementation", "implementation_version", "banner", "status")
_LANGUAGE = {
    "name": "python",
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}


# Of an error: by ipyparallel's old ways.
_ENGINE = {"engine_uuid?": text, "engine_id?": number, "method?": text}


def clean(kind: str, content: Content, code: str | None, cursor: int = 0, behind: str = "") -> Content:
    """``code`` is what the person asked to run, where she asked; None for the agent's steps and other requests.

    Of a completion it is the line up to her cursor, ``behind`` the rest of it, and ``cursor`` its place in the cell.

    Raises Misshapen for what is no answer of that kind.
    """
    if kind == "execute_reply":
        return execute(content, code)
    if kind == "debug_reply":
        return debug(content)
    match content.get("status"):
        case "error":
            return {"status": "error"} | {key: value for key, value in outputs.error(content).items() if key in content}
        case "aborted":
            return {"status": "aborted"}
    if kind == "complete_reply":
        return complete(content, code or "", cursor, behind)
    change = _CHANGES.get(kind)
    return change(content) if change is not None else answers.fits(kind, content)


def refused(kind: str, name: str, why: str) -> Content:
    """The answer in place of one that may not pass: whoever asked is not left waiting."""
    if kind == "debug_reply":
        return {"type": "response", "success": False, "message": why, "body": {}}
    return {"status": "error", "ename": name, "evalue": why, "traceback": []}


def execute(content: Content, code: str | None) -> Content:
    status = content.get("status")
    cleaned: Content = {"status": status if status in ("ok", "aborted") else "error"}
    if "payload" in content:
        cleaned["payload"] = [kept for item in _list(content, "payload") if (kept := _payload(item, code))]
    expressions = content.get("user_expressions")
    if expressions is not None:
        found = expressions if isinstance(expressions, dict) else {}
        cleaned["user_expressions"] = {name: _expression(value) for name, value in found.items()}
    if "execution_count" in content:
        cleaned["execution_count"] = outputs.count(content)
    if cleaned["status"] == "error":
        cleaned |= outputs.error(content)
        if isinstance(content.get("engine_info"), dict):
            cleaned["engine_info"] = fitted(content["engine_info"], _ENGINE)
    return cleaned


def complete(content: Content, line: str, cursor: int, behind: str) -> Content:
    """What may stand in the place of her line's end: words, and never a cell of ours."""
    answer = answers.fits("complete_reply", content)
    start, end = answer["cursor_start"], answer["cursor_end"]
    begin = cursor - len(line)
    if not begin <= start <= end <= cursor:
        raise Misshapen
    before, typed, behind = line[: start - begin], line[start - begin :], line[end - begin :] + behind
    is_name = _BEGUN.fullmatch(typed) is not None

    def completes(text: str) -> bool:
        """In one line; where that is one of ours then, with no more than the name that she began to write."""
        if not text.isprintable() or len(text) > LONGEST:
            return False
        if not any(map(_OURS.search, (before + text, before + text + behind))):
            return True
        return is_name and _OUR_NAME.fullmatch(text) is not None

    matches, metadata = answer["matches"], answer.get("metadata", {})
    # Pages take what they insert from here, by number.
    items = metadata.get(TYPED, [])
    pairs = zip(matches, items, strict=True) if len(items) == len(matches) else ((match, None) for match in matches)
    kept = [pair for pair in pairs if all(map(completes, _texts(*pair)))]
    answer["matches"] = [match for match, _ in kept]
    if TYPED in metadata:
        metadata[TYPED] = [_item(item, start, end) for _, item in kept if item is not None]
    return answer


def _texts(match: str, item: Content | None) -> list[str]:
    return [match] if item is None else [match, item["text"]]


def _item(item: Content, start: int, end: int) -> Content:
    """What is shown beside a word has room beside it."""
    shown = {key: item[key][:most] for key, most in _SHOWN.items() if item.get(key)}
    return {**item, **shown, "start": start, "end": end}


def inspect(content: Content) -> Content:
    found = fitted(content, {"status": one_of("ok"), "found": flag})
    return {**found, "data": bundle.clean(content.get("data")), "metadata": {}}


def kernel_info(content: Content) -> Content:
    """Facts about Python. JupyterLab writes them into the notebook, and nbconvert imports the exporter named there."""
    cleaned: Content = {name: str(content[name])[:2000] for name in _TEXTS if name in content}
    language = content.get("language_info")
    version = str(language.get("version", "")) if isinstance(language, dict) else ""
    cleaned["language_info"] = {**_LANGUAGE, "version": version if _VERSION.fullmatch(version) else ""}
    links = [link for link in _list(content, "help_links") if _HELP.fullmatch(str(link.get("url", "")))]
    cleaned["help_links"] = [{"text": str(link.get("text", ""))[:80], "url": link["url"]} for link in links]
    if "debugger" in content:
        cleaned["debugger"] = content["debugger"] is True
    features = content.get("supported_features")
    named = features if isinstance(features, list) else []
    cleaned["supported_features"] = [name for name in named if isinstance(name, str) and len(name) < 80]
    return cleaned


def debug(content: Content) -> Content:
    """A variable in the debugger is shown as an output is."""
    reply = answers.debug_reply(content)
    body = reply.get("body")
    if not isinstance(body, dict) or "data" not in body:
        return reply
    return {**reply, "body": {**body, "data": bundle.clean(body["data"]), "metadata": {}}}


def _payload(item: Content, code: str | None) -> Content | None:
    """What a reply asks the front end to do; for what the person ran herself only."""
    match item.get("source"):
        case "page":
            data = bundle.clean(item.get("data"))
            return {"source": "page", "data": data, "start": 0} if data else None
        case "set_next_input" if code is not None:
            return _next_input(item, code)
        case "ask_exit" if code is not None:
            return {"source": "ask_exit", "keepkernel": bool(item.get("keepkernel"))}
        case _:
            return None


def _next_input(item: Content, code: str) -> Content | None:
    """A new cell may hold anything but our magics. Her cell's own text changes only where a magic of hers says so."""
    text = item.get("text")
    if not isinstance(text, str) or _OURS.search(text):
        return None
    replace = bool(item.get("replace"))
    return {"source": "set_next_input", "text": text, "replace": replace} if not replace or _MAGIC.match(code) else None


def _expression(value: Any) -> Content:
    if not isinstance(value, dict):
        return {}
    if value.get("status") != "ok" or not isinstance(value.get("data"), dict):
        return {"status": "error", **outputs.error(value)}
    metadata = bundle.clean_metadata(value.get("metadata"))
    return {"status": "ok", "data": bundle.clean(value["data"]), "metadata": metadata}


def _list(content: Content, name: str) -> list[Content]:
    items = content.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


_CHANGES: dict[str, Callable[[Content], Content]] = {
    "inspect_reply": inspect,
    "kernel_info_reply": kernel_info,
}
