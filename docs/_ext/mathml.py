"""Formulas as MathML, which browsers draw themselves: no page fetches a script or a font."""

import html
import re

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
SAID_OTHERWISE = {  # what docutils does not know, or draws at the wrong place
    r"\\[bB]igg?[lr]?(?![A-Za-z])": "",  # browsers size brackets themselves
    r"\\dots(?![A-Za-z])": r"\\ldots",
    r"\\(hat|bar|tilde|dot)\s+(\w)": r"\\\1{\2}",
}


def setup_math(app) -> None:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))


def inline(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def mathml(node: nodes.Node, *, as_block: bool) -> str:
    """The formula, with its LaTeX as the title that a mouse shows."""
    text = known = node.astext()
    for pattern, replacement in SAID_OTHERWISE.items():
        known = re.sub(pattern, replacement, known)
    try:
        drawn = latex2mathml.tex2mathml(known, as_block=as_block)
    except MathError as error:
        LOGGER.warning("The formula `%s` must be LaTeX that docutils knows: %s", text, error, location=node)
        return f"<code>{html.escape(text)}</code>"
    return drawn.replace("<math", f'<math title="{html.escape(text)}"', 1)
