"""One line of a Wikidata JSON dump: an entity with its labels, aliases and statements.

Only what is asked for is decoded, into structs that msgspec fills while it passes over the rest:
descriptions, references, other languages and properties, which are nearly all of a line.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

INSTANCE_OF = "P31"
_START, _END, _POINT = "P580", "P582", "P585"
_PARTS = {9: 1, 10: 2, 11: 3}
"""Precision of a date → how many of year, month and day it tells; coarser ones tell nothing."""
_FRAME = (b"", b"[", b"]")


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


ParseEntity: TypeAlias = Callable[[bytes], Described | None]
"""The entity on a line as it stands in the dump; None for the brackets around them all.

Raises ValueError if the line is no entity; the message is a short reason.
"""


class _Word(msgspec.Struct):
    value: str


class _Value(msgspec.Struct):
    """Of any sort; a quantity, for one, has neither."""

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
        """Empty for one that is unknown, or a mere text."""
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
    """A list where there are none, as PHP writes it; so below."""


def entity_parser(relations: Sequence[str], language: str) -> ParseEntity:
    """A function that reads lines.

    Args:
        relations: properties whose statements are kept.
        language: of label and aliases; a label for all languages will do.
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
    """An object of which only these members count, as `m0`, `m1`, …; they need not be there."""
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
    """The values of `_members` in order, None for what is not there; nothing of a list."""
    return iter(()) if isinstance(members, list | None) else iter(msgspec.structs.astuple(members))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _values(statements: Sequence[_Statement]) -> Iterator[tuple[str, str, str]]:
    """Object, start and end of the statements that count.

    Deprecated ones do not; where some are preferred, only those do, as in "truthy" exports.
    """
    ranked = [each for each in statements if each.rank != "deprecated"]
    best = [each for each in ranked if each.rank == "preferred"] or ranked
    for statement in best:
        # Properties and lexemes are things as well, but none that a fact is about here.
        if (id := statement.mainsnak.value.id).startswith("Q"):
            yield id, *_span(statement.qualifiers)


def _span(qualifiers: _Qualifiers | list[Any] | None) -> tuple[str, str]:
    if not isinstance(qualifiers, _Qualifiers):
        return "", ""
    point = _date(qualifiers.point)
    return _date(qualifiers.start) or point, _date(qualifiers.end) or point


def _date(snaks: Sequence[_Snak]) -> str:
    """The first known date, as far as its precision goes; empty if there is none."""
    value = next((snak.value for snak in snaks if snak.snaktype == "value"), _Value())
    if not value.time:
        return ""
    sign, day = value.time[0], value.time[1:].split("T")[0]
    known = "-".join(day.split("-")[: _PARTS.get(int(value.precision or 0), 0)])
    return f"{sign}{known}" if known else ""
