"""Multi-Label Edit (paper §4.4): several objects for one subject and relation, made together.

The authors hand the editor one request per object. All requests share a key, so what is written
is the mean of values that were each optimised for one object alone. The joint form optimises a
single value for all of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal, TypeAlias

from pitfalls.editors.objective import Row, search_rows
from pitfalls.editors.update import Update
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.readout import Question, target_logprobs

MultiLabel: TypeAlias = Literal["separate", "joint"]
"""`separate`: the authors' form, a value per object. `joint`: one value for all objects."""

Request: TypeAlias = tuple[Edit, ...]
"""Edits of one subject and prompt that one value is searched for; usually a single edit."""


def requests_of(edits: Sequence[Edit], how: MultiLabel) -> list[Request]:
    """The values to search for: one per edit, or per run of edits that share subject and prompt."""
    if how == "separate":
        return [(edit,) for edit in edits]
    return [tuple(group) for _, group in groupby(edits, lambda e: (e.subject, e.relation))]


def request_rows(
    model: LanguageModel, request: Request, contexts: Sequence[str]
) -> tuple[Row, ...]:
    """The rows of one search: those of every object, and the KL row once.

    The objective of several objects is −Σ q(o) log p(o), smallest where p is proportional to q,
    which is what the unedited model gives each of them relative to the others: the value shall
    bring back the model's own distribution over the objects, not only their sum.
    """
    rows = [search_rows(model, edit, contexts) for edit in request]
    labelled = [
        replace(row, share=share)
        for share, (*of_object, _) in zip(_shares(model, request), rows, strict=True)
        for row in of_object
    ]
    return (*labelled, rows[0][-1])


def _shares(model: LanguageModel, request: Request) -> list[float]:
    """Each object's share q(o)."""
    if len(request) == 1:
        return [1.0]
    prompt, unedited = request[0].relation.prompt.format(request[0].subject.label), Update()
    asked = [Question(prompt, edit.new_object.label, unedited.changes) for edit in request]
    p = [logprobs.mean().exp().item() for logprobs in target_logprobs(model, asked)]
    return [value / sum(p) for value in p]
