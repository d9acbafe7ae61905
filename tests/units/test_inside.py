"""Calls into the kernel: how they are written and read back, and what the patch of a folder has in it."""

from __future__ import annotations

import base64
import io
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_codeact import inside
from jupyter_codeact.errors import SandboxError
from jupyter_codeact.headless.workspace import ABOVE, OUTSIDE, beyond
from jupyter_codeact.inside import functions, patching


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("text", ["", "'", '"""', "\\", "ü😀\n\ud800", "{}", "'); import os; ('"])
def test_arguments_arrive_as_they_were_sent(temp: Path, text: str) -> None:
    scope: dict[str, Any] = {}
    call = inside.expression("keep", {"name": "x.txt", "text": text, "more": False})
    answer = eval(call, scope)
    path = Path(inside.value(repr(answer)))
    assert path == temp / "agent-outputs" / "x.txt"
    assert path.read_text() == text.encode(errors="replace").decode()
    assert set(scope) == {"__builtins__"}


@pytest.mark.parametrize("text", ["", "1", "'x'", "print(1)", "'[' * 9", "'{'", "[" * 9999, "__import__('os')"])
def test_an_answer_that_is_none_is_an_error_of_the_sandboxs(text: str) -> None:
    with pytest.raises(SandboxError):
        inside.value(text)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@x.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("*.pyc\n")
    (folder / "a.py").write_text("x = 1\n")
    (folder / "b.py").write_text("y = 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def patch_of(folder: str) -> str:
    found = patching.patch(folder)
    assert found["unfiltered"] == []
    return str(found["patch"])


def applied(patch: str, checkout: Path, tmp_path: Path) -> Path:
    """A clean clone with the patch in it."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(checkout), str(clone))
    (tmp_path / "x.patch").write_bytes(patch.encode())
    git(clone, "apply", str(tmp_path / "x.patch"))
    return clone


def test_the_patch_has_all_that_changed_and_applies_to_a_clean_clone(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the code has gone meanwhile."""
    monkeypatch.chdir(tmp_path)
    (checkout / "a.py").write_text("x = 2\n")
    (checkout / "b.py").unlink()
    (checkout / "new.bin").write_bytes(bytes(range(256)))
    (checkout / "a.pyc").write_text("ignored")
    git(checkout, "add", "a.py")
    before = git(checkout, "status", "--porcelain"), sorted((checkout / ".git" / "objects").rglob("*"))
    patch = patch_of(str(checkout))
    assert (git(checkout, "status", "--porcelain"), sorted((checkout / ".git" / "objects").rglob("*"))) == before
    clone = applied(patch, checkout, tmp_path)
    assert (clone / "a.py").read_text() == "x = 2\n"
    assert not (clone / "b.py").exists()
    assert (clone / "new.bin").read_bytes() == bytes(range(256))
    assert not (clone / "a.pyc").exists()


@pytest.mark.parametrize("attributes", ["", "*.txt diff\n", "*.txt text eol=crlf\n"])
def test_a_patch_loses_no_byte_of_what_is_no_utf8(checkout: Path, tmp_path: Path, attributes: str) -> None:
    """Neither of a text nor of a file's name, whatever the repository says of such files."""
    latin = b"caf\xe9 = 1\nx = 2\n"
    (checkout / ".gitattributes").write_text(attributes)
    (checkout / "latin.txt").write_bytes(latin)
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "second")
    git(checkout, "config", "core.quotePath", "false")
    name = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    (checkout / "latin.txt").write_bytes(latin + b"y = 3\n")
    (checkout / name).write_bytes(b"\xe9\r\n")
    (checkout / "a.py").write_text("x = 'ü'\r\n")
    patch = patch_of(str(checkout))
    assert patch.isascii()
    clone = applied(patch, checkout, tmp_path)
    assert (clone / "latin.txt").read_bytes().replace(b"\r", b"") == latin + b"y = 3\n"
    assert (clone / name).read_bytes() == b"\xe9\r\n"
    assert (clone / "a.py").read_bytes() == "x = 'ü'\r\n".encode()


@pytest.mark.parametrize(
    "setting", ["diff.noprefix=true", "diff.py.textconv=echo", "diff.relative=true", "diff.context=0"]
)
def test_what_a_repository_says_of_showing_changes_does_not_matter(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    (checkout / "part").mkdir()
    (checkout / "part" / "c.py").write_text("z = 1\n" * 9)
    (checkout / ".gitattributes").write_text("*.py diff=py\n")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "second")
    git(checkout, "config", *setting.split("=", 1))
    (checkout / "a.py").write_text("x = 2\n")
    (checkout / "part" / "c.py").write_text("z = 1\n" * 4 + "z = 2\n" + "z = 1\n" * 4)
    # A cell may have gone there.
    monkeypatch.chdir(checkout / "part")
    clone = applied(patch_of(str(checkout)), checkout, tmp_path)
    assert (clone / "a.py").read_text() == "x = 2\n"
    assert (clone / "part" / "c.py").read_text().split()[14] == "2"


def test_without_a_commit_all_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("x = 1\n")
    git(folder, "add", "-A")
    (folder / "b.py").write_text("y = 1\n")
    clone = applied(patch_of(str(folder)), folder, tmp_path)
    assert [(clone / name).read_text() for name in ("a.py", "b.py")] == ["x = 1\n", "y = 1\n"]


def test_what_git_lfs_keeps_goes_into_no_repository_of_hers(checkout: Path) -> None:
    (checkout / ".gitattributes").write_text("*.bin filter=lfs\n")
    git(checkout, "config", "filter.lfs.clean", "git config lfs.storage")
    (checkout / "x.bin").write_text("x")
    stored = Path(patch_of(str(checkout)).rpartition("\n+")[2].strip())
    assert stored.is_absolute()
    assert not stored.is_relative_to(checkout)


def test_a_worktree_and_a_part_are_not_the_whole_repository(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", str(tmp_path / "tree"))
    (checkout / "part").mkdir()
    found = [beyond(folder) for folder in (checkout, checkout / "part", tmp_path / "tree", tmp_path)]
    assert found == ["", ABOVE, OUTSIDE, ""]


def test_where_git_can_not_make_a_patch_its_words_are_told(checkout: Path) -> None:
    """A repository in the repository, without a commit."""
    git(checkout, "init", "-q", "inner")
    with pytest.raises(OSError, match="adding files failed"):
        patch_of(str(checkout))


def test_no_change_and_no_checkout_are_no_patch(checkout: Path, tmp_path: Path) -> None:
    assert patch_of(str(checkout)) == ""
    (tmp_path / "x").write_text("x")
    assert patch_of(str(tmp_path)) == ""


def drawn(picture: Any, kind: str, **options: Any) -> str:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return base64.b64encode(made.getvalue()).decode()


def opened(data: str) -> Any:
    return pytest.importorskip("PIL.Image").open(io.BytesIO(base64.b64decode(data)))


def test_a_picture_is_made_smaller_and_kept(temp: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    data = drawn(image.new("RGBA", (3000, 1000), "red"), "PNG")
    small = opened(functions.shrink(data, 1024))
    assert (small.format, small.size) == ("PNG", (1024, 341))
    assert Path(functions.keep_picture("p.png", data)).read_bytes() == base64.b64decode(data)


def test_a_photo_stays_one_and_stands_upright() -> None:
    image = pytest.importorskip("PIL.Image")
    turned = image.Exif()
    turned[0x0112] = 6
    noise = image.effect_noise((2048, 1536), 5).convert("RGB")
    made = functions.shrink(drawn(noise, "JPEG", quality=92, exif=turned), 1024)
    assert (opened(made).format, opened(made).size) == ("JPEG", (768, 1024))
    assert len(made) < 1_500_000


def test_a_picture_that_weighs_too_much_as_png_becomes_a_photo() -> None:
    image = pytest.importorskip("PIL.Image")
    noise = image.merge("RGB", [image.effect_noise((1400, 1400), 80) for _ in range(3)])
    made = functions.shrink(drawn(noise, "PNG"), 1024)
    assert (opened(made).format, opened(made).size) == ("JPEG", (1024, 1024))
    assert len(made) < 1_500_000


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG", "TIFF"])
def test_pictures_of_every_kind_are_made_smaller_and_what_is_clear_is_white(mode: str, kind: str) -> None:
    image = pytest.importorskip("PIL.Image")
    clear = {"transparency": 0} if mode == "P" and kind in ("PNG", "GIF") else {}
    try:
        data = drawn(image.new(mode, (2000, 1000)), kind, **clear)
    except (OSError, ValueError):
        # There is no such picture.
        return
    small = opened(functions.shrink(data, 1024))
    assert small.size == (1024, 512)
    if opened(data).mode in ("RGBA", "LA") or clear:
        assert small.getpixel((500, 300)) == (255, 255, 255)


class Schema(dict[str, str]):
    """As polars has it."""


class Polars:
    """A table of polars', which has none of pandas' methods and no Series of types. Its class is called DataFrame."""

    def __init__(self, **columns: list[Any]) -> None:
        self._columns = columns
        self.columns = [*columns]
        self.schema = Schema({name: type(values[0]).__name__ for name, values in columns.items()})
        self.dtypes = [*self.schema.values()]

    @property
    def shape(self) -> tuple[int, int]:
        return len(next(iter(self._columns.values()))), len(self._columns)

    def head(self, count: int) -> Polars:
        return type(self)(**{name: values[:count] for name, values in self._columns.items()})

    def __str__(self) -> str:
        return f"table of {self._columns}"


DataFrame = type("DataFrame", (Polars,), {})


def test_a_table_of_polars_is_told_like_one_of_pandas() -> None:
    table = DataFrame(a=[*range(9)], b=["x"] * 9)
    told = {"name": "df", "type": "DataFrame", "shape": "(9, 2)", "schema": "a int, b str"}
    assert functions._variable("df", table, False) == told
    value = "table of {'a': [0, 1, 2, 3, 4], 'b': ['x', 'x', 'x', 'x', 'x']}"
    assert functions._variable("df", table, True) == told | {"value": value}


def test_a_value_that_can_not_be_shown_leaves_the_schema() -> None:
    class Shy(Polars):
        def head(self, count: int) -> Polars:
            raise RuntimeError("hunter2")

    told = functions._variable("df", type("DataFrame", (Shy,), {})(a=[1]), True)
    assert (told["schema"], told["value"]) == ("a int", "(RuntimeError)")


@pytest.mark.parametrize(
    "shape", [("hunter2",), "hunter2", ["hunter2"], (3, "hunter2"), (1.5,), {"hunter2": 1}, 7, None, lambda: (1, 2)]
)
def test_a_shape_is_whole_numbers_or_nothing(shape: Any) -> None:
    odd = type("Odd", (), {"shape": property(lambda self: shape)})()
    assert functions._variable("x", odd, False) == {"name": "x", "type": "Odd"}


def test_numbers_of_a_shape_are_told_as_such() -> None:
    class Loud(int):
        def __repr__(self) -> str:
            return "hunter2"

    own = type("Own", (), {"shape": property(lambda self: (Loud(2), 3))})()
    assert functions._variable("x", own, False)["shape"] == "(2, 3)"


def test_columns_are_names_and_a_pivot_s_are_values() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"patient": ["Ann", "Bob"], "day": [1, 1], "dose": [2.5, 3.5]})
    tables = {
        "patient str, day int64, dose float64": frame,
        "2 columns": frame.pivot_table(index="day", columns="patient", values="dose"),
        "8 columns": frame.pivot_table(index="day", columns="patient", values=["dose", "day"], aggfunc=["sum", "max"]),
        "0 float64, 1 float64": pd.DataFrame([[1.0, 2.0]]),
        "1 columns": pd.DataFrame({pd.Timestamp("2020-02-02"): [1]}),
    }
    told = {functions._variable("df", table, False)["schema"].replace("object", "str") for table in tables.values()}
    assert told == {*tables}
    assert "1 columns" in functions._variable("df", pd.DataFrame({4711: [1]}), False)["schema"]


@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        ("int64", "int64"),
        ("datetime64[ns, Europe/Berlin]", "datetime64[ns, Europe/Berlin]"),
        ("int64[pyarrow]", "int64[pyarrow]"),
        ("timestamp[ns, tz=UTC][pyarrow]", "timestamp"),
        ("Datetime(time_unit='us', time_zone=None)", "Datetime"),
        ("Enum(categories=['Ann Lee', 'Bob Roe'])", "Enum"),
        ("List(Enum(categories=['Ann Lee']))", "List"),
        ("Struct({'Ann Lee': Int64})", "Struct"),
        ("dictionary<values=string, indices=int32, ordered=0>[pyarrow]", "dictionary"),
        ("struct<Ann: int64>[pyarrow]", "struct"),
        ("category[Ann, Bob]", "category"),
        ("[('Ann', '<i4')]", "str"),
    ],
)
def test_of_a_column_s_type_the_name_is_told_and_no_values(dtype: str, told: str) -> None:
    table = DataFrame(patient=["Ann Lee"])
    table.schema = Schema(patient=dtype)
    assert functions._variable("df", table, False)["schema"] == f"patient {told}"


def test_categories_and_intervals_of_pandas_are_not_told() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": pd.Categorical(["Ann", "Bob"]), "b": pd.cut([1, 4711], 2), "c": [1, 2]})
    frame["d"] = pd.arrays.SparseArray([4711, 0], fill_value=4711)
    told = functions._variable("df", frame, False)["schema"]
    assert told == "a category, b category, c int64, d Sparse"
