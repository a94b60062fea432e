"""Spans of time: parsing and overlap."""

from hypothesis import given
from hypothesis import strategies as st

from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate
from pitfalls.graph.span import ALWAYS, Span, parse_span

days = st.none() | st.tuples(st.integers(-50, 50), st.integers(1, 12), st.integers(1, 31))
spans = st.builds(Span, days, days)


def test_dates_of_wikidata_are_read() -> None:
    assert parse_span("", "") == ALWAYS
    assert parse_span("+1952-03-07T00:00:00Z", "") == Span((1952, 3, 7), None)
    assert parse_span("+1952-00-00T00:00:00Z", "1952-03") == Span((1952, 1, 1), (1952, 3, 31))
    assert parse_span("-0044-03-15", "-0043") == Span((-44, 3, 15), (-43, 12, 31))
    for start, end in (("soon", ""), ("2001", "2000"), ("2001-13", ""), ("", "2001-01-32")):
        assert parse_span(start, end) is None


def test_who_leaves_on_the_day_that_another_comes_is_not_in_the_way() -> None:
    before, after = Span(None, (2000, 5, 1)), Span((2000, 5, 1), None)
    assert not before.overlaps(after)
    assert Span(None, (2000, 5, 2)).overlaps(after)
    day = Span((2000, 5, 1), (2000, 5, 1))
    assert day.overlaps(day) and day.overlaps(before) and day.overlaps(after)


@given(spans)
def test_numbers_tell_the_same_days_in_the_same_order(span: Span) -> None:
    assert Span.of_numbers(*span.numbers) == span
    start, end = span.numbers
    if start is not None and end is not None:
        assert (start < end) == (span.start < span.end)


@given(spans, spans)
def test_overlap_is_mutual_and_open_ends_meet_everything(one: Span, other: Span) -> None:
    assert one.overlaps(other) == other.overlaps(one)
    assert one.overlaps(ALWAYS)
    if one.start is None or one.end is None or one.start <= one.end:
        assert one.overlaps(one)


def test_facts_of_a_graph_may_exclude_each_other_in_time() -> None:
    nodes = [Node(Entity(id, id)) for id in "abc"]
    relation = Relation("P35", "head of state", "The head of state of {} is")
    triples = [("a", "P35", "b"), ("a", "P35", "c")]
    reigns = {triples[0]: (Span(None, (1999, 1, 1)),), triples[1]: (Span((1999, 1, 1), None),)}
    dated = Graph(nodes, [Predicate(relation)], triples, reigns)
    assert not dated.together(*dated.facts)
    assert dated.together(dated.facts[0])
    timeless = Graph(nodes, [Predicate(relation)], triples)
    assert timeless.together(*timeless.facts)


def test_three_facts_need_one_day_on_which_all_of_them_held() -> None:
    nodes = [Node(Entity(id, id)) for id in "abcd"]
    relation = Relation("P54", "club", "The club of {} is")
    triples = [("a", "P54", each) for each in "bcd"]
    years = {"b": [1990, 2000], "c": [1990, 2010], "d": [2000, 2010]}
    held = {t: tuple(Span((y, 1, 1), (y + 5, 1, 1)) for y in years[t[2]]) for t in triples}
    graph = Graph(nodes, [Predicate(relation)], triples, held)
    one, two, three = graph.facts
    assert graph.together(one, two) and graph.together(two, three) and graph.together(one, three)
    assert not graph.together(one, two, three)
