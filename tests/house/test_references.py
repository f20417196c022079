"""Every paper that a docstring cites stands in the bibliography, and no other does."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_cited_keys_are_the_keys_of_the_bibliography():
    files = [*ROOT.glob("memsim/**/*.py"), *ROOT.glob("device_models/**/*.py"), *ROOT.glob("experiments/*.py")]
    texts = [file.read_text() for file in files]
    cited = {key for text in texts for key in re.findall(r"\b[A-Z][A-Za-z]+(?:19|20)\d\d\b", text)}
    cited -= {name for text in texts for name in re.findall(r"^class (\w+)", text, re.MULTILINE)}  # DataDriven2017
    listed = re.findall(r"^@\w+\{(\w+),", (ROOT / "REFERENCES.bib").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(cited)
