"""Training MEND: it learns, resumes as if never cut, ends in time; its files know their model."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pitfalls.editors.editor import Job
from pitfalls.editors.mend.checkpoint import (
    describe,
    load_networks,
    read_description,
    save_networks,
)
from pitfalls.editors.mend.course import Course, train_mend
from pitfalls.editors.mend.mend import Mend
from pitfalls.editors.mend.practice import Drill, Lesson, Practice
from pitfalls.editors.mend.state import State
from pitfalls.editors.mend.training import Figures, Learner, MendTraining
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Entity
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import EDITS, FAMILY_KINDS, TEXT, snapshot, tiny_model, unchanged

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])

SETTINGS = MendTraining(
    rank=4, lr=1e-3, edit_lr=-1e-2, batch_size=2, steps=6, validate_every=2, patience=9
)


def lessons(*, n: int = 6) -> list[Lesson]:
    words = TEXT.split()
    return [
        Lesson(
            replace(EDITS[i % 3], object=Entity("before", words[3 * i])),
            "Tell me about {}:",
            " ".join(words[i : i + 6]),
        )
        for i in range(n)
    ]


class Cut(Exception):
    pass


save = State.save


def train(model: LanguageModel, out: Path, settings: MendTraining = SETTINGS) -> Figures:
    return train_mend(model, lessons(), lessons(n=3), settings, out)


def test_training_lowers_the_loss_and_leaves_the_model_alone(model: LanguageModel):
    before = snapshot(model)
    learner = Learner.fresh(model, SETTINGS)
    names = [weight.name for weight in learner.networks.weights]
    assert len(names) == SETTINGS.n_blocks * len(model.mlp_weight_names(0))
    practice = Practice(model, [Drill.training(model, each) for each in lessons()], names)
    losses = []
    for _ in range(12):
        losses.append(learner.loss(learner.practise(practice)).item())
        learner.step()
    assert losses[-1] < losses[0]
    assert unchanged(model, before)


def test_fresh_networks_give_back_what_they_get(model: LanguageModel):
    networks = Learner.fresh(model, SETTINGS).networks.eval()
    weight = networks.weights[0]
    x, delta = torch.randn(5, weight.d_in), torch.randn(5, weight.d_out)
    same_x, same_delta = networks(weight.name, x, delta)
    assert torch.allclose(same_x, x) and torch.allclose(same_delta, delta)


def test_statistics_are_those_of_all_rows_seen(model: LanguageModel):
    networks = Learner.fresh(model, SETTINGS).networks.train()
    weight = networks.weights[0]
    x, delta = 3 + 2 * torch.randn(50, weight.d_in), torch.randn(50, weight.d_out)
    for rows in (slice(0, 1), slice(1, 20), slice(20, 20), slice(20, 50)):
        networks(weight.name, x[rows], delta[rows])
    seen = networks.mend[weight.shape]
    assert seen.k.item() == 50
    assert torch.allclose(seen.u_mean, x.mean(0), atol=1e-5)
    assert torch.allclose(seen.u_std, x.std(0), atol=1e-5)
    assert torch.allclose(seen.v_std, delta.std(0), atol=1e-5)


def test_a_drill_in_a_batch_comes_out_as_alone(model: LanguageModel):
    learner = Learner.fresh(model, SETTINGS)
    learner.networks.eval()
    names = [weight.name for weight in learner.networks.weights]
    drills = [Drill.validation(model, each) for each in lessons()]
    together = Practice(model, drills, names).outcome(learner.networks)
    for i, each in enumerate(drills):
        alone = Practice(model, [each], names).outcome(learner.networks)
        assert torch.allclose(together.nll[4 * i : 4 * i + 4], alone.nll, rtol=1e-4)
        assert torch.allclose(together.kl[i], alone.kl[0], rtol=1e-3, atol=1e-7)


def test_the_best_networks_are_written_with_their_figures(model: LanguageModel, tmp_path: Path):
    out = tmp_path / "mend.safetensors"
    figures = train(model, out)
    said = read_description(out).training
    assert [each["step"] for each in said["curve"]] == [2, 4, 6]
    assert said["final"] == asdict(figures)
    assert said["settings"] == asdict(SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    learner = Learner(load_networks(out, model), SETTINGS)
    names = [weight.name for weight in learner.networks.weights]
    exams = [
        Practice(model, [Drill.validation(model, each) for each in part], names)
        for part in (lessons(n=3)[:2], lessons(n=3)[2:])
    ]
    assert learner.validate(exams, figures.step) == figures
    (update,) = Mend(checkpoint=str(out)).fit(model, [Job((EDITS[0],))])
    assert set(update) == set(names)


@pytest.mark.parametrize("cut_after", [1, 2])
def test_a_resumed_training_is_one_that_was_never_cut(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_after: int
):
    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    train(model, whole)
    seen = 0

    def save_and_stop(state: State, path: Path) -> None:
        nonlocal seen
        save(state, path)
        seen += 1
        if seen == cut_after:
            raise Cut

    monkeypatch.setattr(State, "save", save_and_stop)
    with pytest.raises(Cut):
        train(model, resumed)
    monkeypatch.undo()
    assert not resumed.exists()
    train(model, resumed)
    assert resumed.read_bytes() == whole.read_bytes()


def test_a_training_begun_otherwise_is_refused(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "mend.safetensors"

    def save_and_stop(state: State, path: Path) -> None:
        save(state, path)
        raise Cut

    monkeypatch.setattr(State, "save", save_and_stop)
    with pytest.raises(Cut):
        train(model, out)
    with pytest.raises(PitfallsError, match=r"begun with lr = 0\.001, now it is 0\.5"):
        train(model, out, replace(SETTINGS, lr=0.5))
    with pytest.raises(PitfallsError, match="begun with lessons"):
        train_mend(model, lessons(n=4), lessons(n=3), SETTINGS, out)
    out.with_name(out.name + ".training").write_bytes(b"no state")
    with pytest.raises(PitfallsError, match="is no state of a training"):
        train(model, out)


def test_training_ends_once_validation_gets_no_better(model: LanguageModel, tmp_path: Path):
    out = tmp_path / "mend.safetensors"
    still = replace(SETTINGS, lr=1e-30, lr_lr=1e-30, patience=2, steps=100)
    learner = Learner.fresh(model, still)
    course = Course(model, still, lessons(), lessons(n=3), learner)
    same = Figures(2, 0.5, 0.5, 1.0, 1.0, 1.0)
    course.curve = [same, same]
    assert not course.over
    course.curve = [same, same, same]
    assert course.over
    assert train(model, out, still).step < still.steps


def test_below_enough_success_counts_and_above_it_the_loss():
    poor = Figures(1, 0.5, 0.5, 1.0, 0.1, 0.2)
    good = Figures(2, 0.96, 0.99, 1.0, 0.9, 1.0)
    better = Figures(3, 0.95, 0.95, 1.0, 0.5, 0.6)
    ranked = sorted([better, poor, good], key=lambda figures: figures.merit(0.95))
    assert ranked == [poor, good, better]


def test_networks_refuse_another_model(tmp_path: Path):
    file = tmp_path / "mend.safetensors"
    model = tiny_model("llama")
    networks = Learner.fresh(model, SETTINGS).networks
    save_networks(file, networks, describe(model, networks))
    with torch.no_grad():
        model.network.get_parameter(f"{model.mlp_out_name(0)}.weight")[0, 0] += 1
    other = LanguageModel.wrap(model.network, model.tokenizer, name="other")
    with pytest.raises(PitfallsError, match=r"other has other weights.*pitfalls train mend"):
        Mend(checkpoint=str(file)).fit(other, [Job((EDITS[0],))])
    with pytest.raises(PitfallsError, match=r"no MEND networks for other.*pitfalls train mend"):
        Mend().check(other)


def test_networks_take_the_same_model_in_another_dtype(tmp_path: Path):
    file = tmp_path / "mend.safetensors"
    model = tiny_model("llama")
    networks = Learner.fresh(model, SETTINGS).networks
    save_networks(file, networks, describe(model, networks))
    model.network.to(torch.bfloat16)
    half = LanguageModel.wrap(model.network, model.tokenizer, name="half")
    Mend(checkpoint=str(file)).check(half)


@pytest.mark.parametrize("content", [None, b"", b"text", "foreign"])
def test_what_is_no_checkpoint_is_told(tmp_path: Path, content: bytes | str | None):
    file = tmp_path / "mend.safetensors"
    if content == "foreign":
        save_file({"x": torch.zeros(1)}, file)
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(PitfallsError, match="is no checkpoint of MEND"):
        read_description(file)


def test_large_tensors_are_kept_in_half_precision(model: LanguageModel, tmp_path: Path):
    file = tmp_path / "mend.safetensors"
    networks = Learner.fresh(model, SETTINGS).networks
    save_networks(file, networks, describe(model, networks))
    with safe_open(file, framework="pt") as opened:
        dtypes = {name: opened.get_tensor(name).dtype for name in opened.keys()}  # noqa: SIM118
        assert json.loads(opened.metadata()["pitfalls-mend"])["rank"] == SETTINGS.rank
    assert {dtype for name, dtype in dtypes.items() if name.endswith(".u")} == {torch.float16}
    assert dtypes["edit_lrs"] == torch.float32


def test_settings_are_typed_and_named(model: LanguageModel):
    assert MendTraining.of(model, {"rank": 3}) == MendTraining(rank=3)
    with pytest.raises(UnknownNameError, match="did you mean 'rank'"):
        MendTraining.of(model, {"rnak": 3})
    with pytest.raises(PitfallsError, match=r"mend-training\.rank: got 'many'"):
        MendTraining.of(model, {"rank": "many"})


def test_what_makes_no_course_is_refused(model: LanguageModel, tmp_path: Path):
    with pytest.raises(PitfallsError, match="multiple of accumulate"):
        replace(SETTINGS, accumulate=4)
    with pytest.raises(PitfallsError, match="expected at least 64"):
        train(model, tmp_path / "mend.safetensors", replace(SETTINGS, batch_size=64))


def test_the_order_of_batches_changes_from_turn_to_turn(model: LanguageModel):
    course = Course(model, SETTINGS, lessons(), lessons(n=3), Learner.fresh(model, SETTINGS))
    turns = [[id(course._batch(step)) for step in range(t * 3, t * 3 + 3)] for t in range(6)]
    assert all(sorted(turn) == sorted(turns[0]) for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1
