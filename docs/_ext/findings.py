"""The page of findings: findings/README.md, whose scripts can be downloaded."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "findings"


def page() -> str:
    text = (FOLDER / "README.md").read_text()
    return re.sub(r"\[(\w+)\]\((\w+\.sh)\)", r"{download}`\1 <../findings/\2>`", text)
