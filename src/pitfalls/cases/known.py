"""Facts known to be true around a data set: an edit towards one of them is no edit."""

from pitfalls.cases.anomalies import Known
from pitfalls.cases.audit import known_facts
from pitfalls.cases.catalogue import published
from pitfalls.cases.collections import PACKAGED, load_cases, published_sets
from pitfalls.graph.graph import true_triples
from pitfalls.graph.starter import starter_graph
from pitfalls.vocabulary import DATASETS


def known_around(name: str) -> Known:
    """True triples beside those that the data set's own cases state.

    The packaged cases stand in the starter graph. The published sets were drawn from one source, so
    each of them that is here speaks for all. Of a path nothing more is known.
    """
    collection, colon, _ = name.rpartition(":")
    if collection in PACKAGED or (not colon and name in DATASETS):
        return true_triples(starter_graph())
    if collection not in (here := published()):
        return frozenset()
    return frozenset[tuple[str, str, str]]().union(
        *(
            known_facts(load_cases(f"{each.name}:{data_set}"))
            for each in here.values()
            if each.present
            for data_set in published_sets()
        )
    )
