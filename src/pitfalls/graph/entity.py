"""One line of a Wikidata JSON dump: an entity with its labels, aliases and statements."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

INSTANCE_OF = "P31"
_START, _END, _POINT = "P580", "P582", "P585"
_PARTS = {9: 1, 10: 2, 11: 3}
"""Precision of a date → how many of year, month and day it tells; coarser ones tell nothing."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is kept of an entity."""

    id: str
    label: str
    """Empty if it has none in the language."""
    aliases: tuple[str, ...]
    types: tuple[str, ...]
    facts: tuple[tuple[str, str, str, str], ...]
    """Relation, object, start and end."""


def parse_entity(line: str, relations: Collection[str], language: str) -> Described | None:
    """The entity on a line of the dump; None for the brackets around them all.

    Args:
        line: as it stands in the dump.
        relations: properties whose statements are kept.
        language: of label and aliases; a label for all languages will do.

    Raises:
        ValueError: the line is no entity; the message is a short reason.
    """
    text = line.strip().removesuffix(",")
    if text in ("", "[", "]"):
        return None
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("not JSON") from None
    try:
        words = data.get("labels") or {}
        word = words.get(language) or words.get("mul") or {"value": ""}
        aliases = [each["value"] for each in (data.get("aliases") or {}).get(language, ())]
        claims = data.get("claims") or {}
        types = (object for object, _, _ in _values(claims.get(INSTANCE_OF, ())))
        facts = tuple(
            (relation, *value)
            for relation in relations
            for value in _values(claims.get(relation, ()))
        )
        named = " ".join(word["value"].split()), tuple(" ".join(each.split()) for each in aliases)
        return Described(str(data["id"]), *named, tuple(types), facts)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("not an entity of Wikidata") from None


def _values(statements: Any) -> Iterator[tuple[str, str, str]]:
    """Object, start and end of the statements that count.

    Deprecated ones do not; where some are preferred, only those do, as in "truthy" exports.
    """
    ranked = [each for each in statements if each["rank"] != "deprecated"]
    best = [each for each in ranked if each["rank"] == "preferred"] or ranked
    for statement in best:
        # Properties and lexemes are things as well, but none that a fact is about here.
        if (id := _object(statement["mainsnak"])).startswith("Q"):
            yield id, *_span(statement.get("qualifiers") or {})


def _object(snak: Any) -> str:
    """The id of the thing that a statement names; empty if it names none."""
    if snak["snaktype"] != "value" or snak["datavalue"]["type"] != "wikibase-entityid":
        return ""
    return str(snak["datavalue"]["value"]["id"])


def _span(qualifiers: Any) -> tuple[str, str]:
    point = _date(qualifiers, _POINT)
    return _date(qualifiers, _START) or point, _date(qualifiers, _END) or point


def _date(qualifiers: Any, property: str) -> str:
    """The first known date, as far as its precision goes; empty if there is none."""
    for snak in qualifiers.get(property, ()):
        if snak["snaktype"] == "value":
            value = snak["datavalue"]["value"]
            sign, day = value["time"][0], value["time"][1:].split("T")[0]
            known = "-".join(day.split("-")[: _PARTS.get(value["precision"], 0)])
            return f"{sign}{known}" if known else ""
    return ""
