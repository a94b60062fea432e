"""ROME puts v* where it belongs; the search for it is the same however the text is run."""

from dataclasses import replace

import pytest
import torch
from table import TEMPLATES, tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion import rank_one as rank_one_module
from pitfalls.editors.insertion.delta_site import Site, mlp_adds_straight
from pitfalls.editors.insertion.equations import rank_one_insertion
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.search_texts import Search, search_rows
from pitfalls.editors.insertion.value_search import Found, ValueSearch, find_values
from pitfalls.editors.rome import Rome
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, FAMILY_KINDS
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS)

SEARCH = ValueSearch(steps=12, weight_decay=1e-3, clamp=8.0)


def searches(model: LanguageModel, updates: list[Update]) -> list[Search]:
    return [
        Search(search_rows(model, edit, TEMPLATES), update.changes)
        for edit, update in zip(EDITS, updates, strict=True)
    ]


@pytest.mark.parametrize("site", ["mlp", "block"])
def test_the_search_on_tails_is_the_search_on_whole_texts(
    model: LanguageModel, moments: MomentSettings, site: Site
):
    (base,) = tiny_editor("rome", model, moments).fit(model, [Job((EDITS[2],))])
    asked = searches(model, [Update(), base, Update()])
    ways = [
        find_values(way, asked, layer=2, site=site, settings=SEARCH, token_budget=60)
        for way in (model, replace(model, plain=True))
    ]
    for tail, whole in zip(*ways, strict=True):
        assert tail.losses == pytest.approx(whole.losses, rel=1e-4)
        torch.testing.assert_close(tail.delta, whole.delta, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(tail.initial, whole.initial, rtol=1e-4, atol=1e-5)
        assert tail.losses[-1] < tail.losses[0]


def test_what_an_mlp_gives_more_leaves_its_block_unless_a_norm_is_behind_it(model: LanguageModel):
    assert mlp_adds_straight(model, 2) == (model.architecture.mlp_norm is None)


def test_a_search_ends_where_it_is_told_to(model: LanguageModel):
    asked = searches(model, [Update()] * 3)

    def losses(**changes: float) -> list[int]:
        settings = replace(SEARCH, **changes)
        found = find_values(model, asked, layer=1, site="mlp", settings=settings, token_budget=4096)
        return [len(one.losses) for one in found]

    assert losses() == [12, 12, 12]
    assert losses(steps=1) == [1, 1, 1]
    assert losses(stop_loss=100.0) == [1, 1, 1]
    first = find_values(model, asked, layer=1, site="mlp", settings=SEARCH, token_budget=4096)[0]
    threshold = (first.losses[3] + first.losses[4]) / 2
    (early, *others) = losses(stop_loss=threshold)
    assert early == 5
    assert others != [5, 5], "searches end each at its own time"


@pytest.mark.parametrize("clamp", [0.5, 3.0])
def test_delta_is_kept_within_the_clamp(model: LanguageModel, clamp: float):
    # Steps so long that each of them leaves the ball, wherever in it the last one ended.
    settings = replace(SEARCH, clamp=clamp, lr=500.0)
    asked = searches(model, [Update()] * 3)
    found = find_values(model, asked, layer=1, site="mlp", settings=settings, token_budget=4096)
    for one in found:
        assert one.delta.norm() == pytest.approx((clamp * one.initial.norm()).item(), rel=1e-5)


def test_rome_makes_the_subjects_key_give_v(
    model: LanguageModel, moments: MomentSettings, monkeypatch: pytest.MonkeyPatch
):
    """(W + ΔW) k = v*, read in the edited model."""
    found: list[Found] = []

    def noting(*args, **kwargs):
        found.extend(find_values(*args, **kwargs))
        return found[-len(args[1]) :]

    monkeypatch.setattr(rank_one_module, "find_values", noting)
    editor = tiny_editor("rome", model, moments)
    assert isinstance(editor, Rome)
    (base,) = editor.fit(model, [Job((EDITS[1],))])
    found.clear()
    jobs = [Job((EDITS[0],)), Job((EDITS[2],), base)]
    updates = editor.fit(model, jobs)
    for job, update, value in zip(jobs, updates, found, strict=True):
        (edit,) = job.edits
        requests = [(edit, "{}", {})]
        with (job.base + update).applied(model):
            _, reached = subject_traffic(
                model, requests, module=model.mlp_out(editor.layer), token_budget=64
            )
        assert (reached[0] - value.value).norm() <= 1e-4 * value.value.norm()
        assert value.delta.norm() > 0.1 * value.initial.norm()


def test_rank_one_insertion_maps_the_key_to_the_value():
    random = torch.Generator().manual_seed(0)
    W, k, v, u = (torch.randn(*shape, generator=random) for shape in [(5, 7), (7,), (5,), (7,)])
    change = rank_one_insertion(k=k, v=v, Wk=W @ k, u=u)
    torch.testing.assert_close((W + change.matrix) @ k, v)
    other = torch.randn(7, generator=random)
    other -= u * (other @ u) / (u @ u)
    torch.testing.assert_close(change.matrix @ other, torch.zeros(5), atol=1e-5, rtol=0)


def test_a_job_whose_second_edit_fails_changes_nothing(
    model: LanguageModel, moments: MomentSettings, monkeypatch: pytest.MonkeyPatch
):
    turns: list[int] = []

    def failing(*args, **kwargs):
        turns.append(len(args[1]))
        found = find_values(*args, **kwargs)
        if len(turns) == 2:
            found[0] = replace(found[0], failure="the second turn's first search broke")
        return found

    editor = tiny_editor("rome", model, moments)
    (expected,) = editor.fit(model, [Job(EDITS)])
    monkeypatch.setattr(rank_one_module, "find_values", failing)
    broken, whole = editor.fit(model, [Job(EDITS), Job(EDITS)])
    assert broken.failure == "the second turn's first search broke"
    assert not broken.changes
    assert [part.edits for part in broken.history] == [(str(edit),) for edit in EDITS[:2]]
    assert turns == [2, 2, 1], "nothing is searched for on top of a failure"
    assert whole.failure is None
    for name, change in expected.changes.items():
        gap = (whole.changes[name].matrix - change.matrix).norm()
        assert gap <= 1e-4 * change.matrix.norm()


def spelled(model: LanguageModel, ids: tuple[int, ...]) -> str:
    """Text of the ids, without a token for the beginning."""
    text: str = model.tokenizer.decode(ids, skip_special_tokens=True)
    return text


def test_rows_are_cut_before_the_subjects_last_token(model: LanguageModel):
    edit = Edit.of("The capital of {} is", subject="Côte d'Ivoire", target="Paris, France")
    *rows, essence = search_rows(model, edit, TEMPLATES)
    assert len(rows) == len(TEMPLATES)
    for row, template in zip(rows, TEMPLATES, strict=True):
        text = template.format("The capital of Côte d'Ivoire is")
        whole = model.tokenizer(f"{text} Paris, France")["input_ids"]
        assert list(row.split.left + row.split.right + row.labels[-1:]) == whole
        assert model.tokenizer.decode(row.labels) == " Paris, France"
        subject = spelled(model, row.split.left + row.split.right[:1])
        assert subject == text.removesuffix(" is")
    assert essence.labels == ()
    assert spelled(model, essence.split.left + essence.split.right) == "Côte d'Ivoire"
    assert len(essence.split.right) == 1, "nothing behind the token that is read is run"
