"""Editors beyond the paper's against their released code: losses, changes, probabilities."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from goldens import Goldens, edit_of, relative, stored
from more_goldens import FLOOR, LOGPROB, MoreGoldens

from pitfalls.editors.alpha_edit import AlphaEdit
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.emmet import Emmet
from pitfalls.editors.memit import Memit
from pitfalls.editors.memit_seq import MemitSeq
from pitfalls.editors.prune import Prune
from pitfalls.editors.r_rome import RRome
from pitfalls.editors.rect import Rect
from pitfalls.editors.ultra_edit import UltraEdit
from pitfalls.updates.update import Update


def r_rome(more: MoreGoldens, h: Any) -> Editor:
    return RRome(
        layer=h["layers"][0],
        average="none" if h["enable_prompt_keys"] else "contexts",
        value=more.goldens.search(h),
        contexts=more.contexts,
        moments=more.goldens.moments if h["mom2_adjustment"] else None,
    )


def spread(more: MoreGoldens, h: Any) -> dict[str, Any]:
    """Settings that all editors of MEMIT's kind share."""
    return {
        "layers": tuple(h["layers"]),
        "value": more.goldens.search(h),
        "contexts": more.contexts,
        "moments": more.goldens.moments,
    }


def alphaedit(more: MoreGoldens, h: Any) -> Editor:
    threshold, ridge = float(h["nullspace_threshold"]), float(h["L2"])
    return AlphaEdit(**spread(more, h), threshold=threshold, ridge=ridge)


def memit_seq(more: MoreGoldens, h: Any) -> Editor:
    return MemitSeq(**spread(more, h), moment_weight=float(h["mom2_update_weight"]))


def emmet(more: MoreGoldens, h: Any) -> Editor:
    return Emmet(
        **spread(more, h),
        moment_weight=float(h["mom2_update_weight"]),
        slack=float(h["emmet_lambda"]),
        norm_weight=float(h["update_norm_lambda"]),
    )


def memit(more: MoreGoldens, h: Any) -> Memit:
    return Memit(**spread(more, h), moment_weight=float(h["mom2_update_weight"]))


def rect(more: MoreGoldens, h: Any) -> Editor:
    return Rect(inner=memit(more, h))


MADE: dict[str, Callable[[MoreGoldens, Any], Editor]] = {
    "r_rome": r_rome,
    "alphaedit": alphaedit,
    "memit_seq": memit_seq,
    "emmet": emmet,
    "rect": rect,
}
"""Folder of an editor → the editor by one of its recorded settings."""


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", params=MADE)
def more(request: pytest.FixtureRequest, goldens: Goldens) -> MoreGoldens:
    return MoreGoldens(goldens, request.param)


def test_every_recorded_case(more: MoreGoldens) -> None:
    for case in more.recorded["cases"]:
        h = more.recorded["hparams"][case.split("/")[0]]
        more.goldens.use_golden_moments(tuple(h["layers"]))
        more.compare(MADE[more.editor](more, h), case)


def ultraedit(h: Any) -> Editor:
    """The editor by its recorded settings."""
    layers = {m: int(m.split(".h.")[1].split(".")[0]) for m in h["edit_modules"]}
    second = [m for m in layers if m.endswith(("c_proj", "fc_out"))]
    return UltraEdit(
        layers=tuple(layers[m] for m in second),
        in_layers=tuple(layers[m] for m in layers if m not in second),
        lr=float(h["lr"]),
        tokens="all" if h["token"] == "mask" else "answer",
        batch_size=h["batch_size"],
    )


def test_ultraedit(goldens: Goldens) -> None:
    """Streams of jobs, each on top of the last, whose statistics run on."""
    more = MoreGoldens(goldens, "ultraedit")
    requests = goldens.requests["requests"]
    edits = [
        edit_of({**requests[i["request"]], "target_new": {"str": i["answer"]}})
        for i in more.recorded["items"]
    ]
    for case, told in more.recorded["cases"].items():
        editor, update = ultraedit(more.recorded["hparams"][case]), Update()
        within = more.number_tolerance(case, "loss_rel_max", FLOOR)
        for step in told["steps"]:
            job = Job(tuple(edits[i] for i in step["items"]), update)
            (made,) = editor.fit(goldens.model, [job])
            losses = made.history[0].losses
            assert losses == pytest.approx(step["loss_per_batch_before_edit"], rel=within), case
            update += made
        more.compare_update(update, case)


def test_prune(goldens: Goldens) -> None:
    """The restraint on what four plain edits come to; its base is e in the released code."""
    more, case = MoreGoldens(goldens, "prune"), "a/seq"
    h = more.recorded["hparams"]["a"]
    goldens.use_golden_moments(tuple(h["layers"]))
    inner = memit(more, h)
    before = more.fit(inner, case)
    after = Prune(inner=inner, log_base=math.e).modify(goldens.model, Job(()), before)
    for name, change in after.changes.items():
        for kind, told in (("delta_before_prune", before.changes[name]), ("pruned", change)):
            key = f"{case}/{kind}/{name}"
            assert told.matrix is not None
            ours = stored(name, told.matrix, goldens.model)
            assert relative(ours, more.tensors[key]) <= more.tensor_tolerance(key), key
    read = {"eval_before_prune": before, "eval_as_in_paper": after, "eval_post": before + after}
    within = more.number_tolerance(case, "logprob_abs_max", LOGPROB)
    for kind, update in read.items():  # the released code adds to weights that hold the sum already
        for ours, golden in more.read(update, more.recorded["cases"][case][kind]):
            assert ours == pytest.approx(golden, abs=within), kind
