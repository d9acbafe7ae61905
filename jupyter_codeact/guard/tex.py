r"""TeX commands that do more than typeset.

Front ends typeset formulas in Markdown, LaTeX and HTML outputs with MathJax. ``\require`` loads extensions by name,
``\href`` makes links, the others put styles and classes on elements. JupyterLab's MathJax has its Safe extension on,
which filters the latter; not every front end's has.
"""

from __future__ import annotations

import re

_ACTIVE = re.compile(r"\\(?:require|href|url|style|class|cssId|data|includegraphics|csname)(?![A-Za-z])")


def plain(text: str) -> str:
    """The same text, with the arguments of such commands as words."""
    return _ACTIVE.sub(r"\\text", text)
