"""Readings of text: asked for by a plan, stored, read back, resumed, and refused without reader."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from own_kinds import SPOKEN, TOLD, WORDS, singles

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.readers import READERS, Asked
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.kinds.table import KINDS
from pitfalls.errors import PitfallsError
from pitfalls.metrics.scores import score
from pitfalls.metrics.table import METRICS
from pitfalls.models.language_model import LanguageModel
from pitfalls.records.observation import observe_run
from pitfalls.records.record import Reading
from pitfalls.vocabulary import KIND_WORDS


def read_text(model: LanguageModel, asked: Sequence[Asked]) -> list[Reading]:
    """The name of the state and the prompt: a stand-in for what a model would write."""
    del model
    return [
        Reading(
            one.state,
            one.probe.name,
            one.probe.target,
            texts=tuple(f"{one.state}: {prompt}" for prompt in one.probe.prompts),
        )
        for one in asked
    ]


@pytest.fixture
def experiment(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setitem(KINDS, "spoken", SPOKEN)
    monkeypatch.setitem(KIND_WORDS, "spoken", WORDS["spoken"])
    monkeypatch.setitem(METRICS, "told", TOLD)
    write_cases(tmp_path / "spoken.jsonl", singles(4, "spoken"))
    return Experiment(
        model=str(tiny_folder),
        editors=("ft",),
        data=(str(tmp_path / "spoken.jsonl"),),
        chunk=2,
        settings={"ft": {"layer": 2, "steps": 2, "lr": 5e-3}},
    )


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "text", read_text)


@pytest.mark.usefixtures("reader")
def test_texts_stand_beside_probabilities(experiment: Experiment, tmp_path: Path) -> None:
    directory = run(experiment, tmp_path / "run")
    for record in directory.records():
        assert record.failure is None
        order = [(one.state, one.probe) for one in record.readings]
        assert order == [(s, p) for s in ("start", "edited") for p in ("said", "answer")]
        for one in record.readings:
            assert bool(one.texts) == (one.probe == "answer") != bool(one.logprobs)
    for case in observe_run(directory):
        assert case.failure is None
        assert case.has("edited", "answer") and case.has("edited", "said")
        assert case.text("edited", "answer")[0].startswith("edited: ")
        assert ("edited", "answer") not in case.probabilities
        assert case.tokens.keys() == {"said"}


@pytest.mark.usefixtures("reader")
def test_a_metric_scores_texts(experiment: Experiment, tmp_path: Path) -> None:
    (one,) = score(observe_run(run(experiment, tmp_path / "run")))
    assert (one.metric, one.n, one.value) == ("told", 4, 1.0)


@pytest.mark.usefixtures("reader")
def test_a_run_with_texts_is_resumed(experiment: Experiment, tmp_path: Path) -> None:
    whole = run(experiment, tmp_path / "run")
    before = {part: whole.table(part).drop_columns("seconds") for part in whole.parts()}
    assert len(before) == 2
    (whole.path / "records" / f"{whole.parts()[1]}.parquet").unlink()
    again = run(experiment, whole.path)
    assert all(again.table(part).drop_columns("seconds").equals(before[part]) for part in before)


def test_a_text_that_nothing_reads_is_refused_before_the_run(
    experiment: Experiment, tmp_path: Path
) -> None:
    with pytest.raises(PitfallsError, match="probe answer asks for a text reading") as told:
        run(experiment, tmp_path / "run")
    assert "\n" not in str(told.value) and not (tmp_path / "run").exists()
