"""Practice wordings: prompts for training that no probe reads."""

from collections.abc import Mapping
from importlib import resources

from pydantic import RootModel

from pitfalls.door.values import read_toml
from pitfalls.facts import Relation
from pitfalls.shapes import Template, check

FRAMES = (
    "It is well known: {prompt}",
    "Here is a fact. {prompt}",
    "In an encyclopedia stands: {prompt}",
)
"""Frames for the prompt of a relation that the packaged table lacks."""


class _Wordings(RootModel[dict[str, list[Template]]]):
    pass


def practice_wordings() -> Mapping[str, tuple[str, ...]]:
    """Packaged table: relation id → templates with `{}`, the last one held out for validation.

    Raises:
        PitfallsError: the file is damaged.
    """
    path = resources.files("pitfalls.data") / "starter" / "practice.toml"
    table = check(_Wordings, read_toml(path), where=str(path)).root
    return {id: tuple(templates) for id, templates in table.items()}


def practice_for(
    relation: Relation, table: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """Training templates and the validation template; none is a prompt of the relation.

    Args:
        relation: the relation.
        table: result of `practice_wordings`.
    """
    framed = tuple(frame.format(prompt=relation.prompt) for frame in FRAMES)
    found = [each for each in table.get(relation.id, framed) if each not in relation.prompts]
    if len(found) < 2:
        found = list(framed)
    return tuple(found[:-1]), found[-1]
