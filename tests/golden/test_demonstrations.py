"""IKE against its released code: demonstrations, texts, probabilities after them."""

import json
from pathlib import Path

import pytest
from goldens import Goldens, edit_of
from more_goldens import LOGPROB, MoreGoldens

from pitfalls.editors.editor import Job
from pitfalls.editors.ike import Ike
from pitfalls.models.reading.readout import target_logprobs


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
