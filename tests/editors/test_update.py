"""An update is a value: it adds up, tells its size, goes to disk and back, and fits one model."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change, Dense, LowRank
from pitfalls.testing import distance, snapshot, tiny_model, unchanged
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update

NAME = "model.layers.1.mlp.down_proj.weight"
OTHER = "model.layers.3.mlp.down_proj.weight"
BIAS = "transformer.h.1.mlp.c_proj.bias"
D_OUT, D_IN = 32, 96


def low(rank: int, seed: int) -> LowRank:
    random = torch.Generator().manual_seed(seed)
    b, a = (
        torch.randn(D_OUT, rank, generator=random),
        torch.randn(rank, D_IN, generator=random),
    )
    return LowRank(b, a)


def dense(seed: int) -> Dense:
    return Dense(torch.randn(D_OUT, D_IN, generator=torch.Generator().manual_seed(seed)))


def origin(editor: str, **changes) -> Provenance:
    values = {"edits": ("a → b",), "model": "f", "losses": (1.5, 0.25), "seconds": 0.1}
    return Provenance(editor, **values | changes)


CHANGES: dict[str, Callable[[int], Change]] = {
    "low": lambda seed: low(1, seed),
    "lower": lambda seed: low(3, seed),
    "dense": dense,
}


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("second", CHANGES)
def test_the_sum_changes_by_both(first: str, second: str):
    a = Update({NAME: CHANGES[first](1)}, (origin("a"),))
    b = Update({NAME: CHANGES[second](2), OTHER: dense(3)}, (origin("b"),))
    both = a + b
    assert set(both) == {NAME, OTHER}
    expected = a.changes[NAME].matrix + b.changes[NAME].matrix
    torch.testing.assert_close(both.changes[NAME].matrix, expected)
    assert both.changes[OTHER] is b.changes[OTHER]
    assert [part.editor for part in both.history] == ["a", "b"]


def test_low_rank_sums_stay_low_rank():
    both = Update({NAME: low(1, 1)}) + Update({NAME: low(3, 2)})
    change = both.changes[NAME]
    assert isinstance(change, LowRank)
    assert change.B.shape == (D_OUT, 4)
    assert change.A.shape == (4, D_IN)


def test_adding_nothing_changes_nothing():
    update = Update({NAME: low(2, 1), OTHER: dense(2)}, (origin("a"),))
    assert update + Update() == update == Update() + update
    assert Update() + Update() == Update()


def test_the_sum_acts_as_one_after_the_other(model: LanguageModel):
    layer = f"{model.mlp_out_name(1)}.weight"
    d_out, d_in = model.weight(layer).shape
    a = Update({layer: LowRank(torch.ones(d_out, 1), 0.1 * torch.ones(1, d_in))})
    b = Update({layer: Dense(torch.full((d_out, d_in), 0.3))})
    with a.applied(model), b.applied(model):
        nested = model.weight(layer).clone()
    with (a + b).applied(model):
        torch.testing.assert_close(model.weight(layer), nested)


@pytest.mark.parametrize("kind", CHANGES)
def test_norms_are_frobenius_norms(kind: str):
    change = CHANGES[kind](5)
    norms = Update({NAME: change, OTHER: dense(1)}).norms
    assert norms.keys() == {NAME, OTHER}
    assert norms[NAME] == pytest.approx(change.matrix.norm().item(), rel=1e-5)


def test_the_norm_of_what_cancels_out_is_zero():
    change = low(2, 1)
    nothing = Update({NAME: change}) + Update({NAME: LowRank(-change.B, change.A)})
    assert nothing.norms[NAME] == pytest.approx(0, abs=1e-5)


def test_the_first_failure_is_the_failure():
    fine, first, second = origin("a"), origin("b", failure="x"), origin("c", failure="y")
    assert Update({}, (fine,)).failure is None
    assert Update({}, (fine, first, second)).failure == "x"
    assert (Update({}, (fine,)) + Update({}, (second,))).failure == "y"


@pytest.mark.parametrize("kind", CHANGES)
def test_to_disk_and_back(kind: str, tmp_path: Path):
    history = (
        origin("Rome(layer=1)", edits=("Łódź → 日本", "b")),
        origin("c", losses=(math.nan, math.inf), failure="the loss is nan"),
    )
    update = Update({NAME: CHANGES[kind](1), OTHER: dense(2)}, history)
    update.save(tmp_path / "update.safetensors")
    loaded = Update.load(tmp_path / "update.safetensors")
    assert loaded == update
    assert type(loaded.changes[NAME]) is type(update.changes[NAME])
    assert loaded.history[0] == history[0]
    assert distance(loaded, update) == 0


def test_updates_differ_by_a_bit_a_name_or_their_history():
    one = Update({NAME: dense(1)}, (origin("a"),))
    assert one == Update({NAME: dense(1)}, (origin("a"),))
    nudged = dense(1).matrix.clone()
    nudged[3, 4] = torch.nextafter(nudged[3, 4], torch.tensor(9.0))
    assert one != Update({NAME: Dense(nudged)}, (origin("a"),))
    assert one != Update({OTHER: dense(1)}, (origin("a"),))
    assert one != Update({NAME: dense(1)}, (origin("b"),))
    assert Update({NAME: low(1, 1)}) != Update({NAME: Dense(low(1, 1).matrix)})
    assert one != "an update"


def test_commit_is_for_good():
    model = tiny_model("gpt2")
    before = snapshot(model)
    weight = "transformer.h.1.mlp.c_proj.weight"
    change = LowRank(torch.ones(32, 1), torch.ones(1, 128))
    Update({weight: change, BIAS: Dense(torch.full((32,), 2.0))}).commit(model)
    after = snapshot(model)
    torch.testing.assert_close(after[weight], before[weight] + change.matrix.mT)
    torch.testing.assert_close(after[BIAS], before[BIAS] + 2)
    del before[weight], before[BIAS]
    assert unchanged(model, before)


WRONG: dict[str, Update] = {
    "no such weight": Update({"model.layers.9.mlp.down_proj.weight": dense(1)}),
    "no such module": Update({"transformer.h.0.mlp.c_proj.weight": dense(1)}),
    "dense of another shape": Update({NAME: Dense(torch.zeros(D_OUT, D_IN + 1))}),
    "transposed": Update({NAME: Dense(torch.zeros(D_IN, D_OUT))}),
    "low-rank of another shape": Update({NAME: LowRank(torch.ones(9, 1), torch.ones(1, D_IN))}),
    "one right, one wrong": Update({NAME: dense(1), OTHER: Dense(torch.zeros(2, 2))}),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_update_for_another_model_is_refused_and_changes_nothing(what: str):
    model = tiny_model("llama")
    before = snapshot(model)
    for act in (WRONG[what].commit, lambda model: WRONG[what].applied(model).__enter__()):
        with pytest.raises(PitfallsError, match="was made for another model") as told:
            act(model)
        assert "\n" not in str(told.value)
        assert unchanged(model, before)


def other_tensors(file: Path) -> None:
    save_file({"weight": torch.ones(2)}, file)


def half_a_change(file: Path) -> None:
    save_file({f"{NAME}:B": torch.ones(2, 1)}, file, metadata={"pitfalls": "[]"})


def foreign_history(file: Path) -> None:
    metadata = {"pitfalls": json.dumps([{"who": "me"}])}
    save_file({f"{NAME}:dense": torch.ones(2, 2)}, file, metadata=metadata)


def unnamed_part(file: Path) -> None:
    save_file({NAME: torch.ones(2, 2)}, file, metadata={"pitfalls": "[]"})


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "missing": lambda file: None,
    "a directory": lambda file: file.mkdir(),
    "text": lambda file: file.write_text("no tensors"),
    "empty": lambda file: file.write_bytes(b""),
    "other tensors": other_tensors,
    "half a change": half_a_change,
    "foreign history": foreign_history,
    "unnamed part": unnamed_part,
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_file_is_told_in_one_line(what: str, tmp_path: Path):
    file = tmp_path / "update.safetensors"
    UNREADABLE[what](file)
    with pytest.raises(PitfallsError, match="is not an update saved by pitfalls") as told:
        Update.load(file)
    assert str(file) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_cut_file_is_told_in_one_line(tmp_path: Path):
    file = tmp_path / "update.safetensors"
    Update({NAME: dense(1)}).save(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PitfallsError, match="is not an update"):
        Update.load(file)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    with pytest.raises(PitfallsError, match="cannot write") as told:
        Update({NAME: dense(1)}).save(tmp_path / "nowhere" / "update.safetensors")
    assert "\n" not in str(told.value)


def test_an_update_goes_where_the_model_is():
    update = Update({NAME: dense(1), "other": LowRank(torch.ones(2, 1), torch.ones(1, 3))})
    there = update.to("meta")
    for change in there.changes.values():
        assert change.matrix.device.type == "meta"
    assert list(there) == list(update)
    assert update.to("cpu") == update
