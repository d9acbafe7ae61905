"""What doctests and annotations that are strings name comes along, too."""

from __future__ import annotations

import pytest

from jupyter_codeact.errors import SkillFailed
from jupyter_codeact.skills.slicing import module_of

DOCTESTED = """import pandas as pd
import json
K = 2
def made(): return K
def unused(): return K
def clean(df):
    '''Clean.

    >>> clean(pd.DataFrame({'a': [made()]})).a[0]
    2
    >>> unused = 3
    >>> unused + (lambda a: a)(1) + sum(json for json in [1])
    5
    '''
    return df"""
FUTURE = "from __future__ import annotations"


@pytest.mark.parametrize(
    ("cells", "name", "kept"),
    [
        ([DOCTESTED], "clean", ["import pandas as pd", "K = 2", "def made(): return K"]),
        (["import pandas as pd\ndef f(df: 'pd.DataFrame') -> None: return df"], "f", ["import pandas as pd"]),
        (["class M: pass", "class F:\n    def f(self):\n        x: 'M' = 1\n        return x"], "F", ["class M: pass"]),
        ([f"{FUTURE}\nclass N: pass\nclass M: pass\ndef f() -> list['M']: return []"], "f", [FUTURE, "class M: pass"]),
        (["from typing import *\nm = 2\ndef f(a: Literal['m']): return a"], "f", ["from typing import *"]),
        (["m = 2\nimport typing\ndef f(a: typing.Annotated[int, 'm']): return a"], "f", ["import typing"]),
        (["x = 1\nclass A:\n    def f(self):\n        '''>>> x + 1\n        2'''"], "A", ["x = 1"]),
        (["def f(): return 1", "def f() -> 'f':\n    '''>>> f()\n    2'''\n    return 2"], "f", []),
        (["x = 1\ndef f():\n    '''\n    >>> x  # doctest: +SKIP\n    >>> (\n    '''"], "f", []),
        (["x = 1\ndef f(a: 'x y', b: '(') -> '': return 1"], "f", []),
    ],
)
def test_what_doctests_and_annotations_name_comes_along(cells: list[str], name: str, kept: list[str]) -> None:
    *there, _ = module_of(cells, [name]).rstrip("\n").split("\n\n\n")
    assert "\n".join(there).split("\n") == (kept or [""])


def test_what_a_doctest_needs_of_other_cells_is_told() -> None:
    cell = "def f():\n    '''>>> g()\n    1'''\n    return 1"
    with pytest.raises(SkillFailed, match="f needs g, which cell 1 defines; g needs k, which cell 2 defines"):
        module_of([cell], ["f"], {"cell 1": "def g(): return k", "cell 2": "k = 1"})
    # Where no cell has it, the tests say what comes of that.
    assert module_of([cell], ["f"]).startswith("def f")
