"""Writes the pages that are made of the code and of other files, before Sphinx looks for pages."""

from pathlib import Path

import portraits

import bibliography
import findings
import gallery
import prose
import reference
from mathml import setup_math

GENERATED = ("bibliography.md", "findings.md", "gallery.md", "reference/")


def write_pages(app) -> None:
    folder = Path(app.srcdir)
    made = {"bibliography": bibliography.page(), "findings": findings.page(), "gallery": gallery.page()}
    shown = portraits.draw(folder / "reference" / portraits.FOLDER)
    made |= {f"reference/{name}": text for name, text in reference.pages(shown).items()}
    for old in folder.glob("reference/*.md"):
        if f"reference/{old.stem}" not in made:
            old.unlink()
    for name, text in made.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def link_names(app, name: str, source: list[str]) -> None:
    """Names in code, `ms.Crossbar`, become links where a person wrote the page."""
    if not name.startswith(("reference/", "bibliography")):
        source[0] = prose.of_page(source[0])


def spread_running(app, env, names: list[str]) -> None:
    """Puts pages that run among the others: a process takes ten neighbours at a time, and the other would wait."""
    runs = [name for name in names if env.doc2path(name).read_text().startswith("---\nfile_format: mystnb")]
    still = [name for name in names if name not in runs]
    share = -(-len(still) // max(1, len(runs)))
    names[:] = [
        name for n, first in enumerate(runs or [""]) for name in (first, *still[n * share : (n + 1) * share]) if name
    ]


def setup(app) -> dict[str, bool]:
    setup_math(app)
    app.connect("builder-inited", write_pages)
    app.connect("source-read", link_names)
    app.connect("env-before-read-docs", spread_running)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
