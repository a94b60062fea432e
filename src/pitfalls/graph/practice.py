"""Wordings to practise with: other ones than those that probes read."""

import tomllib
from collections.abc import Mapping
from importlib import resources

from pydantic import TypeAdapter, ValidationError

from pitfalls.disk import read_text
from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation, template_fault

FRAMES = (
    "It is well known: {prompt}",
    "Here is a fact. {prompt}",
    "In an encyclopedia stands: {prompt}",
)
"""Put around the prompt of a relation that the packaged table does not know."""


def practice_wordings() -> Mapping[str, tuple[str, ...]]:
    """The packaged table: relation id → templates with `{}`, the last one for examining only.

    Raises:
        PitfallsError: the file is damaged.
    """
    path = resources.files("pitfalls.data") / "starter" / "practice.toml"
    try:
        table = TypeAdapter(dict[str, tuple[str, ...]]).validate_python(
            tomllib.loads(read_text(path))
        )
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PitfallsError(f"{path}: {' '.join(str(error).splitlines()[:3])}") from None
    for id, templates in table.items():
        for template in templates:
            if fault := template_fault(template):
                raise PitfallsError(f"{path}: {id}: {template!r} {fault}")
    return table


def wordings_for(
    relation: Relation, table: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """Templates to train on and the one to examine with; no prompt of the relation is among them.

    Args:
        relation: what is asked for.
        table: as from `practice_wordings`.
    """
    framed = tuple(frame.format(prompt=relation.prompt) for frame in FRAMES)
    found = [each for each in table.get(relation.id, framed) if each not in relation.prompts]
    if len(found) < 2:
        found = list(framed)
    return tuple(found[:-1]), found[-1]
