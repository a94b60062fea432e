"""The networks that come along: for the packaged model, small, and as good as their card says."""

import re
from importlib import resources
from pathlib import Path

import pytest

from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import subjects_of
from pitfalls.editors.editor import Job
from pitfalls.editors.mend.checkpoint import read_description
from pitfalls.editors.table import editor_for
from pitfalls.graph.starter import starter_graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.sources.packaged import packaged_models
from pitfalls.vocabulary import DATASETS

FOLDER = Path(str(resources.files("pitfalls.data") / "mend"))
CHECKPOINTS = sorted(FOLDER.glob("*.safetensors"))
LARGEST = 8 * 2**20

each_checkpoint = pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.stem)


def test_the_packaged_default_model_has_networks():
    assert "smollm2-135m" in {path.stem for path in CHECKPOINTS}


@each_checkpoint
def test_it_is_small_and_named_after_its_model(path: Path):
    assert path.stat().st_size <= LARGEST
    assert path.stem == read_description(path).model
    assert path.stem in packaged_models()


@each_checkpoint
def test_its_card_states_what_the_file_states(path: Path):
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    final = read_description(path).training["final"]
    for label, key in (("Success", "success"), ("Paraphrased", "success_paraphrase")):
        (said,) = re.findall(rf"\| {label}[^|]*\| ([0-9.]+) \|", card)
        assert float(said) == pytest.approx(final[key], abs=5e-4)
    assert f"{path.stat().st_size / 2**20:.1f} MiB" in card
    assert final["success"] >= 0.9 or "below" in card


@pytest.mark.real
def test_most_starter_cases_are_edited():
    """Subjects that training has kept away from, each edited by itself."""
    model = LanguageModel.load("smollm2-135m")
    cases = [case for name in DATASETS for case in load_cases(name, 6)]
    assert subjects_of(cases) <= {node.entity.id for node in starter_graph().nodes.values()}
    jobs = [Job((case.first,)) for case in cases]
    updates = editor_for("mend", model).fit(model, jobs)
    questions = [
        Question(case.first.relation.prompt.format(case.first.subject.label), label, change)
        for case, update in zip(cases, updates, strict=True)
        for label in (case.first.new_object.label, case.first.before.object.label)
        for change in [update.changes]
    ]
    means = [answer.mean().item() for answer in target_logprobs(model, questions)]
    won = [new > old for new, old in zip(means[::2], means[1::2], strict=True)]
    assert sum(won) >= 0.9 * len(won)
