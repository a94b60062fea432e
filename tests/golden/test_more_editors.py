"""Editors beyond the paper's against their released code: losses, changes, probabilities."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from goldens import Goldens, edit_of
from more_goldens import LOGPROB, MoreGoldens

from pitfalls.editors.alpha_edit import AlphaEdit
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.ike import Ike
from pitfalls.editors.memit_seq import MemitSeq
from pitfalls.editors.r_rome import RRome
from pitfalls.models.reading.readout import target_logprobs


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


MADE: dict[str, Callable[[MoreGoldens, Any], Editor]] = {
    "r_rome": r_rome,
    "alphaedit": alphaedit,
    "memit_seq": memit_seq,
}
"""Folder of an editor → the editor by one of its recorded settings."""


@pytest.fixture(scope="module")
def ike(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> MoreGoldens:
    return MoreGoldens(Goldens(golden_model, tmp_path_factory.mktemp("corpus")), "ike")


def test_demonstrations_are_chosen_and_read_alike(ike: MoreGoldens, tmp_path: Path) -> None:
    model, source = ike.goldens.model, tmp_path / "train.jsonl"
    fields = {"prompt": "prompt", "target_new": "target", "rephrase_prompt": "paraphrase"}
    fields |= {"locality_prompt": "neighbour", "locality_ground_truth": "neighbour_answer"}
    told = ({fields[key]: value for key, value in row.items()} for row in ike.recorded["train"])
    source.write_text("".join(json.dumps(row) + "\n" for row in told), "utf-8")
    for case, recorded in ike.recorded["cases"].items():
        h = ike.recorded["hparams"][case.split("/")[0]]
        request = ike.goldens.requests["requests"][int(case.rpartition("req")[2])]
        editor = Ike(demonstrations=h["k"], source=str(source))
        (update,) = editor.fit(model, [Job((edit_of(request),))])
        shown = [one for one in recorded["prompts"] if not one.get("too_long")]
        assert [update.asked(one["prompt"]) for one in shown] == [one["context"] for one in shown]
        asked = [
            update.question(one["prompt"], request[f"target_{kind}"]["str"])
            for one in shown
            for kind in ("new", "true")
        ]
        answers = iter(target_logprobs(model, asked))
        for one in shown:
            for kind in ("new", "true"):
                assert next(answers).mean().item() == pytest.approx(one[kind], abs=LOGPROB), case


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
