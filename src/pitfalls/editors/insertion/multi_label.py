"""Multi-Label Edit (paper §4.4): several objects for one subject and relation, made together.

The authors hand the editor one request per object. All of them share a key, so what is written
is the mean of values that were each optimised for one object alone. The joint form optimises a
single value for all of them, by an objective of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal, TypeAlias

from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.search_texts import Row, Search, search_rows
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.changes import Changes
from pitfalls.updates.update import Update

MultiLabel: TypeAlias = Literal["separate", "joint"]
"""`separate`: the authors' form, a value per object. `joint`: one value for all objects."""

BISECTIONS = 60
"""Halve an interval as often as float64 can tell."""

Insertion: TypeAlias = tuple[Edit, ...]
"""Edits of one subject and prompt that one value is searched for; usually a single edit."""


def insertions_of(edits: Sequence[Edit], how: MultiLabel) -> list[Insertion]:
    """The values to search for: one per edit, or per run of edits that share subject and prompt."""
    if how == "separate":
        return [(edit,) for edit in edits]
    return [tuple(group) for _, group in groupby(edits, lambda e: (e.subject, e.relation))]


def searches_of(
    model: LanguageModel, insertions: Sequence[tuple[Insertion, Changes]], contexts: Sequence[str]
) -> list[Search]:
    """The value search of every insertion, on a model that carries the changes beside it.

    Its rows are those of every object, and the KL row once. The value shall bring back the unedited
    model's own distribution over the objects, not only their sum. The metrics see it in p(o), the
    mean per token: with q(o) the share of p(o) in what the unedited model gives all objects after
    the same context, p shall be proportional to q. See `whole_shares` for what the objective then
    is. One object alone has the authors' objective, a mean over its tokens.
    """
    shares = _shares(model, [insertion for insertion, _ in insertions], contexts)
    return [
        Search(_rows(model, insertion, contexts, q), changes)
        for (insertion, changes), q in zip(insertions, shares, strict=True)
    ]


def whole_shares(q: Sequence[float], lengths: Sequence[int]) -> list[float]:
    """w, the probabilities of whole objects whose means per token are proportional to q.

    With P(o) the probability of all L(o) tokens of an object and p(o) = P(o)^(1/L(o)),
    −Σ w(o) log P(o) is smallest, among all P that sum up to 1, where P = w. So with
    w(o) = (c·q(o))^L(o), and c such that they sum up to 1, it is smallest where p = c·q. What it
    is above its smallest value is KL(w ‖ P).

    Args:
        q: what p shall be proportional to; sums up to 1.
        lengths: L, the number of tokens of each object.
    """

    def at(log_c: float) -> list[float]:
        return [math.exp(n * (log_c + math.log(x))) for x, n in zip(q, lengths, strict=True)]

    low, high = 0.0, -math.log(max(q))  # their sum rises from at most 1 to at least 1
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(at(middle)) < 1 else (low, middle)
    return at(high)


def expected_searches(
    model: LanguageModel, edits: Sequence[Edit], how: MultiLabel, contexts: Contexts
) -> list[Search]:
    """Searches of about the size of those that a job with `edits` takes, without asking a model."""
    templates = contexts.expected()
    return [
        Search(
            _rows(
                model,
                insertion,
                templates,
                [[1 / len(insertion)] * len(insertion)] * len(templates),
            ),
            {},
        )
        for insertion in insertions_of(edits, how)
    ]


def _rows(
    model: LanguageModel,
    insertion: Insertion,
    contexts: Sequence[str],
    shares: Sequence[Sequence[float]],
) -> tuple[Row, ...]:
    """Every object's rows and the KL row; `shares` is q of the objects, for each context."""
    rows = [search_rows(model, edit, contexts) for edit in insertion]
    if len(insertion) == 1:
        return rows[0]
    labelled: list[Row] = []
    for i, q in enumerate(shares):
        here = [of_object[i] for of_object in rows]
        whole = whole_shares(q, [len(row.labels) for row in here])
        labelled += [
            replace(row, share=w, is_whole=True) for row, w in zip(here, whole, strict=True)
        ]
    return (*labelled, rows[0][-1])


def _shares(
    model: LanguageModel, insertions: Sequence[Insertion], contexts: Sequence[str]
) -> list[list[list[float]]]:
    """The q of every insertion, a list of its objects' for each context; none for one object."""
    unedited = Update().changes
    asked = [
        Question(c.format(e.relation.prompt.format(e.subject.label)), e.new_object.label, unedited)
        for insertion in insertions
        if len(insertion) > 1
        for c in contexts
        for e in insertion
    ]
    answers = iter(target_logprobs(model, asked) if asked else [])
    shares = []
    for insertion in insertions:
        contexts_asked = contexts if len(insertion) > 1 else ()
        p = [[next(answers).mean().exp().item() for _ in insertion] for _ in contexts_asked]
        shares.append([[value / sum(given) for value in given] for given in p])
    return shares
