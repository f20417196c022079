"""The gallery: every figure with its command and its caption."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = """# Gallery

Every figure of the repository, drawn by `memsim draw NAME` from the results that `memsim run NAME` writes. Where a
study says with which options its figure was made, the command stands here, too.

"""


def page() -> str:
    figures = sorted((ROOT / "figures").glob("*.png"))
    return HEAD + "\n".join(shown(figure) for figure in figures)


def shown(figure: Path) -> str:
    name = figure.stem
    used = commands(name) or [f"memsim run {name}"]
    lines = "\n".join([*used, f"memsim draw {name} --out figures/{name}"])
    image, code = f"![{name}](../figures/{figure.name})", f"```bash\n{lines}\n```"
    return "\n\n".join([f"## {name}", image, caption(figure), code, where(name), ""])


def caption(figure: Path) -> str:
    """The caption file beside the figure, or else what its script says of itself."""
    for suffix in (".txt", ".md"):
        if (beside := figure.with_suffix(suffix)).exists():
            return beside.read_text().strip()
    script = figure.with_suffix(".py")
    return (ast.get_docstring(ast.parse(script.read_text())) or "").strip() if script.exists() else ""


def texts() -> dict[Path, str]:
    return {path: path.read_text() for path in sorted((ROOT / "docs").glob("studies/*.md"))}


def commands(name: str) -> list[str]:
    """`memsim run NAME ...` as pages on studies print it, most options first, each once."""
    found = {
        " ".join(command.split())
        for text in texts().values()
        for command in re.findall(rf"`(memsim run {name}(?: [^`]*)?)`", text)
        if "--only" not in command
    }
    return sorted(found, key=len, reverse=True)[:1]


def where(name: str) -> str:
    pages = [path.stem for path, text in texts().items() if f"figures/{name}.png" in text]
    links = ", ".join(f"[studies: {page}](studies/{page}.md)" for page in pages)
    return f"What was found: {links}." if links else ""
