"""Golden numbers of editors beyond the paper's: `more/EDITOR/MODEL.*` of the folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from goldens import Goldens, edit_of, read_json
from safetensors.torch import load_file
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
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
        for step in self.recorded["cases"][case]["steps"]:
            edits = tuple(edit_of(requests[i]) for i in step["requests"])
            (made,) = editor.fit(self.goldens.model, [Job(edits, update)])
            update += made
        return update

    def read(self, update: Update, case: str) -> Iterator[tuple[float, float]]:
        """Our and the recorded log-probabilities after a case, both objects and all prompts."""
        requests = self.goldens.requests["requests"]
        asked, recorded = [], []
        for told in self.recorded["cases"][case]["steps"][-1]["eval_post"]:
            request = requests[told["request"]]
            for kind in ("new", "true"):
                target = request[f"target_{kind}"]["str"]
                prompts = self.recorded["eval_prompts"][told["request"]]
                asked += [update.question(prompt, target) for prompt in prompts]
                recorded += told[kind]
        answers = target_logprobs(self.goldens.model, asked)
        yield from zip((answer.mean().item() for answer in answers), recorded, strict=True)
