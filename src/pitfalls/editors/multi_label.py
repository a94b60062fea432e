"""Multi-Label Edit (paper §4.4): several objects for one subject and relation, made together.

The authors hand the editor one request per object. All requests share a key, so what is written
is the mean of values that were each optimised for one object alone. The joint form optimises a
single value for all of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal, TypeAlias

from pitfalls.editors.contexts import Contexts
from pitfalls.editors.search import Row, Search, search_rows
from pitfalls.editors.update import Update
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.patches import Changes
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


def searches_of(
    model: LanguageModel, requests: Sequence[tuple[Request, Changes]], contexts: Sequence[str]
) -> list[Search]:
    """The value search of every request, on a model that carries the changes beside it.

    Its rows are those of every object, and the KL row once. The objective of several objects is
    −Σ q(o) log p(o), smallest where p is proportional to q, which is what the unedited model gives
    each of them relative to the others: the value shall bring back the model's own distribution
    over the objects, not only their sum.
    """
    shares = _shares(model, [request for request, _ in requests])
    return [
        Search(_rows(model, request, contexts, q), changes)
        for (request, changes), q in zip(requests, shares, strict=True)
    ]


def expected_searches(
    model: LanguageModel, edits: Sequence[Edit], how: MultiLabel, contexts: Contexts
) -> list[Search]:
    """Searches of about the size of those that a job with `edits` takes, without asking a model."""
    return [
        Search(_rows(model, request, contexts.expected(), [1 / len(request)] * len(request)), {})
        for request in requests_of(edits, how)
    ]


def _rows(
    model: LanguageModel, request: Request, contexts: Sequence[str], shares: Sequence[float]
) -> tuple[Row, ...]:
    rows = [search_rows(model, edit, contexts) for edit in request]
    labelled = [
        replace(row, share=share)
        for share, (*of_object, _) in zip(shares, rows, strict=True)
        for row in of_object
    ]
    return (*labelled, rows[0][-1])


def _shares(model: LanguageModel, requests: Sequence[Request]) -> list[list[float]]:
    """q(o) of every object of every request; a single object has all of it unasked."""
    unedited = Update().changes
    asked = [
        Question(e.relation.prompt.format(e.subject.label), e.new_object.label, unedited)
        for request in requests
        if len(request) > 1
        for e in request
    ]
    answers = iter(target_logprobs(model, asked) if asked else [])
    shares = []
    for request in requests:
        p = [next(answers).mean().exp().item() for _ in request] if len(request) > 1 else [1.0]
        shares.append([value / sum(p) for value in p])
    return shares
