"""A model with its editors, which carries out one chunk after the other."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from pitfalls.bench.carry_out import Unedited, carry_out
from pitfalls.bench.chunks import Task
from pitfalls.bench.experiment import Experiment
from pitfalls.editors.editor import Editor
from pitfalls.editors.names import EditorName
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.record import Record

Records: TypeAlias = Mapping[str, Sequence[Record]]
"""Data set → a record per case of a chunk, in order."""


class Workbench:
    """Everything that is loaded once and used for every chunk."""

    def __init__(self, model: LanguageModel, editors: Mapping[EditorName, Editor]) -> None:
        """Nothing is computed yet."""
        self._model: LanguageModel | None = model
        self._editors = editors
        self._unedited: dict[int, Unedited] = {}

    @property
    def model(self) -> LanguageModel:
        """The unedited model."""
        assert self._model is not None, "it was released"
        return self._model

    def carry_out(self, task: Task, *, progress: Progress = SILENT) -> Records:
        """The records of a chunk. They do not depend on what was carried out before."""
        number = task.chunk.number
        if number not in self._unedited:
            self._unedited[number] = Unedited(self.model, task.beside)
        unedited, editor = self._unedited[number], self._editors[task.chunk.editor]
        return carry_out(self.model, editor, task.chunk, unedited, progress=progress)

    def release(self) -> None:
        """Free the model's memory; nothing can be carried out afterwards."""
        self._model = None
        self._unedited.clear()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def load_model(
    experiment: Experiment, *, device: str | None = None, progress: Progress = SILENT
) -> LanguageModel:
    """The model of an experiment, on its device unless another one is named.

    Raises:
        PitfallsError: as `LanguageModel.load`.
    """
    return LanguageModel.load(
        experiment.model,
        dtype=experiment.dtype,
        device=device or experiment.device,
        prefix=experiment.prefix,
        progress=progress,
    )


def editors_of(
    experiment: Experiment, names: Sequence[EditorName], model: LanguageModel
) -> dict[EditorName, Editor]:
    """The experiment's editors with their settings for `model`.

    Raises:
        PitfallsError: settings that do not fit the model.
    """
    return {
        name: name.editor(model, experiment.settings.get(name.base), seed=experiment.seed)
        for name in names
    }
