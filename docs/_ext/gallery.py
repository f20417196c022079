"""The gallery: every figure with its command and its caption."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BESIDE = ("energy", "healing", "solving", "validation")
HEAD = """# Gallery

Every figure of the repository, drawn by `memsim draw NAME` from the results that `memsim run NAME` writes. Where a
study says with which options its figure was made, the command stands here, too.

"""


def page() -> str:
    figures = sorted((ROOT / "figures").glob("*.png"))
    return HEAD + "\n".join(shown(figure) for figure in figures)


def shown(figure: Path) -> str:
    name = figure.stem
    lines = f"{command(name)}\nmemsim draw {name} --out figures/{name}"
    image, code = f"![{name}](../figures/{figure.name})", f"```bash\n{lines}\n```"
    return "\n\n".join([f"## {name}", image, caption(figure), code, where(name), ""])


def caption(figure: Path) -> str:
    """The caption file beside the figure, a line a matter, or else what its script says of itself."""
    if (beside := figure.with_suffix(".txt")).exists():
        plain = re.sub(r"([$*<`\\[\]])", r"\\\1", beside.read_text().strip())
        return plain.replace("\n", "  \n")  # two spaces break a line
    script = figure.with_suffix(".py")
    return (ast.get_docstring(ast.parse(script.read_text())) or "").strip() if script.exists() else ""


def pages(name: str) -> dict[str, str]:
    """The pages that a person wrote, those that show the figure first."""
    folder = ROOT / "docs"
    written = [*sorted(folder.glob("studies/*.md")), *(folder / f"{page}.md" for page in BESIDE)]
    texts = {str(path.relative_to(folder)): path.read_text() for path in written}
    return dict(sorted(texts.items(), key=lambda item: not shows(item[1], name)))


def shows(text: str, name: str) -> bool:
    return f"figures/{name}.png" in text


def command(name: str) -> str:
    """The first `memsim run ...` of what the figure is drawn of, on the first page that prints one."""
    made = experiment(name)
    for text in pages(name).values():
        for found in re.findall(rf"`(memsim run {made}(?: [^`]*)?)`", text):
            if "--only" not in found:
                return " ".join(found.split())
    return f"memsim run {made}"


def experiment(name: str) -> str:
    """Whose result the figure is drawn of: two figures may be of one."""
    script = ROOT / "figures" / f"{name}.py"
    found = re.search(r'^READS = Path\("results/(\w+)/', script.read_text(), re.MULTILINE) if script.exists() else None
    return found[1] if found else name


def where(name: str) -> str:
    links = ", ".join(f"[{title(text)}]({page})" for page, text in pages(name).items() if shows(text, name))
    return f"What was found: {links}." if links else ""


def title(text: str) -> str:
    return re.search(r"^# (.*)", text, re.MULTILINE)[1]
