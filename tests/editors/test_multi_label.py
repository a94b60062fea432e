"""Several objects at once: the authors' form and the joint one."""

import torch

from pitfalls.editors.contexts import Contexts
from pitfalls.editors.editor import Job
from pitfalls.editors.memit import Memit
from pitfalls.editors.multi_label import requests_of, searches_of
from pitfalls.editors.objective import Objective
from pitfalls.editors.rome import Rome
from pitfalls.editors.search import Search, search_rows
from pitfalls.editors.values import ValueSearch
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.moments import MomentSettings
from pitfalls.models.readout import Question, target_logprobs

SEARCH = ValueSearch(steps=40, lr=0.3, weight_decay=1e-4, clamp=50.0, kl_weight=0.0)
CONTEXTS = Contexts(templates=("{}",))
OBJECTS = ("red", "blue", "green")


def edits() -> tuple[Edit, ...]:
    return tuple(Edit.of("The colour of {} is", subject="the sky", target=o) for o in OBJECTS)


def probabilities(model: LanguageModel) -> torch.Tensor:
    asked = [Question("The colour of the sky is", o, {}) for o in OBJECTS]
    return torch.stack([logp.mean().exp() for logp in target_logprobs(model, asked)])


def test_requests_are_runs_of_edits_that_share_a_key() -> None:
    other = Edit.of("The size of {} is", subject="the sky", target="great")
    together = requests_of([*edits(), other, edits()[0]], "joint")
    assert together == [edits(), (other,), (edits()[0],)]
    assert requests_of(edits(), "separate") == [(edit,) for edit in edits()]


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


def test_joint_objective_is_the_objects_objectives_by_their_shares(model: LanguageModel) -> None:
    contexts = ("{}", "Look up. {}")
    q = probabilities(model)
    q = q / q.sum()
    (together,) = searches_of(model, [(edits(), {})], contexts)
    alone = [Search(search_rows(model, edit, contexts), {}) for edit in edits()]
    joint, *single = (
        Objective(
            model,
            [search],
            layer=1,
            site="mlp",
            kl_weight=0.0,
            weight_decay=0.0,
            token_budget=4096,
        )
        for search in (together, *alone)
    )
    torch.manual_seed(0)
    delta = torch.randn_like(joint.nothing)
    nll = torch.stack([objective(delta, gradient=False)[0][0] for objective in single])
    torch.testing.assert_close(
        joint(delta, gradient=False)[0][0], (q * nll).sum(), rtol=1e-5, atol=1e-6
    )


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
