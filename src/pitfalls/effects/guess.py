"""Kind of a subject: from a graph, else guessed by the model."""

from collections.abc import Sequence

import torch

from pitfalls.effects.kinds import Kind, kinds
from pitfalls.graph.graph import Graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.changes import Changes

LISTED = 6
"""Example names of a kind in the prompt."""


def kinds_of(model: LanguageModel, graph: Graph, subjects: Sequence[str]) -> list[Kind]:
    """Kind of each subject: from the graph, else guessed by the model.

    The guess does not require that the model knows the subject well.
    """
    table = list(kinds().values())
    listed = {subject: _listed(table, graph, subject) for subject in subjects}
    open_ = [subject for subject, kind in listed.items() if kind is None]
    guessed = dict(zip(open_, taken_for(model, table, open_), strict=True))
    return [listed[subject] or guessed[subject] for subject in subjects]


def _listed(table: Sequence[Kind], graph: Graph, subject: str) -> Kind | None:
    called = subject.casefold()
    types = {node.type for node in graph.nodes.values() if called in node.names}
    for kind in table:
        if called in map(str.casefold, kind.names) or types & {*kind.types}:
            return kind
    return None


def taken_for(model: LanguageModel, table: Sequence[Kind], subjects: Sequence[str]) -> list[Kind]:
    """Guess the kind of each subject: the one whose first names make it most probable next."""
    unedited: Changes = {}
    lists = [f"Examples of the same kind: {', '.join(kind.names[:LISTED])}," for kind in table]
    questions = [Question(text, subject, unedited) for subject in subjects for text in lists]
    found = torch.tensor([logprobs.mean() for logprobs in target_logprobs(model, questions)])
    return [table[best] for best in found.reshape(-1, len(table)).argmax(1).tolist()]
