"""Edits of a file as jobs: filled in from a graph, and held against each other."""

from pitfalls.door.text import Source
from pitfalls.effects.bystanders import filled_in
from pitfalls.effects.contradictions import refuse_contradictions
from pitfalls.graph.graph import Graph
from pitfalls.updates.request import Request, read_requests


def read_jobs(source: Source, graph: Graph, *, together: bool = False) -> list[tuple[Request, ...]]:
    """The edits of a file of JSON lines, a job each, or all in one job.

    Args:
        source: the file, an edit a line.
        graph: gives paraphrases and true objects where a line has none.
        together: whether one job makes all edits.

    Raises:
        PitfallsError: the file cannot be read, a line is no edit, or two edits contradict each
            other.
    """
    requests = [filled_in(request, graph) for request in read_requests(source)]
    refuse_contradictions(requests, where=str(source))
    return [tuple(requests)] if together else [(one,) for one in requests]
