"""Reader for N-Triples, the format of Wikidata's truthy dumps: one RDF triple per line."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pitfalls.door.text import text_fault
from pitfalls.graph.lines import BadLines, numbered_lines
from pitfalls.graph.sink import Told

_IRI = r"<([^<>\"{}|^`\\\x00-\x20]*)>"
_STRING = r'"((?:[^"\\\n\r]|\\.)*)"'
_LINE = re.compile(
    rf"\s*(?:{_IRI}|_:\S+)\s*{_IRI}\s*(?:{_IRI}|_:\S+|{_STRING}(?:@([A-Za-z0-9-]+)|\^\^{_IRI})?)"
    r"\s*\.\s*(?:#.*)?"
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}

_WORDS: dict[str, Told] = {
    "http://www.w3.org/2000/01/rdf-schema#label": "label",
    "http://www.w3.org/2004/02/skos/core#prefLabel": "label",
    "http://schema.org/name": "label",
    "http://www.w3.org/2004/02/skos/core#altLabel": "alias",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "type",
    "http://www.wikidata.org/prop/direct/P31": "type",
}
"""Predicate → what it states. Any other states a fact, if its object is an entity."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed line."""

    part: Told
    subject: str
    predicate: str
    object: str
    """An id; the text for labels and aliases."""


def read_statements(path: Path, bad: BadLines, *, language: str) -> Iterator[tuple[int, Statement]]:
    """Statements of a file by line number, with ids stripped of their namespace.

    Blank nodes are skipped, and so are literals other than labels and aliases in the language.

    Args:
        path: .nt, plain or compressed.
        bad: collects the lines that are not triples.
        language: language of the labels and aliases to keep, such as `en`.
    """
    for number, line in numbered_lines(path, bad):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (found := _LINE.fullmatch(line)) is None:
            bad.add(f"{path.name}: line {number}", "not a triple")
            continue
        try:
            statement = _statement(found, language)
        except ValueError:
            bad.add(f"{path.name}: line {number}", "an invalid escape")
            continue
        if statement is not None:
            yield number, statement


def _statement(found: re.Match[str], language: str) -> Statement | None:
    subject, predicate, object, text, tongue, _ = found.groups()
    part = _WORDS.get(predicate, "fact")
    if subject is None:
        return None
    if part in ("label", "alias"):
        told = text is not None and tongue == language
        return Statement(part, local(subject), local(predicate), _unescape(text)) if told else None
    if object is None:
        return None
    return Statement(part, local(subject), local(predicate), local(object))


def local(iri: str) -> str:
    """`http://www.wikidata.org/entity/Q42` → `Q42`."""
    return re.split(r"[/#]", iri.rstrip("/#"))[-1]


def _character(number: int) -> str:
    if number > sys.maxunicode or text_fault(chr(number)):
        raise ValueError(number)
    return chr(number)


def _unescape(text: str) -> str:
    """Resolve the escapes of a text; ValueError if one is not a character."""

    def letter(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        return _character(int(code, 16)) if code else _LETTERS.get(found[3], found[3])

    return " ".join(_ESCAPE.sub(letter, text).split())
