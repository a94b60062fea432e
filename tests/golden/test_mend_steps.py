"""MEND's training against recorded steps of its authors' trainer.

Their two optimisers come to one: the main one owns the step sizes too, so both learning rates are
the same here. A step of Adam is due after the first batch and then after every `accumulate`-th, and
what batches add to the gradient is divided by that number, as many as they are.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from mend_goldens import MendGoldens, deviation, labelled
from torch import Tensor

from pitfalls.editors.mend.practice import Drill, Practice
from pitfalls.editors.mend.training import Learner, MendTraining

RELATIVE = 4e-5
"""Twice the distance of float32 from float64, as nearly all golden numbers have it."""

MOVES = 4e-4
"""The same for what Adam has moved: it takes the sign of gradients that are tiny."""


def drill(batch: dict[str, Any]) -> Drill:
    loc = batch["loc"]
    kept = [
        tuple(ids[: sum(mask)])
        for ids, mask in zip(loc["input_ids"], loc["attention_mask"], strict=True)
    ]
    inner, outer = labelled(batch["edit_inner"]), labelled(batch["edit_outer"])
    return Drill(tuple(inner), tuple(outer), tuple(kept))


@dataclass
class Replay:
    """The recorded steps, made again."""

    goldens: MendGoldens
    edit: list[float] = field(default_factory=list)
    locality: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    norms: dict[int, float] = field(default_factory=dict)
    gradients: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    """Iteration → gradients after it and before anything is cut."""
    states: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    """Iteration → networks after it."""


@cache
def replay(folder: Path) -> Replay:
    goldens = MendGoldens(folder)
    config = goldens.training["config"]
    assert (config["opt"], config["train_base"]) == ("Adam", False)
    settings = MendTraining(
        rank=config["mend"]["rank"],
        lr=config["lr"],
        lr_lr=config["lr"],
        cedit=config["cedit"],
        cloc=config["cloc"],
        accumulate=config["accumulate_bs"],
        grad_clip=config["grad_clip"],
    )
    networks = goldens.networks()
    networks.forget()
    learner, run = Learner(networks, settings), Replay(goldens)
    for i, batch in enumerate(goldens.training["batches"]):
        names = [weight.name for weight in networks.weights]
        outcome = learner.practise(Practice(goldens.model, [drill(batch)], names))
        run.edit.append(outcome.nll.item())
        run.locality.append(outcome.kl.item())
        run.total.append(learner.loss(outcome).item())
        named = networks.named_parameters()
        run.gradients[i] = {name: parameter.grad.clone() for name, parameter in named}
        if i and i % settings.accumulate == 0:
            run.norms[i] = learner.step()
        run.states[i] = {name: t.clone() for name, t in networks.state_dict().items()}
    return run


@pytest.fixture
def made(golden_model: Path) -> Replay:
    return replay(golden_model)


def recorded(made: Replay, prefix: str) -> dict[str, Tensor]:
    tensors = made.goldens.training_tensors
    found = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
    assert found, prefix
    return found


def test_losses(made: Replay) -> None:
    said = [step["info"] for step in made.goldens.training["steps"]]
    assert made.edit == pytest.approx([info["loss/edit"] for info in said], rel=RELATIVE)
    assert made.locality == pytest.approx([info["loss/loc"] for info in said], rel=RELATIVE)
    assert made.total == pytest.approx([info["loss/total"] for info in said], rel=RELATIVE)


def test_gradients_of_the_first_batch(made: Replay) -> None:
    for name, expected in recorded(made, "step0/grad/").items():
        assert deviation(made.gradients[0][name], expected) < RELATIVE, name


def test_gradients_add_up_over_batches(made: Replay) -> None:
    first = min(made.norms)
    for name, expected in recorded(made, f"step{first}/accumulated_grad_before_clip/").items():
        assert deviation(made.gradients[first][name], expected) < RELATIVE, name
    for i, step in enumerate(made.goldens.training["steps"]):
        for name, norm in step["accumulated_grad_norms"].items():
            if norm is not None:
                assert made.gradients[i][name].norm().item() == pytest.approx(norm, rel=RELATIVE)


def test_norms_before_they_are_cut(made: Replay) -> None:
    steps = made.goldens.training["steps"]
    said = {i: s["info"]["grad"] for i, s in enumerate(steps) if "grad" in s["info"]}
    assert made.norms == pytest.approx(said, rel=RELATIVE)


def test_parameters_after_steps_of_adam(made: Replay) -> None:
    start = made.goldens.networks().state_dict()
    for i in made.norms:
        for name, expected in recorded(made, f"after_iter{i}/").items():
            if not name.startswith("buffer/"):
                got = made.states[i][name]
                assert deviation(got, expected) < RELATIVE, (i, name)
                assert deviation(got - start[name], expected - start[name]) < MOVES, (i, name)


def test_norms_of_parameters_that_were_not_kept(made: Replay) -> None:
    for key, norm in made.goldens.training["norms_of_dropped"].items():
        where, _, name = key.rpartition("/")
        if where.startswith("after_iter"):
            tensor = made.states[int(where.removeprefix("after_iter"))][name]
        else:
            step = int(where.split("/")[0].removeprefix("step"))
            tensor = made.gradients[step][name]
        assert tensor.norm().item() == pytest.approx(norm, rel=RELATIVE), key


def test_statistics_after_the_last_batch(made: Replay) -> None:
    last = max(made.states)
    for name, expected in recorded(made, f"after_iter{last}/buffer/").items():
        assert deviation(made.states[last][name], expected) < RELATIVE, name


def test_the_model_is_left_as_it_was(made: Replay) -> None:
    for parameter in made.goldens.model.network.parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad
    assert torch.is_grad_enabled()
