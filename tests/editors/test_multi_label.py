"""Several objects at once: the authors' form and the joint one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.multi_label import insertions_of, searches_of, whole_shares
from pitfalls.editors.insertion.objective import Objective
from pitfalls.editors.insertion.search_texts import Row, Search, search_rows
from pitfalls.editors.insertion.value_search import ValueSearch
from pitfalls.editors.memit import Memit
from pitfalls.editors.rome import Rome
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.tokens import Split
from pitfalls.testing import FAMILY_KINDS

pytestmark = pytest.mark.families(FAMILY_KINDS)

SEARCH = ValueSearch(steps=40, lr=0.3, weight_decay=1e-4, clamp=50.0, kl_weight=0.0)
CONTEXTS = Contexts(templates=("{}",))
OBJECTS = ("red", "pale blue", "green and grey")


def edits() -> tuple[Edit, ...]:
    return tuple(Edit.of("The colour of {} is", subject="the sky", target=o) for o in OBJECTS)


def test_requests_are_runs_of_edits_that_share_a_key() -> None:
    other = Edit.of("The size of {} is", subject="the sky", target="great")
    together = insertions_of([*edits(), other, edits()[0]], "joint")
    assert together == [edits(), (other,), (edits()[0],)]
    assert insertions_of(edits(), "separate") == [(edit,) for edit in edits()]


def test_one_object_is_the_same_in_both_forms(model: LanguageModel) -> None:
    job = Job(edits()[:1])
    alone, joint = (
        Rome(layer=1, value=SEARCH, contexts=CONTEXTS, moments=None, multi_label=how).fit(
            model, [job]
        )[0]
        for how in ("separate", "joint")
    )
    assert alone.changes.keys() == joint.changes.keys()
    for name, change in alone.changes.items():
        assert torch.equal(change.matrix, joint.changes[name].matrix)


def shares(n: int) -> st.SearchStrategy[list[float]]:
    raw = st.lists(st.floats(1e-6, 1.0), min_size=n, max_size=n)
    return raw.map(lambda values: [value / sum(values) for value in values])


@given(st.data(), st.lists(st.integers(1, 8), min_size=2, max_size=6))
def test_means_per_token_of_the_whole_shares_are_proportional_to_q(
    data: st.DataObject, lengths: list[int]
) -> None:
    q = data.draw(shares(len(lengths)))
    w = whole_shares(q, lengths)
    assert sum(w) == pytest.approx(1, rel=1e-9)
    p = [P ** (1 / n) for P, n in zip(w, lengths, strict=True)]
    assert [value / sum(p) for value in p] == pytest.approx(q, rel=1e-9)


@pytest.mark.parametrize("lengths", [(1, 1), (1, 3), (2, 1, 4)])
def test_the_objective_is_smallest_where_p_is_proportional_to_q(lengths: tuple[int, ...]) -> None:
    """On a model that can give the objects any distribution: the first token tells them apart."""
    q = torch.tensor([0.8, 0.15, 0.05][: len(lengths)]).double()
    q = q / q.sum()
    rows = tuple(
        Row(Split((), (0,)), tuple(range(n)), share, is_whole=True)
        for n, share in zip(lengths, whole_shares(q.tolist(), lengths), strict=True)
    )
    search = Search((*rows, Row(Split((), (0,)), ())), {})
    logits = torch.zeros(len(lengths), dtype=torch.float64, requires_grad=True)
    # It stops where nothing moves any more: by default it stops at a change of 1e-9, too early.
    descent = torch.optim.LBFGS(
        [logits],
        max_iter=200,
        tolerance_grad=1e-14,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        descent.zero_grad()
        of_first = logits.log_softmax(0)  # the tokens after it are certain and add nothing
        terms = [search.weight_of(row) * logp for row, logp in zip(rows, of_first, strict=True)]
        value = -torch.stack(terms).sum() - search.floor
        value.backward()
        return value

    descent.step(loss)
    p = logits.detach().softmax(0) ** (1 / torch.tensor(lengths))
    torch.testing.assert_close(p / p.sum(), q, rtol=1e-5, atol=0)
    assert loss().item() == pytest.approx(0, abs=1e-9)


def test_joint_objective_is_the_divergence_from_the_objects_shares(model: LanguageModel) -> None:
    """KL(w ‖ P) of every context, P from each object's own objective."""
    contexts = ("{}", "Look up. {}")
    (together,) = searches_of(model, [(edits(), {})], contexts)
    torch.manual_seed(0)
    delta = torch.randn(1, model.width)

    def nll(search: Search) -> torch.Tensor:
        terms = {"layer": 1, "site": "mlp", "kl_weight": 0.0, "weight_decay": 0.0}
        objective = Objective(model, [search], token_budget=4096, **terms)
        return objective(delta, gradient=False)[0][0]

    expected = []
    for context in contexts:
        asked = [Question(context.format("The colour of the sky is"), o, {}) for o in OBJECTS]
        q = torch.stack([logp.mean().exp() for logp in target_logprobs(model, asked)])
        rows = [search_rows(model, edit, (context,)) for edit in edits()]
        lengths = [len(row.labels) for row, _ in rows]
        w = torch.tensor(whole_shares((q / q.sum()).tolist(), lengths))
        logP = torch.stack(
            [-nll(Search(row, {})) * n for row, n in zip(rows, lengths, strict=True)]
        )
        expected.append((w * (w.log() - logP)).sum())
    assert len({len(row.labels) for row in together.rows if row.labels}) > 1, "some are longer"
    torch.testing.assert_close(nll(together), torch.stack(expected).mean(), rtol=1e-5, atol=1e-6)


def test_joint_search_descends(model: LanguageModel) -> None:
    editor = Rome(layer=1, value=SEARCH, contexts=CONTEXTS, moments=None, multi_label="joint")
    (update,) = editor.fit(model, [Job(edits())])
    (origin,) = update.history
    assert min(origin.losses) < origin.losses[0]
    assert origin.edits == tuple(map(str, edits()))


def test_joint_form_is_one_change_of_rank_one(
    model: LanguageModel, moments: MomentSettings
) -> None:
    common = {"layers": (1,), "value": SEARCH, "contexts": CONTEXTS, "moments": moments}
    ranks = {}
    for how in ("separate", "joint"):
        (update,) = Memit(**common, multi_label=how).fit(model, [Job(edits())])
        (change,) = update.changes.values()
        ranks[how] = change.A.shape[0]
    assert ranks == {"separate": len(OBJECTS), "joint": 1}
