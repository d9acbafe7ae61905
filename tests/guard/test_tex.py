"""What is typeset, and what is shown as it was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_codeact.guard import bundle, html, markdown, tex, widgets

REFUSED = [
    r"\mmlToken{mi}[href='x']{x}",
    r"\href{x}{y}", r"\url{x}", r"\class{x}{y}", r"\style{x}{y}", r"\cssId{x}{y}", r"\data{a=b}{y}",
    r"\require{x}", r"\includegraphics{x}", r"\csname x\endcsname",
    r"\toggle{a}{b}\endtoggle", r"\mathtip{a}{b}", r"\texttip{a}{b}",
    r"\verb|}|",
    r"\newcommand{\x}{y}", r"\renewcommand{\x}{y}", r"\def\x{y}", r"\let\x=y", r"\newenvironment{x}{y}{z}",
    r"\renewenvironment{x}{y}{z}", r"\DeclareMathOperator{\x}{y}", r"\DeclarePairedDelimiter{\x}{y}{z}",
    r"\Newextarrow{\x}{1,2}{3}", r"\definecolor{x}{rgb}{0,0,0}", r"\newtagform{x}{(}{)}", r"\mathtoolsset{x=y}",
    r"\label{x}", r"\ref{x}", r"\eqref{x}", r"\refeq{x}",
    r"\unicode[font]{65}", r"\U{5C}mmlToken{mi}{x}", r"\char92", r"\ce{H2O}", r"\begingroup", r"\Aboxed{x}",
    r"\bbox[border: 1px solid]{x}", r"\bbox [red,color:url(x)]{x}", "\\bbox\n[a:b]{x}",
    r"\cancel[href=x]{y}", r"\enclose{circle}[href=x]{y}", "\\enclose{circle} \ufeff[href=x]{y}",
    r"\color{url(x)}", r"\colorbox[a b]{red}{x}", r"\fcolorbox{red}{url(x)}{x}",
    r"\begin{array}{>{\alpha}c}x\end{array}", r"\begin{empheq}{align}x\end{empheq}", r"\begin {unknown}x\end{unknown}",
    r"\begin{tabular}{l}x\end{tabular}", r"\nobodyknowsit", r"\\\href{x}{y}", r"\,\href{x}{y}",
]  # fmt: skip

TYPESET = [
    # sympy's.
    r"$\displaystyle \int\limits_{0}^{\infty} e^{- x^{2}}\, dx = \frac{\sqrt{\pi}}{2}$",
    r"$\displaystyle \left[\begin{matrix}1 & 2\\x & y\end{matrix}\right]$",
    r"$\displaystyle \begin{cases} x & \text{for}\: x > 0 \\0 & \text{otherwise} \end{cases}$",
    r"$\displaystyle \left\{1, \frac{1}{2}\right\} \cup \left(-\infty, 0\right) \setminus \mathbb{N}$",
    r"$\displaystyle \sum_{\substack{0 \leq k \leq n\\1 \leq j \leq m}} {\binom{n}{k}} \operatorname{erf}{\left(x \right)}$",
    r"$\displaystyle \left. \frac{d}{d \xi_{1}} f{\left(\xi_{1} \right)} \right|_{\substack{ \xi_{1}=2 x }}$",
    r"$\displaystyle \lim_{x \to 0^+}\left(\frac{\sin{\left(x \right)}}{x}\right) \wedge \neg a \Rightarrow b$",
    r"\begin{equation}\mathtt{\text{x\_y}} \cdot {{x}^{\dagger}} \otimes \hat{a}\end{equation}",
    # Papers'.
    r"\(\mathcal{L} = \mathbf{x}^\top \boldsymbol{\Sigma}^{-1} \vec{y}, \quad \forall x \in \mathbb{R}\)",
    r"\[\underbrace{a + b}_{\text{sum}} \overset{!}{=} \sqrt[3]{\lVert x \rVert} \tag{1}\]",
    r"$\textcolor{red}{x} \color{#ff0000}{y} \colorbox{yellow}{z} \color[rgb]{1, 0.5, 0} x \fcolorbox{red}{white}{x}$",
    r"$\bbox[yellow, 2pt]{x} \bbox[#fff]{y} \cancel{x} \cancelto{0}{x} \enclose{circle,box}{x} \boxed{E=mc^2}$",
    r"$\$5 \% \# \& \_ \{ \} \, \: \; \! \ \| \\ x$",
    r"$\begin{array}{r|c@{}l} a & b \\ \hline c & d \end{array}$",
    r"$\xrightarrow[below]{above} \genfrac{(}{)}{0pt}{}{a}{b} \cfrac[l]{1}{2} \big\langle x \big\rangle \\[1em] x$",
]  # fmt: skip
ENVIRONMENTS = sorted(tex._names()["environment"])


DEEP = [
    r"\frac{1}{" * 100 + "x" + "}" * 100,
    "x^{" * 100 + "}" * 100,
    r"\left(" * 100 + r"\right)" * 100,
    r"\begin{matrix}" * 100 + r"\end{matrix}" * 100,
    # A comment hides what follows it from MathJax.
    "\n".join([r"\frac{1}{ %}"] * 100) + "}" * 100,
    "5% " + r"\frac{1}{" * 100 + "}" * 100,
    "}" * 100 + r"\frac{1}{" * 100 + r"\}" * 100 + "}" * 100,
]
WIDE = [r"\frac{1}{" * 20 + "x" + "}" * 20, r"\frac{a}{b} + " * 200, "a%{b}\n" * 200 + r"\left( {x} \right)" * 200]


@pytest.mark.parametrize("inner", DEEP, ids=range(len(DEEP)))
def test_what_is_nested_so_deep_that_a_page_ends_of_it_is_shown_as_it_was_written(inner: str) -> None:
    texts = [tex.plain(f"${inner}$"), html.clean(f"<p>${inner}$</p>").body]
    texts.append(html.clean(f"<p>${inner[:150]}<br>{inner[150:]}$</p>").body)
    for shown in texts:
        assert not {"\\", "{"}.intersection(shown)
    assert not markdown.is_text(f"${inner}$")


@pytest.mark.parametrize("inner", WIDE, ids=range(len(WIDE)))
def test_what_is_long_and_not_deep_is_typeset(inner: str) -> None:
    assert tex.plain(f"${inner}$") == f"${inner}$"
    assert markdown.is_text(f"${inner}$")


@pytest.mark.parametrize("command", REFUSED)
def test_a_command_that_does_more_than_typeset_is_shown_as_it_was_written(command: str) -> None:
    first = "".join(re.findall(r"[A-Za-z]+", command)[:1])
    for text in (f"${command}$", f"x <b>\\({command}\\)</b>"):
        shown = tex.plain(text)
        assert f"{tex.SHOWN}{first}" in shown
        assert shown.replace(tex.SHOWN, "\\") == text
        assert f"{tex.SHOWN}{first}" in html.clean(f"<p>{text}</p>").body
    assert not markdown.is_text(f"${command}$")
    for state in ({"description": f"${command}$"}, {"value": f"${command}$"}):
        assert tex.SHOWN in str(widgets.clean_state(state, "LabelModel"))


@pytest.mark.parametrize("text", TYPESET)
def test_what_only_typesets_is_typeset(text: str) -> None:
    assert tex.formula(text) == text
    assert bundle.clean({"text/latex": text}) == {"text/latex": text}
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html.clean(f"<p>{escaped}</p>").body == f"<p>{escaped}</p>"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_each_environment(name: str) -> None:
    columns = {"array": "{cc}", "subarray": "{c}", "numcases": "{x=}", "subnumcases": "{x=}"}.get(name, "")
    columns = "{2}" if "alignat" in name or name == "alignedat" else columns
    text = f"\\begin{{{name}}}{columns} a & b \\\\ c & d \\end{{{name}}}"
    assert tex.formula(text) == text


def test_a_formula_with_control_characters_is_none() -> None:
    assert tex.plain("$\\alpha \x01$") == "$∖alpha \ufffd$"
    assert tex.plain("$\\alpha \r$") == "$∖alpha \ufffd$"
    assert tex.plain("$\\alpha\r\n\t$") == "$\\alpha\r\n\t$"
    assert "∖alpha" in html.clean("<p>$\\alpha&#1;$").body
    assert not markdown.is_text("$\\alpha\x01$")


def test_text_without_a_formula_and_code_stay_as_they_are() -> None:
    for text in (r"C:\Users\data", r"<td>C:\Users</td>", "\\href \x01"):
        assert tex.plain(text) == text
    for text in (r"<pre>echo $HOME \n <span>\href</span></pre>", r"<p>$1: <code>\n</code></p>"):
        assert html.clean(text).body == text
    assert html.clean(r"<pre>$<b>\href</b></pre>").body == r"<pre>$<b>∖href</b></pre>"
    assert html.clean(r'<p title="\href">$</p>').body == r'<p title="\href">$</p>'


def test_markdown_whose_backslashes_might_be_taken_in_twos_leaves_as_html() -> None:
    assert markdown.is_text(r"a matrix $\begin{matrix}1\\2\end{matrix}$")
    shown = bundle.clean({"text/markdown": r"\$\\mmlToken{mi}[href='x']{x}\$"})
    assert r"\mmlToken" not in str(shown)
    assert "∖mmlToken" in shown["text/html"]
    assert not markdown.is_text(r"$\cancel\[href=x]{y}$")


@given(
    st.lists(st.sampled_from(["\\", "$", "mmlToken", "alpha", "cancel", "begin", "{matrix}", "[", "x", "\x01", "\n"]))
)
def test_a_second_pass_changes_nothing(pieces: list[str]) -> None:
    once = tex.formula("".join(pieces))
    assert tex.formula(once) == once
    assert "\\mmlToken" not in once.replace("\\\\", "")


# ruff: noqa: E501 RUF001 tables, and the sign that looks like a backslash
