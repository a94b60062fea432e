"""Everything that is done differently for one kind of case."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft
from pitfalls.cases.kinds.ties import Ties
from pitfalls.cases.order import Materials, Order
from pitfalls.cases.steps import Plan
from pitfalls.cases.wordings import Place, Wordings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Recipe that makes cases of a kind from a graph.

    `drafts` lists the drafts that a graph allows. `finish` draws the new objects of one when its
    turn comes, and gives it up, with None, where nothing is left to draw.
    """

    drafts: Callable[[Materials], Iterator[Draft]]
    finish: Callable[[Draft, Materials], Case | None]
    subjects: Callable[[Order], tuple[str, ...]]
    """Relations without whose facts there are no cases, as far as the order names them."""
    needs: Callable[[Order], frozenset[str] | None]
    """Relations whose facts decide the cases; None: all of the graph."""
    takes_rules: bool = False
    """Whether the cases come from rules; else they come from relations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The format in which the paper's authors published such cases."""

    file: str
    """Name of their file."""
    prompts: str
    """Name of the file beside it that holds the paraphrases."""
    read: Callable[[Any, Place, Wordings], Case]
    """From one of their records, as JSON values, to a case."""
    write: Callable[[Case], dict[str, Any]]
    """The way back."""
    field: Callable[[str], str]
    """Field of a `Case`, as a problem names it → its name in their file."""
    says: str | None = None
    """The `type` of their records, where it tells this kind from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A row of the table of kinds. Only `plan` is needed; the rest may be left out."""

    plan: Callable[[Case, bool], Plan]
    """From a case to its plan; the flag asks for Multi-Label Edit."""
    ties: Ties | None = None
    """The problems of a case, if its parts do not belong together; None: nothing is checked."""
    recipe: Recipe | None = None
    """None: no graph is turned into such cases."""
    released: Released | None = None
    """None: the authors published no such cases."""
