"""Formulas as MathML, which browsers draw themselves: no page fetches a script or a font."""

import html

from docutils import nodes
from docutils.utils.math import latex2mathml


def setup_math(app) -> None:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))


def inline(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def mathml(text: str, *, as_block: bool) -> str:
    """The formula, with its LaTeX as the title that a mouse shows."""
    drawn = latex2mathml.tex2mathml(text, as_block=as_block)
    return drawn.replace("<math ", f'<math title="{html.escape(text)}" ', 1)
