"""Editors beyond the paper's against their released code: losses, changes, probabilities."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from goldens import Goldens
from more_goldens import MoreGoldens

from pitfalls.editors.alpha_edit import AlphaEdit
from pitfalls.editors.editor import Editor
from pitfalls.editors.emmet import Emmet
from pitfalls.editors.memit_seq import MemitSeq
from pitfalls.editors.r_rome import RRome


def r_rome(more: MoreGoldens, h: Any) -> Editor:
    return RRome(
        layer=h["layers"][0],
        average="none" if h["enable_prompt_keys"] else "contexts",
        value=more.goldens.search(h),
        contexts=more.contexts,
        moments=more.goldens.moments if h["mom2_adjustment"] else None,
    )


def alphaedit(more: MoreGoldens, h: Any) -> Editor:
    return AlphaEdit(
        layers=tuple(h["layers"]),
        value=more.goldens.search(h),
        contexts=more.contexts,
        moments=more.goldens.moments,
        threshold=float(h["nullspace_threshold"]),
        ridge=float(h["L2"]),
    )


def memit_seq(more: MoreGoldens, h: Any) -> Editor:
    return MemitSeq(
        layers=tuple(h["layers"]),
        value=more.goldens.search(h),
        contexts=more.contexts,
        moments=more.goldens.moments,
        moment_weight=float(h["mom2_update_weight"]),
    )


def emmet(more: MoreGoldens, h: Any) -> Editor:
    return Emmet(
        layers=tuple(h["layers"]),
        value=more.goldens.search(h),
        contexts=more.contexts,
        moments=more.goldens.moments,
        moment_weight=float(h["mom2_update_weight"]),
        slack=float(h["emmet_lambda"]),
        norm_weight=float(h["update_norm_lambda"]),
    )


MADE: dict[str, Callable[[MoreGoldens, Any], Editor]] = {
    "r_rome": r_rome,
    "alphaedit": alphaedit,
    "memit_seq": memit_seq,
    "emmet": emmet,
}
"""Folder of an editor → the editor by one of its recorded settings."""


@pytest.fixture(scope="module", params=MADE)
def more(
    request: pytest.FixtureRequest, golden_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> MoreGoldens:
    goldens = Goldens(golden_model, tmp_path_factory.mktemp("corpus"))
    return MoreGoldens(goldens, request.param)


def test_every_recorded_case(more: MoreGoldens) -> None:
    for case in more.recorded["cases"]:
        h = more.recorded["hparams"][case.split("/")[0]]
        more.goldens.use_golden_moments(tuple(h["layers"]))
        more.compare(MADE[more.editor](more, h), case)
