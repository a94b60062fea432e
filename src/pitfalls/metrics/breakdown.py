"""Scores of parts of the cases: by rule, by relation, by what the model knew, and the like."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pitfalls.errors import UnknownNameError
from pitfalls.metrics.scores import Score, score
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import KIND_WORDS, Preset

Facet = Callable[[Observation], str]

UNKNOWN = "not known"
NOT_READ = "not read"
"""Value of `known` where no such probability was read."""


def breakdown(
    observations: Iterable[Observation], facet: str, *, preset: Preset = "authors", seed: int = 0
) -> dict[str, list[Score]]:
    """Every score once for every value of the facet.

    Args:
        observations: of any number of runs.
        facet: a name of `FACETS`.
        preset: whose arithmetic.
        seed: of the bootstrap.

    Returns:
        Value of the facet → its scores, in the order of the values (numbers as numbers).

    Raises:
        UnknownNameError: no facet of that name.
    """
    if facet not in FACETS:
        raise UnknownNameError("breakdown", facet, FACETS)
    groups: dict[str, list[Observation]] = {}
    for case in observations:
        groups.setdefault(FACETS[facet](case), []).append(case)
    return {
        value: score(groups[value], preset=preset, seed=seed)
        for value in sorted(groups, key=lambda value: (value.rjust(8, "0"), value))
    }


def _rule(case: Observation) -> str:
    return str(case.case.get("rule", "none")) if case.case else UNKNOWN


def _relation(case: Observation) -> str:
    """Relation of the first edit."""
    return next((_at(edit, "relation") for edit in case.edits), None) or UNKNOWN


def _objects(case: Observation) -> str:
    count = len(case.case.get("true_objects", ()))
    return str(count) if count else UNKNOWN


def _length(case: Observation) -> str:
    """Tokens of what the last edit teaches."""
    found = case.tokens.get(KIND_WORDS[case.source.kind].taught or "")
    return UNKNOWN if found is None else str(found)


def _degenerate(case: Observation) -> str:
    """As the row alone can tell: an edit that changes nothing, or leads to where it starts."""
    if not case.case:
        return UNKNOWN
    return "degenerate" if any(map(_changes_nothing, case.edits)) else "sound"


def _changes_nothing(edit: Mapping[str, Any]) -> bool:
    new = _at(edit, "new_object", "id")
    return new is not None and new in (_at(edit, "object", "id"), _at(edit, "subject", "id"))


def _exclusive(case: Observation) -> str:
    """Whether all relations normally have one object, so that the edits do contradict."""
    many = [_has_many().get(_at(edit, "relation") or "") for edit in case.edits] or [None]
    if True in many:
        return "several objects"
    return UNKNOWN if None in many else "exclusive"


def _known(case: Observation) -> str:
    """Whether the unedited model prefers the true object to the one that e1 puts in its place.

    Not every kind of case reads both.
    """
    words = KIND_WORDS[case.source.kind]
    rivals, before = words.rivals, words.unedited
    if rivals is None or not all(case.has(before, probe) for probe in rivals):
        return NOT_READ
    true, taught = (case.p(before, probe) for probe in rivals)
    return "yes" if true > taught else "no"


FACETS: Mapping[str, Facet] = {
    "rule": _rule,
    "relation": _relation,
    "objects": _objects,
    "target-tokens": _length,
    "degenerate": _degenerate,
    "exclusive": _exclusive,
    "known": _known,
}
"""Facet that cases are told apart by → the value of a case."""


@cache
def _has_many() -> Mapping[str, bool]:
    """Relation → whether a subject normally has several objects, where the starter graph says."""
    content = files("pitfalls.data").joinpath("starter", "relations.toml").read_text("utf-8")
    return {one["id"]: bool(one.get("many")) for one in tomllib.loads(content)["relation"]}


def _at(value: Any, *path: str) -> str | None:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
