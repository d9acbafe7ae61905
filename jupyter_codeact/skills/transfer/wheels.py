"""A skill as a wheel that pip installs, after the specification of the binary distribution format."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile

from ...errors import SkillError
from .bundle import Bundle, written_past

HISTORY_FILE = "skill-history.json"
# Wheels of the same skill are the same, byte for byte.
_TIME = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: jupyter_codeact\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_of(bundle: Bundle) -> tuple[str, bytes]:
    """Its file name and its content. Raises SkillError for a name that no distribution can have."""
    name = re.sub(r"[-_.]+", "_", bundle.name.lower()).strip("_")
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name):
        raise SkillError(f"{bundle.name} can't be the name of a wheel, which has ASCII letters and digits only.")
    version = str(bundle.past[0].number if bundle.past else 1)
    info = f"{name}-{version}.dist-info"
    files = {path: text.encode() for path, text in bundle.files.items()} | {
        f"{info}/METADATA": _metadata(bundle, name, version).encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/{HISTORY_FILE}": written_past(bundle.past).encode() + b"\n",
    }
    return f"{name}-{version}-py3-none-any.whl", _zipped(files | {f"{info}/RECORD": _record(files, info)})


def _metadata(bundle: Bundle, name: str, version: str) -> str:
    doc = bundle.contents.doc
    summary = " ".join(doc.split("\n\n")[0].split())[:500] or f"The skill {bundle.name}"
    head = {"Metadata-Version": "2.1", "Name": name, "Version": version, "Summary": summary}
    head |= {"Author": bundle.past[0].note.by} if bundle.past else {}
    head |= {"Keywords": "jupyter-codeact-skill", "Description-Content-Type": "text/markdown"}
    log = "".join(
        f"- version {p.number}, {p.when}, {p.note.by}: {p.note.message}{_said(p.note.about)}\n" for p in bundle.past
    )
    return "".join(f"{key}: {value}\n" for key, value in head.items()) + f"\n{doc}\n\n# Versions\n\n{log}"


def _said(about: object) -> str:
    facts = ", ".join(f"{key.lower()} {value}" for key, value in dict(about).items())  # type: ignore[call-overload]
    return f" ({facts})" if facts else ""


def _record(files: dict[str, bytes], info: str) -> bytes:
    """Digest and size of every file but itself."""
    rows = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items()]
    return "".join([*rows, f"{info}/RECORD,,\n"]).encode()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zipped(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _TIME)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return whole.getvalue()
