"""A run takes what its forecast says."""

import json
from pathlib import Path

import pytest

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.forecast import forecast
from pitfalls.cache import cache_root
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings

CASES = 2


@pytest.fixture
def experiment(tiny_folder: Path, moments: MomentSettings) -> Experiment:
    search = {
        "contexts": {"templates": ["{}", "One day. {}"]},
        "moments": {"corpus": moments.corpus},
        "value": {"steps": 2},
    }
    return Experiment(
        model=str(tiny_folder),
        editors=("ft", "rome", "memit+mle"),
        cases=CASES,
        settings={
            "ft": {"layer": 2, "steps": 2},
            "rome": {"layer": 1, **search},
            "memit": {"layers": [1, 2], **search},
        },
    )


def test_cases_and_edits_are_counted(experiment: Experiment, tmp_path: Path) -> None:
    told = {line.editor: line for line in forecast(experiment).lines}
    records = list(run(experiment, tmp_path / "run").records())
    assert told.keys() == {"(unedited)", *experiment.editors}
    for editor in experiment.editors:
        mine = [record for record in records if record.editor == editor]
        assert told[editor].cases == len(mine)
    # A fit is recorded for the last step of every state, and single edits are all there is.
    assert told["ft"].edits == sum(len(r.fits) for r in records if r.editor == "ft")
    backs = sum(len(r.case["true_objects"]) for r in records if r.editor == "memit+mle")
    assert told["memit+mle"].edits == told["memit+mle"].cases + backs


def test_no_weights_are_loaded(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("weights are loaded")

    monkeypatch.setattr(LanguageModel, "load", refuse)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", refuse)
    told = forecast(experiment)
    assert told.seconds == sum(line.seconds for line in told.lines) > 0
    assert told.memory > 0


def test_an_outline_has_shapes_and_no_weights(tiny_folder: Path) -> None:
    outline, model = LanguageModel.outline(str(tiny_folder)), LanguageModel.load(str(tiny_folder))
    assert outline.is_outline
    assert not model.is_outline
    assert outline.n_logits == model.n_logits
    assert outline.weight(f"{outline.mlp_out_name(1)}.weight").shape == (32, 96)


def test_the_machine_is_measured_once(experiment: Experiment) -> None:
    first = forecast(experiment)
    file = cache_root() / "calibration.json"
    (key, rate), *_ = json.loads(file.read_text()).items()
    file.write_text(json.dumps({key: rate / 2}))
    second = forecast(experiment)
    assert second.seconds == pytest.approx(2 * first.seconds)
    file.write_text("{ damaged")
    assert forecast(experiment).seconds > 0
    assert list(json.loads(file.read_text())) == [key]


def test_more_work_takes_longer(experiment: Experiment) -> None:
    few, many = forecast(experiment), forecast(experiment.model_copy(update={"cases": 2 * CASES}))
    for one, other in zip(few.lines, many.lines, strict=True):
        assert other.seconds > one.seconds
        assert other.tokens > one.tokens


def test_wrong_input_is_told_before_anything_is_done(experiment: Experiment) -> None:
    with pytest.raises(PitfallsError, match="editor"):
        forecast(experiment.model_copy(update={"editors": ("rom",)}))
