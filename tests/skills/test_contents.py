"""What of a skill is searched for and shown: read from its text, and from those of its package that it imports from."""

from __future__ import annotations

import re

import pytest

from jupyter_codeact.skills.contents import contents_of, split_words
from jupyter_codeact.skills.outlines import LONGEST, as_read

from .searching import GP, KIT


def test_a_module_says_what_it_does_and_how_it_is_called() -> None:
    contents = contents_of(GP)
    assert contents.summary == "Fit a Gaussian process to samples of one variable."
    signature = "gp_fit(x: np.ndarray, y, n_restarts=10) -> 'Model'"
    assert contents.functions == ((signature, "Fit a GP with an RBF kernel."),)
    assert "x, y: samples." in contents.docs
    assert {"numpy", "solveCholesky"} <= {*contents.words.split()}


def test_what_an_api_imports_from_its_package_is_its_own() -> None:
    contents = contents_of(KIT["kit/api.py"], "kit/api.py", KIT)
    assert contents.summary == "Fit a glacier to samples."
    assert contents.functions == (("fits(x, y=1)", "Fit a glacier to samples."), ("class Model", "A glacier."))
    assert "x: a moraine." in contents.docs
    assert "SECRET" in contents.words.split()


F = "def f(x): 'Do it.'\n"


@pytest.mark.parametrize(
    ("api", "others"),
    [
        ("from .impl import *\nfrom numpy import *", {"impl": F + "def _hidden(): ..."}),
        ("from kit.impl import f", {"impl": F}),
        ("from . import f", {"__init__": F}),
        ("from .deep import f", {"deep/__init__": "from .er.x import g as f", "deep/er/x": "def g(x): 'Do it.'"}),
        ("from .deep.x import f", {"deep/x": "from ..impl import f", "impl": F}),
        # A package hides a module of its name.
        ("from .deep import f", {"deep/__init__": F, "deep": "def f(): 'Not this.'"}),
        # Circles, what is not there, what is no Python, and what lies outside.
        (f"from .impl import *\nfrom .api import *\n{F}", {"impl": "from .api import *\nfrom .impl import g"}),
        (
            f"from .nowhere import f\nfrom .broken import f\nfrom ..kit.impl import g\n{F}",
            {"broken": "def f(:", "impl": "def g(): ..."},
        ),
    ],
)
def test_names_are_followed_through_the_package_and_no_further(api: str, others: dict[str, str]) -> None:
    beside = {f"kit/{name}.py": source for name, source in others.items()}
    assert contents_of(api, "kit/api.py", beside).functions == (("f(x)", "Do it."),)


IMPL = "def f(x): 'Do it.'\ndef g(): ...\ndef _h(): ..."


@pytest.mark.parametrize(
    ("api", "impl", "names"),
    [
        ("from .impl import *\n__all__ = ['f']", IMPL, ["f"]),
        ("from .impl import f, g, _h\n__all__: tuple = ('g', '_h', 'SCALE')", IMPL, ["g", "_h"]),
        ("from .impl import *\n__all__ = ['f']\n__all__ += ['g']", IMPL, ["f", "g"]),
        ("from .impl import *", f"{IMPL}\n__all__ = ['g', '_h']", ["g"]),
        ("from .impl import g, f", f"{IMPL}\n__all__ = ['g']", ["g", "f"]),
        ("from .impl import *\n__all__ = []", IMPL, []),
        # What has to be run to be known says nothing.
        ("from .impl import *\n__all__ = [*impl.__all__]", IMPL, ["f", "g"]),
        ("from .impl import *\n__all__ = ['f']\n__all__.append(name)", IMPL, ["f", "g"]),
        ("from .impl import *\n__all__ = ['f']\n__all__ += more", IMPL, ["f", "g"]),
        ("from .impl import *\nglobals()['__all__'] = ['f']", IMPL, ["f", "g"]),
        # Tests are for whoever changes it.
        ("from .impl import *\ndef test_f(): ...", f"{IMPL}\ndef test_g(): ...", ["f", "g"]),
    ],
)
def test_a_package_says_itself_what_is_for_its_users(api: str, impl: str, names: list[str]) -> None:
    for path in ("kit/api.py", "kit/__init__.py"):
        texts = {path: api, "kit/impl.py": impl}
        assert [*contents_of(api, path, texts).names] == names
        outlined = re.findall(r"^def (\w+)", as_read(path, texts).partition("# From")[2], re.MULTILINE)
        assert outlined == names


def test_what_is_offered_under_any_number_of_names_is_not_outlined_for_ever() -> None:
    aliases = ", ".join(f"f as f{number}" for number in range(1000))
    texts = {"kit/api.py": f"from .impl import {aliases}\n", "kit/impl.py": f"def f():\n    '{'x' * 10_000}'\n"}
    assert len(as_read("kit/api.py", texts)) < 2 * LONGEST


def test_many_modules_that_import_each_other_are_read_once() -> None:
    """Of every way through them there are more than can be walked."""
    names = [f"m{number}" for number in range(40)]
    stars = "".join(f"from .{name} import *\n" for name in names)
    beside = {f"kit/{name}.py": f"{stars}def {name}(): ..." for name in names}
    assert len(contents_of(stars, "kit/api.py", beside).functions) == 40


STUB = "def {0}(): '{0}: nobody has described it yet.'\n"


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        (STUB.format("a") + "def b(): 'It does.'", "It does."),
        (STUB.format("a") + STUB.format("b"), "a: nobody has described it yet."),
        ("def _help(): 'Helps.'\ndef test_b(): 'Tests.'\ndef b(): 'It does.'", "It does."),
        ("def _help(): 'Helps.'", ""),
        ("def a(): 'Another.'\ndef vol(): 'The volume.'", "The volume."),
        ("def a(): 'Another.'\n" + STUB.format("vol"), "Another."),
        ("'The whole.'\ndef vol(): 'The volume.'", "The whole."),
        # What it would inherit is no word of its source.
        ("import enum\nclass Kind(enum.Enum):\n    A = 1\ndef b(): 'It does.'", "It does."),
        ("class Vol(dict):\n    n = 1\nclass Vol2(Vol): ...", ""),
    ],
)
def test_what_describes_a_skill_stands_for_it(source: str, summary: str) -> None:
    assert contents_of(source, "vol.py").summary == summary
    assert contents_of(source, "vol/api.py", {"vol/__init__.py": ""}).summary == summary


def test_a_package_may_say_itself_what_it_is() -> None:
    beside = {"vol/__init__.py": "'The package.'"}
    assert contents_of("def f(): 'It does.'", "vol/api.py", beside).summary == "The package."
    assert contents_of("'The api.'", "vol/api.py", beside).summary == "The api."


@pytest.mark.parametrize("source", ["def broken(", "\0", "(" * 10_000, "x = '\udc80'"])
def test_what_is_no_python_says_nothing(source: str) -> None:
    assert contents_of(source).functions == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gp_fit", ["gp_fit", "gp", "fit"]),
        ("readCSV2", ["readcsv2", "read", "csv", "2"]),
        ("HTTPServerError", ["httpservererror", "http", "server", "error"]),
        ("café Größe", ["café", "größe"]),
        ("plain words, 3", ["plain", "words", "3"]),
    ],
)
def test_identifiers_are_split_into_words(text: str, words: list[str]) -> None:
    assert [*split_words(text)] == words
