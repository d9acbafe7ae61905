"""The agent's file editor: what each command does, and what it never does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.errors import EditError
from jupyter_codeact.skills.editor import LibraryEditor
from jupyter_codeact.skills.library import Library
from jupyter_codeact.skills.skill import files_of

TEXT = "a = 1\nb = 2\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def editor(own: Path, shared: Path) -> LibraryEditor:
    return LibraryEditor(Library(own, shared))


def put(folder: Path, text: str, name: str = "fit.py") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def do(editor: LibraryEditor, command: str, path: str = "fit.py", **arguments: Any) -> str:
    """As the loop does it."""
    given = {"command": command, "path": path, **arguments}
    seen = editor.view(given)
    return editor.plan(given).apply() if seen is None else seen


def test_what_python_warns_of_is_nothing_that_we_say(editor: LibraryEditor, own: Path) -> None:
    """In tests a warning is an error. The description reads the file, too."""
    do(editor, "create", file_text="def f(x):\n    return x is 1, '\\d'\n")
    assert Library(own).get("fit").functions == ["f(x)"]


# ---- view


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\nb\n", "   1  a\n   2  b"),
        ("a\n\nb", "   1  a\n   2  \n   3  b"),
        ("\ta\r\nb  \r\n", "   1  \ta\n   2  b  "),
        ("'a\x0cb'\n'\u2028'\n", "   1  'a\x0cb'\n   2  '\u2028'"),
        ("\n", "   1  "),
        ("", "fit.py is empty."),
    ],
)
def test_a_view_has_python_s_line_numbers(editor: LibraryEditor, own: Path, text: str, seen: str) -> None:
    put(own, text)
    assert do(editor, "view") == seen


@pytest.mark.parametrize("path", [".", "", "/"])
def test_the_library_is_listed(editor: LibraryEditor, own: Path, path: str) -> None:
    assert do(editor, "view", path) == "No skills yet."
    put(own, '"""Fits."""\n')
    assert do(editor, "view", path) == "fit.py  Fits."


def test_what_is_listed_can_be_viewed(editor: LibraryEditor, own: Path, shared: Path) -> None:
    put(shared, "theirs = 1\n")
    assert "theirs" in do(editor, "view")
    put(own, "hers = 1\n")
    assert "hers" in do(editor, "view")


def test_shared_skills_are_not_edited(editor: LibraryEditor, shared: Path) -> None:
    theirs = put(shared, TEXT)
    with pytest.raises(EditError, match=r"There is no fit\.py"):
        do(editor, "str_replace", old_str="a", new_str="c")
    assert theirs.read_text() == TEXT


# ---- create, str_replace, insert


@pytest.mark.parametrize("path", ["fit.py", "fit", "/fit.py", "{own}/fit.py"])
def test_create_writes_the_whole_file(editor: LibraryEditor, own: Path, path: str) -> None:
    text = "def _f():\n\treturn 'ü'\r\n"
    said = do(editor, "create", path.format(own=own), file_text=text)
    assert (own / "fit.py").read_bytes() == text.encode()
    assert said.startswith("Create fit.py: done.\n")
    assert do(editor, "create", path.format(own=own), file_text=TEXT).startswith("Change fit.py: done.\n")


@pytest.mark.parametrize("first", ["api", "impl", "__init__"])
def test_a_package_is_one_from_its_first_file_on(editor: LibraryEditor, own: Path, first: str) -> None:
    """Without an __init__.py it is no skill, and each edit of it was followed by a version "by hand"."""
    library = Library(own, own.parent / "shared")
    texts = {"api": "from .impl import f\n", "impl": 'def f():\n    """F."""\n', "__init__": "from .api import f\n"}
    order = [first, *(name for name in texts if name != first)]
    for number, name in enumerate(order, 1):
        said = do(editor, "create", f"pkg/{name}.py", file_text=texts[name])
        assert ("makes it a package" in said) == (number == 1 and name != "__init__")
        assert [version.note.by for version in library.log("pkg")] == ["agent"] * number
    assert dict(files_of(own, "pkg")) == {f"pkg/{name}.py": text for name, text in texts.items()}
    while order:
        do(editor, "undo", f"pkg/{order.pop()}.py")
    assert not (own / "pkg").exists()
    assert library.log("pkg")[0].removed


def test_a_folder_of_modules_can_be_made_a_package(editor: LibraryEditor, own: Path) -> None:
    (own / "pkg").mkdir()
    (own / "pkg" / "api.py").write_text("A = 1\n")
    do(editor, "str_replace", "pkg/api.py", old_str="1", new_str="2")
    assert dict(files_of(own, "pkg")) == {"pkg/__init__.py": "", "pkg/api.py": "A = 2\n"}


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("a = 1\nb = 2\n", "1", "10", "a = 10\nb = 2\n"),
        ("a = 1\nb = 2\n", "\nb = 2", "", "a = 1\n"),
        ("a = 1\nb = 2\n", "\nb = 2", None, "a = 1\n"),
        ("if a:\n\tb\n", "\tb", "\tc", "if a:\n\tc\n"),
        ("a = 1\r\nb = 2\r\n", "a = 1\nb", "a = 1\nx = 0\nb", "a = 1\r\nx = 0\r\nb = 2\r\n"),
        ("a = 1\r\nb = 2\r\n", "a = 1\r\nb", "b", "b = 2\r\n"),
        ("a = 1\r\nb = 2\n", "a = 1", "a = 3\nc = 4", "a = 3\nc = 4\r\nb = 2\n"),
    ],
)
def test_str_replace_changes_one_place_and_keeps_the_rest(
    editor: LibraryEditor, own: Path, *, before: str, old: str, new: str | None, after: str
) -> None:
    path = put(own, before)
    do(editor, "str_replace", old_str=old, new_str=new)
    assert path.read_bytes() == after.encode()


@pytest.mark.parametrize(("old", "count"), [("zzz", 0), ("=", 2), ("", 0), ("a = 1\r\nb", 0)])
def test_str_replace_wants_one_place(editor: LibraryEditor, own: Path, old: str, count: int) -> None:
    put(own, TEXT)
    with pytest.raises(EditError, match=f"occurs {count} times"):
        do(editor, "str_replace", old_str=old, new_str="")
    assert (own / "fit.py").read_text() == TEXT


@pytest.mark.parametrize(
    ("before", "at", "new", "after"),
    [
        ("a\nb\n", 0, "x", "x\na\nb\n"),
        ("a\nb\n", 1, "x\n", "a\nx\nb\n"),
        ("a\nb\n", 2, "x\ny", "a\nb\nx\ny\n"),
        ("a\nb", 2, "x", "a\nb\nx\n"),
        ("a\nb", 1, "x", "a\nx\nb"),
        ("", 0, "x", "x\n"),
        ("a\r\nb\r\n", 1, "x\ny", "a\r\nx\r\ny\r\nb\r\n"),
        ("a\r\nb", 2, "x", "a\r\nb\r\nx\r\n"),
        ("'a\x0cb'\nb\n", 1, "x", "'a\x0cb'\nx\nb\n"),
        ("'\u2028'\nb\n", 2, "x", "'\u2028'\nb\nx\n"),
        ("if a:\n\tb\n", 2, "\tc", "if a:\n\tb\n\tc\n"),
    ],
)
def test_insert_goes_after_a_line(
    editor: LibraryEditor, own: Path, *, before: str, at: int, new: str, after: str
) -> None:
    path = put(own, before)
    do(editor, "insert", insert_line=at, new_str=new)
    assert path.read_bytes() == after.encode()


@pytest.mark.parametrize("at", [-1, 3, "1", 1.0, None, True])
def test_insert_wants_a_line_that_is_there(editor: LibraryEditor, own: Path, at: Any) -> None:
    put(own, TEXT)
    with pytest.raises(EditError, match="from 0 to 2"):
        do(editor, "insert", insert_line=at, new_str="x")


@given(lines=st.lists(st.sampled_from(["a", "'\x0c'", "'\u2028\x85'", "", "b"])), at=st.integers(0, 6))
def test_an_inserted_line_is_viewed_where_it_was_put(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], at: int
) -> None:
    folder = tmp_path_factory.mktemp("own")
    editor, at = LibraryEditor(Library(folder)), min(at, len(lines))
    put(folder, "".join(line + "\n" for line in lines))
    do(editor, "insert", insert_line=at, new_str="new")
    assert do(editor, "view").split("\n")[at] == f"{at + 1:4}  new"


# ---- undo


def test_undo_goes_back_one_edit_at_a_time(editor: LibraryEditor, own: Path) -> None:
    path = own / "fit.py"
    do(editor, "create", file_text=TEXT)
    do(editor, "str_replace", old_str="1", new_str="7")
    do(editor, "insert", insert_line=0, new_str="x = 0")
    do(editor, "undo")
    assert path.read_text() == "a = 7\nb = 2\n"
    do(editor, "undo")
    assert path.read_text() == TEXT
    assert do(editor, "undo").startswith("Remove fit.py: done.\n")
    assert not path.exists()
    with pytest.raises(EditError, match="no edit"):
        do(editor, "undo")


def test_a_function_that_nobody_has_described_says_so(editor: LibraryEditor, own: Path) -> None:
    """With the line ends of the file, and seen before she agrees."""
    edit = editor.plan({"command": "create", "path": "fit.py", "file_text": "def f():\r\n    return 1\r\n"})
    assert '+    """f: nobody has described it yet."""\r\n' in edit.diff
    edit.apply()
    assert (own / "fit.py").read_bytes().count(b"\r\n") == 3


def test_an_edit_that_was_refused_is_not_undone(editor: LibraryEditor, own: Path) -> None:
    put(own, TEXT)
    editor.plan({"command": "create", "path": "fit.py", "file_text": "x = 1\n"})
    with pytest.raises(EditError, match="no edit"):
        do(editor, "undo")


def test_undo_takes_nobody_else_s_change_back(editor: LibraryEditor, own: Path) -> None:
    do(editor, "create", file_text=TEXT)
    put(own, "hers = 1\n")
    with pytest.raises(EditError, match="somebody else"):
        do(editor, "undo")
    assert (own / "fit.py").read_text() == "hers = 1\n"


def test_undo_restores_what_was_broken_before(editor: LibraryEditor, own: Path) -> None:
    """The file was hers: that it did not compile is no reason to keep the agent's."""
    path = put(own, "def\n")
    do(editor, "create", file_text=TEXT)
    do(editor, "undo")
    assert path.read_text() == "def\n"


# ---- what is refused


@pytest.mark.parametrize("other", ["changed = 1\n", None])
def test_a_change_by_somebody_else_meanwhile_is_kept(editor: LibraryEditor, own: Path, other: str | None) -> None:
    path = put(own, TEXT)
    edit = editor.plan({"command": "create", "path": "fit.py", "file_text": "x = 1\n"})
    put(own, other) if other else path.unlink()
    with pytest.raises(EditError, match="somebody else") as caught:
        edit.apply()
    # Both are shown.
    assert (f"+{other}" if other else "-a = 1") in str(caught.value)
    assert "not saved:\n@@ -1,2 +1 @@\n-a = 1\n-b = 2\n+x = 1" in str(caught.value)
    assert (path.read_text() if path.exists() else None) == other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ndef f(:\n", "line 2: invalid syntax"),
        ("x = 1\n  y = 2\n", "line 2: unexpected indent"),
        ("'''", "line 1: unterminated"),
        ("x = '\0'", "would not compile"),
        ("x = '\ud800'", "would not compile"),
        ("x = " + "-" * 100_000 + "1", "would not compile"),
    ],
)
def test_what_would_not_compile_is_refused_before_she_is_asked(
    editor: LibraryEditor, own: Path, text: str, said: str
) -> None:
    with pytest.raises(EditError, match=r"Not saved: fit\.py would not compile") as caught:
        editor.plan({"command": "create", "path": "fit.py", "file_text": text})
    assert said in str(caught.value)
    assert not list(own.iterdir())


@pytest.mark.parametrize(
    "path",
    [
        "../x.py",
        "/etc/passwd",
        "a/b.py",
        "a/../x.py",
        "..",
        "{own}2/x.py",
        "{own}/../x.py",
        "~/x.py",
        "C:\\x.py",
        "x.txt",
        "x.py.py",
        "x\0.py",
        "my-skill.py",
        "class.py",
        "os.py",
        "sitecustomize.py",
        ".hidden.py",
        None,
        7,
        ["fit.py"],
    ],
)
@pytest.mark.parametrize("command", ["view", "create", "str_replace", "insert", "undo"])
def test_paths_are_confined_to_the_library(editor: LibraryEditor, own: Path, path: Any, command: str) -> None:
    given = path.format(own=own) if isinstance(path, str) else path
    more = {"file_text": "x = 1", "old_str": "x", "new_str": "y", "insert_line": 0}
    with pytest.raises(EditError, match="is not a file of the library"):
        do(editor, command, given, **more)
    assert sorted(p.name for p in own.parent.rglob("*")) == ["own", "shared"]


@pytest.mark.parametrize("command", ["view", "create", "str_replace", "insert", "undo"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_out_of_the_library_is_not_followed(
    editor: LibraryEditor, own: Path, tmp_path: Path, command: str, there: bool
) -> None:
    secret = tmp_path / "secret.py"
    if there:
        secret.write_text("key = 'hers'\n")
    (own / "fit.py").symlink_to(secret)
    with pytest.raises(EditError, match="link") as caught:
        do(editor, command, file_text="x = 1", old_str="hers", new_str="y", insert_line=0)
    assert "hers" not in str(caught.value)
    assert secret.exists() is there
    assert (own / "fit.py").is_symlink()


def test_a_link_in_the_shared_folder_is_not_followed_either(
    editor: LibraryEditor, shared: Path, tmp_path: Path
) -> None:
    put(tmp_path, "key = 'hers'\n", "secret.py")
    (shared / "fit.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(EditError, match="There is no"):
        do(editor, "view")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"# coding: latin-1\nx = '\xa3'\n", "'fit.py' is no UTF-8, and can't be shown"), (None, "can't be read")],
)
def test_what_cannot_be_read_is_said(editor: LibraryEditor, own: Path, content: bytes | None, said: str) -> None:
    path = own / "fit.py"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(EditError, match=said):
        do(editor, "view")
    with pytest.raises(EditError, match=said):
        do(editor, "create", file_text="x = 1")


@pytest.mark.parametrize("name", ["fit.py", "pkg/api.py"])
async def test_a_mark_at_the_start_is_no_part_of_what_is_edited(editor: LibraryEditor, own: Path, name: str) -> None:
    (own / "pkg").mkdir()
    (own / "pkg/__init__.py").touch()
    path = put(own, "\ufeffdef f(x):\n    return x\n", name)
    assert do(editor, "view", name) == "   1  def f(x):\n   2      return x"
    plan = editor.plan({"command": "str_replace", "path": name, "old_str": "return x", "new_str": "return 2"})
    assert "done" in plan.apply()
    assert "Checks passed" in (await plan.checks()).text
    assert path.read_bytes().startswith(b"\xef\xbb\xbfdef f(x):\n")
    do(editor, "undo", name)
    assert path.read_bytes() == b"\xef\xbb\xbfdef f(x):\n    return x\n"
    do(editor, "create", "new.py", file_text="\ufeffdef f(x):\n    return x\n")
    assert (own / "new.py").read_bytes().startswith(b"def f(x):\n")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    editor = LibraryEditor(Library(tmp_path / "missing"))
    with pytest.raises(EditError, match="can't be written"):
        do(editor, "create", file_text="x = 1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "create"}, "create needs file_text"),
        ({"command": "create", "file_text": 7}, "create needs file_text"),
        ({"command": "str_replace"}, "str_replace needs old_str"),
        ({"command": "insert", "insert_line": 0}, "insert needs new_str"),
        ({"command": "delete"}, "no command 'delete'; there are view, create"),
        ({"command": ["view"]}, "no command"),
        ({}, "no command None"),
    ],
)
def test_what_is_missing_is_named(editor: LibraryEditor, own: Path, arguments: dict[str, Any], said: str) -> None:
    put(own, TEXT)
    with pytest.raises(EditError, match=said.replace("[", r"\[")):
        editor.plan({"path": "fit.py", **arguments})


# ---- what she sees of it


@pytest.mark.parametrize(
    ("before", "after", "diff"),
    [
        ("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b"),
        ("", "b\n", "@@ -0,0 +1 @@\n+b"),
        ("a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file"),
        ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a"),
        ("a\n", "a\n", "(no change)"),
    ],
)
def test_the_diff_shows_every_change(editor: LibraryEditor, own: Path, before: str, after: str, diff: str) -> None:
    put(own, before)
    assert editor.plan({"command": "create", "path": "fit.py", "file_text": after}).diff == diff
