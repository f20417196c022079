"""The paper for the Journal of Open Source Software: its form, its references, and numbers the package still has."""

import re
from pathlib import Path

import device_models as dm
import memsim as ms

ROOT = next(folder for folder in Path(__file__).parents if (folder / "paper" / "paper.md").exists())
PAPER = (ROOT / "paper" / "paper.md").read_text()
BIB = (ROOT / "paper" / "paper.bib").read_text()
CITATION = (ROOT / "CITATION.cff").read_text()
HEAD, BODY = re.match(r"---\n(.*?)\n---\n(.*)", PAPER, re.DOTALL).groups()
SECTIONS = [
    *("Summary", "Statement of need", "State of the field", "Software design", "Research impact statement"),
    *("AI usage disclosure", "Acknowledgements", "References"),
]


def test_it_has_the_sections_and_the_length_that_the_journal_asks_for():
    assert re.findall(r"^# (.*)$", BODY, re.MULTILINE) == SECTIONS
    assert 750 <= len(re.findall(r"\w[\w'.-]*", BODY)) <= 1750


def test_cited_keys_are_those_of_its_bibliography_and_every_entry_can_be_found():
    entries = dict(re.findall(r"^@\w+\{(\w+), (.*)$", BIB, re.MULTILINE))
    assert set(re.findall(r"@(\w+)", BODY)) == set(entries)
    for key, entry in entries.items():
        assert re.search(r"(doi = \{10\.\d+/\S+\}|url = \{https://)", entry), key
        assert "year = " in entry and "title = " in entry and "author = " in entry, key


def test_title_and_authors_are_those_that_the_citation_names():
    title = re.search(r'^title: "(.*)"$', HEAD, re.MULTILINE)[1]
    assert f'title: "{title}"' in CITATION
    authors = re.findall(r"^ +(?:literal|name): +(.+)$", HEAD, re.MULTILINE)
    cited = set(re.findall(r"^ +- name: (.*)$", CITATION, re.MULTILINE))
    assert authors and {*authors} == cited


def test_the_numbers_it_counts_are_those_of_the_package():
    assert f"lists {len(dm.DEVICES)} such cells" in BODY
    assert f"{len(ms.chips.TARGETS)} models of\ndigital and mixed-signal" in BODY


def test_what_to_cite_is_a_file_that_says_what_it_must():
    for field in ("cff-version", "message", "title", "authors", "version", "license", "preferred-citation"):
        assert re.search(rf"^{field}:", CITATION, re.MULTILINE), field
