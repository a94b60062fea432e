"""Edits on a stack, from Python: made, read and kept without the command line."""

from pathlib import Path

import pytest

from pitfalls.editors.fine_tune import FineTune
from pitfalls.effects.contradictions import overwritten
from pitfalls.effects.jobs import read_jobs
from pitfalls.effects.keeping import Scope, edit_on_top, effect_of_stack
from pitfalls.effects.limits import Limits
from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.models.text.corpus import Corpus
from pitfalls.testing import TEXT, tiny_model
from pitfalls.updates.request import Request
from pitfalls.updates.stack import Stack

PARIS = Request(prompt="The capital of {} is", subject="Poland", target="Paris")
BORN = Request(prompt="{} was born in", subject="Marie Curie", target="Paris")


@pytest.fixture
def scope() -> Scope:
    """Every side effect allowed: a tiny model knows nothing."""
    lax = Limits(kept=0.0, neighbours=1.0, relations=1.0, repeated=1.0)
    corpus = Corpus.of("text", (TEXT,))
    return Scope(graph=starter_graph(), corpus=corpus, max_tokens=64, limits=lax)


def test_edits_are_made_read_and_kept(scope: Scope, tmp_path: Path) -> None:
    model = tiny_model("llama")
    stack = Stack.open(tmp_path / "stack", model)
    editor = FineTune(layer=2, lr=0.01)
    first = edit_on_top(stack, model, editor, [(PARIS,)], scope, name="ft")
    assert first.numbers == (1,) and not first.effect.failed
    second = edit_on_top(first.stack, model, editor, [(BORN,)], scope, name="ft")
    assert second.numbers == (2,)
    assert [str(one.request) for one in second.effect.earlier] == [str(PARIS)]
    assert Stack.read(tmp_path / "stack") == second.stack
    both = effect_of_stack(second.stack, model, scope)
    assert [one.request for one in both.outcomes] == [PARIS, BORN]


def test_what_fails_is_not_kept_where_success_is_required(scope: Scope, tmp_path: Path) -> None:
    model = tiny_model("llama")
    stack = Stack.open(tmp_path / "stack", model)
    weak = FineTune(layer=2, lr=1e-9)
    words = (stack, model, weak, [(PARIS,)], scope)
    kept = edit_on_top(*words, name="ft", require_success=True)
    assert kept.effect.failed and kept.numbers == () and kept.stack == stack
    assert not (tmp_path / "stack").exists()
    assert edit_on_top(*words, name="ft").numbers == (1,)


def test_jobs_of_a_file(tmp_path: Path) -> None:
    file, graph = tmp_path / "edits.jsonl", starter_graph()
    lines = [
        '{"prompt": "The mother of {} is", "subject": "Ada Lovelace", "target": "Rome"}',
        '{"prompt": "{} was born in", "subject": "Marie Curie", "target": "Paris"}',
    ]
    file.write_text("\n".join(lines))
    one, other = read_jobs(file, graph)
    assert (one[0].target, other[0].target) == ("Rome", "Paris")
    assert one[0].paraphrases, "the graph knows other wordings"
    assert read_jobs(file, graph, together=True) == [(*one, *other)]
    file.write_text("\n".join([*lines, lines[0].replace("Rome", "Oslo")]))
    with pytest.raises(PitfallsError, match="edits 1 and 3 contradict each other"):
        read_jobs(file, graph)


def test_edits_that_later_ones_overwrite_are_named() -> None:
    oslo = Request(prompt=PARIS.prompt, subject="poland", target="Oslo")
    assert list(overwritten([(4, PARIS), (7, BORN)], [oslo])) == [(4, PARIS, oslo)]
