"""The table of all kinds of case. A new one is one file, one row here and one in `KIND_WORDS`."""

from pitfalls.cases.kinds.composite import COMPOSITE
from pitfalls.cases.kinds.coverage import COVERAGE
from pitfalls.cases.kinds.kind import Kind, Recipe, Released
from pitfalls.cases.kinds.reverse import REVERSE
from pitfalls.cases.kinds.round_trip import ROUND_EASY, ROUND_HARD
from pitfalls.errors import PitfallsError
from pitfalls.vocabulary import CaseKind

KINDS: dict[CaseKind, Kind] = {
    "coverage": COVERAGE,
    "reverse": REVERSE,
    "composite": COMPOSITE,
    "round-easy": ROUND_EASY,
    "round-hard": ROUND_HARD,
}
"""Kind of case → what is done differently for it."""


def recipe_of(kind: CaseKind) -> Recipe:
    """The recipe that makes such cases out of a graph.

    Raises:
        PitfallsError: the kind has none.
    """
    if (recipe := KINDS[kind].recipe) is None:
        able = ", ".join(name for name, row in KINDS.items() if row.recipe is not None)
        raise PitfallsError(
            f"no recipe makes {kind} cases out of a graph: build one of {able}, or give the "
            "cases as a file"
        )
    return recipe


def released_of(kind: CaseKind) -> Released:
    """The authors' format of the kind.

    Raises:
        PitfallsError: they published no such cases.
    """
    if (released := KINDS[kind].released) is None:
        able = ", ".join(name for name, row in KINDS.items() if row.released is not None)
        raise PitfallsError(
            f"the authors' files have no form for {kind} cases, only for {able}: "
            "use JSON lines instead"
        )
    return released
