"""Updates that are more than changes of weights: tensors for later fits, text before prompts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from table import TEMPLATES, tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.spreading import Batch, SpreadingEditor
from pitfalls.editors.insertion.value_search import ValueSearch
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.weights.changes import LowRank
from pitfalls.testing import EDITS, FAMILY_KINDS, check_editor, tiny_model
from pitfalls.updates.carried import Columns, Latest
from pitfalls.updates.context import Retrieved, Told
from pitfalls.updates.export import save_merged
from pitfalls.updates.lora import Adapter
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])


@dataclass(frozen=True, kw_only=True)
class Remembering(SpreadingEditor):
    """Ridge regression that holds on to the keys of all edits before: a toy with state."""

    title: ClassVar[str] = "Remembering"

    def solve(self, model: LanguageModel, layer: int, K: Any, R: Any, base: Update) -> LowRank:
        gram = K @ K.mT + 0.1 * torch.eye(len(K))
        if (earlier := base.carried.get(f"keys {layer}")) is not None:
            gram = gram + earlier.tensor @ earlier.tensor.mT
        return LowRank(B=R, A=torch.linalg.solve(gram, K).mT)

    def finish(self, batch: Batch, updates: Sequence[Update]) -> list[Update]:
        on = [job.base + update for job, update in zip(batch.jobs, updates, strict=True)]
        keys = {layer: self.keys(batch, on, layer)[0] for layer in self.layers}
        return [
            replace(
                update,
                carried={
                    f"keys {layer}": Columns(k[rows].mT.contiguous()) for layer, k in keys.items()
                },
            )
            if (rows := batch.rows(i))
            else update
            for i, update in enumerate(updates)
        ]


@pytest.fixture
def remembering(moments: MomentSettings) -> Remembering:
    return Remembering(
        layers=(1, 2),
        value=ValueSearch(steps=12, weight_decay=1e-3, clamp=4.0),
        contexts=Contexts(templates=TEMPLATES),
        moments=moments,
    )


BEFORE = Update(context=Retrieved((Told("Ada", "Ada was born in Rome.\n"),)))


@pytest.mark.families(FAMILY_KINDS[1:3])
def test_an_editor_with_state_keeps_the_laws(
    model: LanguageModel, remembering: Remembering
) -> None:
    check_editor(remembering, model)


def test_state_grows_and_has_a_part_in_later_fits(
    model: LanguageModel, remembering: Remembering
) -> None:
    (first,) = remembering.fit(model, [Job(EDITS[:2])])
    (second,) = remembering.fit(model, [Job(EDITS[2:], first)])
    (forgetful,) = remembering.fit(model, [Job(EDITS[2:], replace(first, carried={}))])
    assert (first + second).carried["keys 1"].tensor.shape[1] == 3
    name = next(iter(second.changes))
    apart = second.changes[name].matrix - forgetful.changes[name].matrix
    assert apart.norm() > 1e-3 * second.changes[name].norm


def test_columns_join_and_the_latest_wins() -> None:
    one, two = torch.eye(3)[:, :1], torch.ones(3, 2)
    joined = Update(carried={"k": Columns(one), "n": Latest(one)}) + Update(
        carried={"k": Columns(two), "n": Latest(two), "new": Latest(one)}
    )
    assert torch.equal(joined.carried["k"].tensor, torch.cat([one, two], 1))
    assert torch.equal(joined.carried["n"].tensor, two)
    assert torch.equal(joined.carried["new"].tensor, one)
    with pytest.raises(PitfallsError, match="columns of 3 and 4 numbers"):
        Columns(one).plus(Columns(torch.ones(4, 1)))


def test_all_of_it_is_saved(tmp_path: Path) -> None:
    update = replace(BEFORE, carried={"k": Columns(torch.ones(3, 2)), "n": Latest(torch.ones(2))})
    update.save(tmp_path / "update.safetensors")
    assert Update.load(tmp_path / "update.safetensors") == update
    assert update != replace(update, context=None)
    assert update != replace(update, carried={})


def test_text_comes_before_the_prompt() -> None:
    both = Update() + BEFORE + Update()
    assert both.asked("Ada is") == "Ada was born in Rome.\nAda is"
    assert Update().asked("Ada is") == "Ada is"


def test_text_is_in_no_weights(moments: MomentSettings, tmp_path: Path) -> None:
    model = tiny_model("gpt2")
    with pytest.raises(PitfallsError, match="puts text in front of prompts"):
        BEFORE.commit(model)
    with pytest.raises(PitfallsError, match="puts text in front of prompts"):
        save_merged(model, BEFORE, tmp_path / "merged")
    with pytest.raises(PitfallsError, match="puts text in front of prompts"):
        Adapter.of(BEFORE)
    for name in ("rome", "memit", "ft", "mend"):
        with pytest.raises(PitfallsError, match="edits of weights first"):
            tiny_editor(name, model, moments).fit(model, [Job(EDITS[:1], BEFORE)])
