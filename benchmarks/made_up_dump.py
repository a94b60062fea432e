"""A made-up Wikidata dump: no true word in it, but laid out and sized like the real one.

Keys, their order, the escapes and the parts that nobody here reads (descriptions in many languages,
references, hashes, links to the wikis) are those of `latest-all.json`, because passing over them is
most of what a reader of a dump does.
"""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

PERSON, SHARE_OF_PEOPLE = "Q5", 0.1
RELATIONS = (
    "P22",
    "P25",
    "P26",
    "P40",
    "P27",
    "P39",
    "P69",
    "P166",
    "P800",
    "P184",
    "P185",
    "P1412",
)
"""Properties of the made-up people, which the benchmark keeps."""
_OTHERS = ("P17", "P131", "P361", "P921", "P1433", "P577", "P1476", "P2093", "P356", "P698", "P625")
_SPOKEN = (
    "en de fr es it nl ru zh ja ar pt pl sv uk fa ca cs fi he hu ko no ro sr tr vi id da eo eu "
    "mul bg el hr sk sl et lt lv gl ast sq mk bn hi ta te ur ga cy hy ka kk nb nn be az"
)
_LANGUAGES = _SPOKEN.split(" ")
_ENTITIES = 115_000_000
_TIME = "http://www.wikidata.org/entity/Q1985727"


def entity_lines(seed: int) -> Iterator[bytes]:
    """Lines of the dump without end, the properties first; each ends in a comma and a line feed."""
    dice = Random(seed)
    for property in RELATIONS:
        head = {"type": "property", "datatype": "wikibase-item", "id": property}
        yield _line(head | _words(dice, 40) | {"claims": {}})
    number = 0
    while True:
        number += 1
        yield _line(_item(dice, f"Q{number + 1000}", number))


def _line(entity: Json) -> bytes:
    return json.dumps(entity, separators=(",", ":")).encode("ascii") + b",\n"


def _item(dice: Random, id: str, known: int) -> Json:
    is_person = dice.random() < SHARE_OF_PEOPLE
    # Few have much and most have little, as in the real one.
    size = min(12.0, dice.lognormvariate(0.0, 0.7))
    claims = {"P31": [_statement(dice, "P31", _thing(PERSON if is_person else _any(dice, 999)))]}
    if is_person:
        for relation in dice.sample(RELATIONS, 3):
            things = (_thing(_any(dice, 1000 + known)) for _ in range(1 + int(dice.random() < 0.3)))
            claims[relation] = [_statement(dice, relation, each, dated=True) for each in things]
    for _ in range(int(6 * size)):
        property = dice.choice(_OTHERS)
        value = _thing(_any(dice, _ENTITIES)) if dice.random() < 0.5 else _text(dice)
        claims.setdefault(property, []).append(_statement(dice, property, value))
    claims |= {
        f"P{n}": [_outside(dice, f"P{n}")] for n in dice.sample(range(3000, 9000), int(4 * size))
    }
    head = {"type": "item", "id": id} | _words(dice, int(11 * size) + 1)
    sites = {f"{each}wiki": _site(dice, each) for each in _LANGUAGES[: int(4 * size)]}
    tail = {"pageid": known, "ns": 0, "title": id, "lastrevid": dice.getrandbits(31)}
    return (
        head | {"claims": claims, "sitelinks": sites} | tail | {"modified": "2026-01-01T00:00:00Z"}
    )


def _words(dice: Random, languages: int) -> Json:
    """Labels, descriptions and aliases; where there are none, PHP writes a list."""
    spoken = _LANGUAGES[: max(1, min(languages, len(_LANGUAGES)))]
    name = _phrase(dice, 2)
    texts = {each: _phrase(dice, 5) for each in spoken}
    return {
        "labels": {each: {"language": each, "value": name} for each in spoken},
        "descriptions": {each: {"language": each, "value": text} for each, text in texts.items()},
        "aliases": {
            each: [{"language": each, "value": _phrase(dice, 2)}]
            for each in spoken
            if dice.random() < 0.2
        }
        or [],
    }


def _statement(dice: Random, property: str, value: Json, *, dated: bool = False) -> Json:
    statement: Json = {"mainsnak": _snak(property, value), "type": "statement"}
    if dated and dice.random() < 0.5:
        snak = _snak("P580", _day(dice)) | {"hash": _hash(dice)}
        statement |= {"qualifiers": {"P580": [snak]}, "qualifiers-order": ["P580"]}
    rank = dice.choices(("normal", "preferred", "deprecated"), (95, 4, 1))[0]
    statement |= {"id": f"Q{dice.getrandbits(26)}${_hash(dice)}", "rank": rank}
    if dice.random() < 0.7:
        snaks = {
            "P248": [_snak("P248", _thing(_any(dice, _ENTITIES)))],
            "P854": [_snak("P854", _text(dice))],
            "P813": [_snak("P813", _day(dice))],
        }
        reference = {"hash": _hash(dice), "snaks": snaks, "snaks-order": list(snaks)}
        statement["references"] = [reference]
    return statement


def _outside(dice: Random, property: str) -> Json:
    snak = {"value": str(dice.getrandbits(40)), "type": "string", "datatype": "external-id"}
    return _statement(dice, property, snak)


def _snak(property: str, value: Json) -> Json:
    value = dict(value)
    kind = value.pop("datatype")
    return {"snaktype": "value", "property": property, "datavalue": value, "datatype": kind}


def _thing(id: str) -> Json:
    value = {"entity-type": "item", "numeric-id": int(id[1:]), "id": id}
    return {"value": value, "type": "wikibase-entityid", "datatype": "wikibase-item"}


def _text(dice: Random) -> Json:
    return {"value": _phrase(dice, 6), "type": "string", "datatype": "string"}


def _day(dice: Random) -> Json:
    time = (
        f"+{dice.randint(1500, 2025)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}T00:00:00Z"
    )
    rest = {"timezone": 0, "before": 0, "after": 0, "precision": 11, "calendarmodel": _TIME}
    return {"value": {"time": time} | rest, "type": "time", "datatype": "time"}


def _site(dice: Random, language: str) -> Json:
    return {"site": f"{language}wiki", "title": _phrase(dice, 2), "badges": []}


def _any(dice: Random, most: int) -> str:
    return f"Q{dice.randint(1, most)}"


def _hash(dice: Random) -> str:
    return f"{dice.getrandbits(160):040x}"


def _phrase(dice: Random, words: int) -> str:
    return " ".join(dice.choices(_VOCABULARY, k=words))


def _vocabulary(dice: Random, syllables: Sequence[str]) -> tuple[str, ...]:
    return tuple("".join(dice.choices(syllables, k=dice.randint(1, 4))) for _ in range(20_000))


_SYLLABLES = "ka lo mi ré su ta vö ni ber да na ша gor pel in ti ос ху 東 山"
_VOCABULARY = _vocabulary(Random(0), _SYLLABLES.split(" "))
