"""r-ROME and p-ROME against what the released code computes: losses, changes, probabilities."""

from pathlib import Path
from typing import Any

import pytest
from goldens import Goldens, relative, stored
from more_goldens import FLOOR, LOGPROB, MoreGoldens

from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.r_rome import RRome


@pytest.fixture(scope="module")
def more(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> MoreGoldens:
    return MoreGoldens(Goldens(golden_model, tmp_path_factory.mktemp("corpus")), "r_rome")


def editor(more: MoreGoldens, config: str) -> RRome:
    h: Any = more.recorded["hparams"][config]
    (layer,) = h["layers"]
    if h["mom2_adjustment"]:
        more.goldens.use_golden_moments((layer,))
    return RRome(
        layer=layer,
        average="none" if h["enable_prompt_keys"] else "contexts",
        value=more.goldens.search(h),
        contexts=Contexts(templates=tuple(more.recorded["context_templates"])),
        moments=more.goldens.moments if h["mom2_adjustment"] else None,
    )


def test_every_recorded_case(more: MoreGoldens) -> None:
    for case, recorded in more.recorded["cases"].items():
        update = more.fit(editor(more, case.split("/")[0]), case)
        losses = [loss for part in update.history for loss in part.losses]
        curves = [curve for step in recorded["steps"] for curve in step["loss_curves"]]
        expected = [step["total"] for curve in curves for step in curve]
        within = more.number_tolerance(case, "loss_rel_max", FLOOR)
        assert losses == pytest.approx(expected, rel=within), case
        for name, change in update.changes.items():
            key = f"{case}/delta/{name}"
            assert change.matrix is not None
            ours = stored(name, change.matrix, more.goldens.model)
            assert relative(ours, more.tensors[key]) <= more.tensor_tolerance(key), case
        within = more.number_tolerance(case, "logprob_abs_max", LOGPROB)
        for ours_read, theirs in more.read(update, case):
            assert ours_read == pytest.approx(theirs, abs=within), case
