"""Parser for one line of a Wikidata JSON dump: an entity with labels, aliases and statements.

Only the selected fields are decoded, into msgspec structs. The rest is skipped: descriptions,
references, other languages and other properties make up nearly all of a line.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

INSTANCE_OF = "P31"
_START, _END, _POINT = "P580", "P582", "P585"
_PARTS = {9: 1, 10: 2, 11: 3}
"""Precision of a date → how many of year, month and day it gives; coarser dates are ignored."""
_FRAME = (b"", b"[", b"]")


@dataclass(frozen=True, slots=True)
class Described:
    """An entity of the dump, reduced to the selected fields."""

    id: str
    label: str
    """Empty if there is none in the language."""
    aliases: tuple[str, ...]
    types: tuple[str, ...]
    facts: tuple[tuple[str, str, str, str], ...]
    """Relation, object, start and end."""


ParseEntity: TypeAlias = Callable[[bytes], Described | None]
"""Function from a line of the dump to its entity; None for the brackets around the list.

Raises ValueError if the line is not an entity; the message is a short reason.
"""


class _Word(msgspec.Struct):
    value: str


class _Value(msgspec.Struct):
    """Value of any type. Types other than items and dates leave the fields empty."""

    id: str = ""
    time: str = ""
    precision: float | None = None


class _Data(msgspec.Struct):
    value: _Value | str


class _Snak(msgspec.Struct):
    snaktype: str
    datavalue: _Data | None = None

    @property
    def value(self) -> _Value:
        """The value; an empty one if it is unknown or a text."""
        value = self.datavalue and self.datavalue.value
        return value if isinstance(value, _Value) else _Value()


class _Qualifiers(msgspec.Struct):
    start: list[_Snak] = msgspec.field(name=_START, default_factory=list)
    end: list[_Snak] = msgspec.field(name=_END, default_factory=list)
    point: list[_Snak] = msgspec.field(name=_POINT, default_factory=list)


class _Statement(msgspec.Struct):
    mainsnak: _Snak
    rank: str
    qualifiers: _Qualifiers | list[Any] | None = None
    """An empty list where there are none, since PHP writes empty maps so; likewise below."""


def entity_parser(relations: Sequence[str], language: str) -> ParseEntity:
    """Make the parser of lines.

    Args:
        relations: properties whose statements are kept.
        language: language of label and aliases; a label for all languages (`mul`) is the fallback.
    """
    properties = tuple(dict.fromkeys((INSTANCE_OF, *relations)))
    entity = msgspec.defstruct(
        "Entity",
        [
            ("id", str),
            ("labels", _members(tuple(dict.fromkeys((language, "mul"))), _Word), None),
            ("aliases", _members((language,), list[_Word]), None),
            ("claims", _members(properties, list[_Statement]), None),
        ],
    )
    decode = msgspec.json.Decoder(entity).decode

    def parse(line: bytes) -> Described | None:
        if (text := line.strip().removesuffix(b",")) in _FRAME:
            return None
        try:
            return _described(decode(text), properties)
        except UnicodeDecodeError:
            raise ValueError("not UTF-8") from None
        except msgspec.ValidationError:
            raise ValueError("not an entity of Wikidata") from None
        except (msgspec.DecodeError, RecursionError):
            raise ValueError("not JSON") from None

    return parse


def _members(names: Sequence[str], type: Any) -> Any:
    """Struct type that reads only these members of an object, all optional, as `m0`, `m1`, …."""
    fields = [(f"m{place}", type | None, None) for place in range(len(names))]
    rename = {f"m{place}": name for place, name in enumerate(names)}
    return msgspec.defstruct("Members", fields, rename=rename) | list[Any] | None


def _described(found: Any, properties: Sequence[str]) -> Described:
    word = next((word for word in _filled(found.labels) if word), None)
    aliases = (_one_line(each.value) for each in next(_filled(found.aliases), None) or ())
    claims = zip(properties, _filled(found.claims), strict=False)
    kept = {property: tuple(_values(told)) for property, told in claims if told}
    types = kept.pop(INSTANCE_OF, ())
    return Described(
        found.id,
        _one_line(word.value) if word else "",
        tuple(aliases),
        tuple(object for object, _, _ in types),
        tuple((property, *value) for property, values in kept.items() for value in values),
    )


def _filled(members: Any) -> Iterator[Any]:
    """Values of `_members` in order, None for missing ones; none at all for a list."""
    return iter(()) if isinstance(members, list | None) else iter(msgspec.structs.astuple(members))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _values(statements: Sequence[_Statement]) -> Iterator[tuple[str, str, str]]:
    """Object, start and end of the best-ranked statements.

    Deprecated statements are dropped. If some are preferred, only those are kept, as in "truthy"
    exports.
    """
    ranked = [each for each in statements if each.rank != "deprecated"]
    best = [each for each in ranked if each.rank == "preferred"] or ranked
    for statement in best:
        # Statements may also point to properties and lexemes; facts here are about items only.
        if (id := statement.mainsnak.value.id).startswith("Q"):
            yield id, *_span(statement.qualifiers)


def _span(qualifiers: _Qualifiers | list[Any] | None) -> tuple[str, str]:
    if not isinstance(qualifiers, _Qualifiers):
        return "", ""
    point = _date(qualifiers.point)
    return _date(qualifiers.start) or point, _date(qualifiers.end) or point


def _date(snaks: Sequence[_Snak]) -> str:
    """The first known date, cut to its precision; empty if there is none."""
    value = next((snak.value for snak in snaks if snak.snaktype == "value"), _Value())
    if not value.time:
        return ""
    sign, day = value.time[0], value.time[1:].split("T")[0]
    known = "-".join(day.split("-")[: _PARTS.get(int(value.precision or 0), 0)])
    return f"{sign}{known}" if known else ""
