"""What the agent asks for unseen: facts about variables, files, pictures. Runs in the kernel that runs the cells.

Stands alone: its source is sent with each call, to kernels that need not have this package.
"""

import ast
import base64
import importlib.machinery
import json
import os
import re
import sys
import tempfile
from typing import Any

MOST = 60
MOST_NAMES = 200
LARGEST = 2 * 2**20
# Bytes of a PNG, above which it is sent as JPEG.
LARGEST_PNG = 1_000_000
# Characters of a module that a model is given: about 50,000 tokens.
LONGEST_SOURCE = 200_000
_PLAIN = ("int", "float", "complex", "bool", "NoneType")
# With what says how it is stored: `datetime64[ns, Europe/Berlin]`, `int64[pyarrow]`.
_KIND = re.compile(r"[A-Za-z_]\w*(?:\[(?:[num]?s|pyarrow|python)(?:, [\w/+:-]+)?\])*", re.ASCII)
_SKIPPED = ("module", "ZMQExitAutocall", "ExitAutocall")


def answer(name: str, arguments: str) -> str:
    """Call a function below with JSON, and return JSON."""
    value = globals()[name](**json.loads(arguments))
    return json.dumps(value, ensure_ascii=True, default=str)


def state(names: list[str]) -> dict[str, Any]:
    """The working folder, and the person's variables, newest first; with values of those in ``names``."""
    shell: Any = sys.modules["IPython"].get_ipython()
    own = {k: v for k, v in shell.user_ns.items() if not k.startswith("_") and k not in shell.user_ns_hidden}
    found = [(k, v) for k, v in reversed(list(own.items())) if type(v).__name__ not in _SKIPPED]
    shown = found[:MOST] + [(k, v) for k, v in found[MOST:] if k in names]
    return {"working_dir": os.getcwd(), "variables": [_variable(k, v, k in names) for k, v in shown]}


def _variable(name: str, value: Any, named: bool) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name, "type": type(value).__name__}
    for part, told in (("shape", _shape), ("schema", _schema), *((("value", _value),) if named else ())):
        try:
            about[part] = told(value)
        except Exception as error:  # noqa: BLE001 a variable of the person's own kind may raise whatever it likes
            about[part] = f"({type(error).__name__})"
    return {key: text for key, text in about.items() if text is not None}


def _shape(value: Any) -> str | None:
    """Whole numbers, or nothing: a class of her own may call anything its shape."""
    if type(value) in (list, dict, set, tuple, str, bytes, frozenset):
        return f"({len(value)})"
    shape: Any = value.shape if hasattr(type(value), "shape") else None
    is_one = isinstance(shape, tuple) and all(hasattr(type(size), "__index__") for size in shape)
    return str(tuple(int(size) for size in shape)) if is_one else None


def _schema(value: Any) -> str | None:
    """Columns with their types, of pandas, polars and what is like them."""
    if type(value).__name__ != "DataFrame" or not hasattr(value, "dtypes"):
        return None
    count = len(value.columns)
    if _are_values(value.columns):
        return f"{count} columns"
    schema: Any = getattr(value, "schema", None)
    dtypes = list(schema.values()) if hasattr(schema, "values") else value.dtypes
    columns = [f"{column} {_kind(dtype)}" for column, dtype in zip(value.columns[:12], dtypes[:12], strict=False)]
    return ", ".join(columns) + (f", … {count} columns" if count > 12 else "")


def _kind(dtype: Any) -> str:
    """A type's name alone: in what some say more there are values, as the categories of an Enum or a Struct's names."""
    text = str(dtype)
    name = _KIND.match(text)
    return name[0] if name else type(dtype).__name__


def _are_values(columns: Any) -> bool:
    """Whether labels of columns may be values of hers, as a pivot's are: they have a name, or are no texts."""
    if getattr(columns, "name", None) is not None or hasattr(columns, "levels"):
        return True
    return type(columns).__name__ != "RangeIndex" and not all(isinstance(column, str) for column in columns)


def _value(value: Any) -> str:
    is_table = type(value).__name__ in ("DataFrame", "Series") and hasattr(value, "head")
    table = value.head(5) if is_table else None
    text = repr(value) if table is None else table.to_string() if hasattr(table, "to_string") else str(table)
    return str(text)[:2000]


def module_source(name: str) -> dict[str, Any]:
    """The source of a module by its dotted name, which nothing imports; of a package with an ``api``, that of the api.

    texts: that source by its path, and then those of its package that it imports from. Where there is no such module:
    the names that there are in the package.
    """
    found, above, path = _found(name)
    if found is None:
        return {"above": above, "known": _modules(path, above)}
    return {"texts": _texts(f"{above}.api" if _spec("api", path) else above)}


def _found(name: str) -> tuple[Any, str, Any]:
    """What a dotted name stands for, as much of it as there is, and where the modules of that lie."""
    path: list[str] | None = None
    found: Any = None
    above = ""
    for part in name.split("."):
        found = _spec(part, path)
        if found is None:
            break
        above, path = f"{above}.{part}" if above else part, [*(found.submodule_search_locations or ())]
    return found, above, path


def _texts(name: str) -> dict[str, str]:
    """A module's source, and of those of its package that it imports from, by path; as much as there is room for."""
    texts: dict[str, str] = {}
    names = [name]
    for module in names:
        room = LONGEST_SOURCE - sum(map(len, texts.values()))
        found = _found(module)[0]
        source = _source(found)
        if source is None or (texts and len(source) > room):
            continue
        is_package = found.submodule_search_locations is not None
        texts[module.replace(".", "/") + ("/__init__.py" if is_package else ".py")] = source[:room]
        above = module.split(".") if is_package else module.split(".")[:-1]
        names += [other for other in _origins(source, above) if other not in names][: MOST - len(names)]
    return texts


def _source(found: Any) -> str | None:
    try:
        source: str | None = found.loader.get_source(found.name)
    except (AttributeError, ImportError, SyntaxError, ValueError):
        # Not there, or not readable.
        return None
    return source


def _origins(source: str, above: list[str]) -> list[str]:
    """The modules of its own package that a module imports names from. above: the packages that it lies in."""
    try:
        nodes = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: dict[str, None] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and above and node.level <= len(above):
            base = above[: len(above) + 1 - node.level] if node.level else []
            parts = [*base, *filter(None, (node.module or "").split("."))]
            if parts[:1] == above[:1]:
                found[".".join(parts)] = None
    return [*found]


def _spec(part: str, path: Any) -> Any:
    """A module by the last part of its name: by all of it, one without ``__init__`` would have to be imported."""
    if path is not None:
        return importlib.machinery.PathFinder.find_spec(part, path)
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    return next(filter(None, (finder.find_spec(part, path) for finder in finders)), None)


def _modules(path: Any, above: str) -> list[str]:
    import pkgutil

    names = (module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))
    return sorted(f"{above}.{name}" if above else name for name in names)


def keep(name: str, text: str, more: bool) -> str:
    """Write an output that is too long for the model where code can read it, or ``more`` of it; returns its path."""
    path = os.path.join(_folder(), name)
    with open(path, "a" if more else "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path


def keep_picture(name: str, data: str) -> str:
    """The same for a picture; ``data`` is base64."""
    path = os.path.join(_folder(), name)
    with open(path, "wb") as file:
        file.write(base64.b64decode(data))
    return path


def _folder() -> str:
    folder = os.path.join(tempfile.gettempdir(), "agent-outputs")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def read_text(root: str, path: str) -> dict[str, Any]:
    """A file of the folder ``root``: its text, or the names in it where it is a folder, or what is wrong with it."""
    place = _confined(root, path)
    if place is None:
        return {"error": "lies outside of the working folder"}
    try:
        if os.path.isdir(place):
            return {"names": _names(place)}
        if os.path.getsize(place) > LARGEST:
            return {"error": f"is larger than {LARGEST // 2**20} MB"}
        with open(place, encoding="utf-8", newline="") as file:
            return {"text": file.read()}
    except FileNotFoundError:
        return {"text": None}
    except (OSError, UnicodeDecodeError) as error:
        return {"error": f"can't be read: {error}"}


def write_text(root: str, path: str, before: str | None, after: str | None) -> str:
    """Replace a file that still says ``before``, or remove it; what went wrong, or ""."""
    if read_text(root, path).get("text") != before:
        return "was changed by somebody else meanwhile: view it and edit again"
    # What is behind a link is changed, and the link stays.
    place = str(_confined(root, path))
    try:
        if after is None:
            os.unlink(place)
        else:
            _replace(place, after)
    except (OSError, UnicodeError) as error:
        return f"can't be written: {error}"
    return ""


def _confined(root: str, path: str) -> str | None:
    root = os.path.realpath(root)
    place = os.path.realpath(os.path.join(root, path))
    return place if place == root or place.startswith(os.path.join(root, "")) else None


def _names(folder: str) -> list[str]:
    """What lies in a folder and in those below it, folders with a slash; nothing that begins with a dot."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not entry.name.startswith(".") and entry.name != "__pycache__":
            inner = sorted(os.listdir(entry.path)) if entry.is_dir(follow_symlinks=False) else []
            found.append(entry.name + ("/" if entry.is_dir() else ""))
            found += [f"{entry.name}/{name}" for name in inner if not name.startswith((".", "__pycache__"))]
    return found[:MOST_NAMES] + ([f"… and {len(found) - MOST_NAMES} more"] if len(found) > MOST_NAMES else [])


def _replace(place: str, text: str) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".saving-")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, os.stat(place).st_mode & 0o777 if os.path.exists(place) else 0o644)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise


def shrink(data: str, side: int) -> str:
    """A picture (base64), a still of at most ``side`` pixels on its longer side; "" where there is no Pillow.

    A photo stays JPEG: as PNG it would weigh several times as much, more than a service takes.
    """
    import io

    try:
        from PIL import Image, ImageOps
    except ImportError:
        return ""
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        is_photo = picture.format == "JPEG"
        # JPEG can be read at a fraction of its size.
        picture.draft("RGB", (side, side))
        small = ImageOps.exif_transpose(picture)
        small = _on_white(small) if small.mode in ("RGBA", "LA", "PA") or "transparency" in small.info else small
        small = small.convert("RGB")
    small.thumbnail((side, side))
    made = io.BytesIO()
    if not is_photo:
        small.save(made, "PNG", optimize=True)
    if is_photo or made.tell() > LARGEST_PNG:
        made = io.BytesIO()
        small.save(made, "JPEG", quality=85)
    return base64.b64encode(made.getvalue()).decode()


def _on_white(picture: Any) -> Any:
    """What is transparent would become black."""
    from PIL import Image

    picture = picture.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return paper
