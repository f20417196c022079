"""REFERENCES.bib as a page: an entry a key, that docstrings link to."""

from functools import cache
from pathlib import Path

from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text

FILE = Path(__file__).parents[2] / "REFERENCES.bib"
HEAD = """# Bibliography

By the key that docstrings, sources of numbers and {py:obj}`dm.citation <device_models.citation>` name. "recalled" marks
an entry that has not been checked against the publication.

"""
PLACES = ("journal", "booktitle", "publisher", "school", "institution", "howpublished")


@cache
def entries() -> dict[str, Entry]:
    return dict(parse_file(str(FILE), "bibtex").entries)


def keys() -> set[str]:
    return set(entries())


def page() -> str:
    return HEAD + "\n".join(
        shown(key, entry) for key, entry in sorted(entries().items(), key=lambda pair: pair[0].lower())
    )


def shown(key: str, entry: Entry) -> str:
    """The anchor of one entry, its key, and what the file says of it."""
    fields = {name: plain(value) for name, value in entry.fields.items()}
    authors = [whole_name(person) for person in entry.persons.get("author", [])]
    place = next((fields[name] for name in PLACES if name in fields), "")
    place = f"*{place}*" + (f" {fields['volume']}" if "volume" in fields else "") if place else ""
    place += f", {fields['pages']}" if "pages" in fields else ""
    link = address(fields)
    parts = [listed(authors), fields.get("title", ""), place, fields.get("year", ""), link]
    note = f" ({fields['note']})" if "note" in fields else ""
    text = ". ".join(part.rstrip(".") for part in parts if part)
    return f"(ref-{key.lower()})=\n**{key}** — {text}.{note}\n"


def whole_name(person: Person) -> str:
    parts = [*person.first_names, *person.middle_names, *person.prelast_names, *person.last_names]
    return plain(" ".join(parts))


def listed(people: list[str]) -> str:
    """As in a list of references: commas, and a last `and` or et al."""
    if not people:
        return ""
    last = "*et al.*" if people[-1] == "others" else f"and {people[-1]}"
    return people[0] if len(people) == 1 else f"{', '.join(people[:-1])} {last}"


def address(fields: dict[str, str]) -> str:
    if "doi" in fields:
        return f"[doi:{fields['doi']}](https://doi.org/{fields['doi']})"
    return f"<{fields['url']}>" if "url" in fields else ""


def plain(text: str) -> str:
    """LaTeX as text, with what MyST would read as marks escaped."""
    return str(Text.from_latex(text)).replace("*", r"\*").replace("_", r"\_")
