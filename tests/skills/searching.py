"""A small library, and searches over it."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_codeact.skills.search import Search

GP = '''"""Fit a Gaussian process to samples of one variable."""

import numpy as np


def gp_fit(x: np.ndarray, y, n_restarts=10) -> "Model":
    """Fit a GP with an RBF kernel.

    x, y: samples.
    """
    return solveCholesky(x)


def _hidden(): "Nothing of interest."
'''
CSV = '"""Read tables from comma separated files."""\n\n\nclass CsvReader:\n    """Reads rows."""\n'
PLOT = '"""Draw maps."""\n\n\ndef draw_map(points):\n    """Draw points on a map."""\n'
# The usual shape of a package: its api imports what it offers.
KIT = {
    "kit/__init__.py": "",
    "kit/api.py": "from .impl import fit as fits, Model, _helper\n",
    "kit/impl.py": '''"""Ice."""


class Model:
    """A glacier."""

    height: float = 0.0

    def _melt(self): ...

    def flow(self, years):
        """Let it flow.

        For years.
        """
        return SECRET * years


def fit(x, y=1):
    """Fit a glacier to samples.

    x: a moraine.
    """
    return SECRET


def _helper():
    "Never meant."
''',
}
Make = Callable[..., Search]


def found(search: Search, text: str, **options) -> list[str]:
    return [skill.name for skill in search.find(text, **options)]
