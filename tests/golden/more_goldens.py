"""Golden numbers of editors beyond the paper's: `more/EDITOR/MODEL.*` of the folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from goldens import Goldens, edit_of, read_json, relative, stored
from safetensors.torch import load_file
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.models.reading.readout import target_logprobs
from pitfalls.updates.update import Update

SPREAD = 4
"""Times the recorded distance from the same code in float64."""
FLOOR, LOGPROB = 1e-5, 1e-4
"""Least tolerances: relative, of tensors and losses; absolute, of log-probabilities."""


@dataclass(frozen=True)
class MoreGoldens:
    """Recorded cases of one editor on one model: chains of calls, each on top of the last."""

    goldens: Goldens
    editor: str

    def _file(self, ending: str) -> Path:
        folder = self.goldens.folder.parent / "more" / self.editor
        return folder / f"{self.goldens.folder.name}.{ending}"

    @property
    def contexts(self) -> Contexts:
        """Context templates, which some files have in groups."""
        found = self.recorded["context_templates"]
        flat = [each for one in found for each in ([one] if isinstance(one, str) else one)]
        return Contexts(templates=tuple(flat))

    @cached_property
    def recorded(self) -> Any:
        return read_json(self._file("json.gz"))

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        loaded: dict[str, Tensor] = load_file(self._file("safetensors"))
        return loaded

    @cached_property
    def deviation(self) -> Any:
        return read_json(self._file("float64_deviation.json.gz"))

    def tensor_tolerance(self, name: str) -> float:
        return max(FLOOR, SPREAD * float(self.deviation["tensors"][name]))

    def number_tolerance(self, case: str, kind: str, floor: float) -> float:
        return max(floor, SPREAD * float(self.deviation["numbers"][case][kind]))

    def fit(self, editor: Editor, case: str) -> Update:
        """The update after all calls of a case."""
        update = Update()
        requests = self.goldens.requests["requests"]
        told = self.recorded["cases"][case]
        for step in told["steps"]:
            chosen = step.get("requests", told.get("requests"))  # of one call: beside the steps
            edits = tuple(edit_of(requests[i]) for i in chosen)
            (made,) = editor.fit(self.goldens.model, [Job(edits, update)])
            update += made
        return update

    def compare(self, editor: Editor, case: str) -> None:
        """Hold losses, changes and probabilities of a case against the recorded ones."""
        update, steps = self.fit(editor, case), self.recorded["cases"][case]["steps"]
        losses = [loss for part in update.history for loss in part.losses]
        expected = [at["total"] for step in steps for curve in step["loss_curves"] for at in curve]
        within = self.number_tolerance(case, "loss_rel_max", FLOOR)
        assert losses == pytest.approx(expected, rel=within), case
        self.compare_update(update, case)

    def compare_update(self, update: Update, case: str) -> None:
        """Hold changes and probabilities after a case against the recorded ones."""
        for name, change in update.changes.items():
            key = f"{case}/delta/{name}"
            assert change.matrix is not None
            ours = stored(name, change.matrix, self.goldens.model)
            assert relative(ours, self.tensors[key]) <= self.tensor_tolerance(key), key
        within = self.number_tolerance(case, "logprob_abs_max", LOGPROB)
        for read, golden in self.read(
            update, self.recorded["cases"][case]["steps"][-1]["eval_post"]
        ):
            assert read == pytest.approx(golden, abs=within), case

    def read(self, update: Update, table: Any) -> Iterator[tuple[float, float]]:
        """Our log-probabilities and those of a recorded table, both objects and all prompts."""
        requests = self.goldens.requests["requests"]
        asked, recorded = [], []
        for told in table:
            request = requests[told["request"]]
            for kind in ("new", "true"):
                target = request[f"target_{kind}"]["str"]
                prompts = self.recorded["eval_prompts"][told["request"]]
                asked += [update.question(prompt, target) for prompt in prompts]
                recorded += told[kind]
        answers = target_logprobs(self.goldens.model, asked)
        yield from zip((answer.mean().item() for answer in answers), recorded, strict=True)
