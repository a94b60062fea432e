"""The outfit that a worker starts with, and its answers."""

import os
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from pitfalls.bench.chunks import Task
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.workbench import Records, Workbench, editors_of, load_model
from pitfalls.editors.names import EditorName
from pitfalls.errors import PitfallsError
from pitfalls.records.header import RunHeader


@dataclass(frozen=True, slots=True)
class Outfit:
    """Everything that a process needs to become a worker of a run."""

    experiment: Experiment
    """With its editors named."""
    header: RunHeader
    """The run's, whose model and contexts must be the worker's too."""
    device: str
    threads: int
    """CPU threads of torch."""
    folder: str
    """Folder that relative paths of the experiment start from."""

    def open(self) -> Workbench:
        """Load the model and make the editors, in the worker's process.

        Raises:
            PitfallsError: the model cannot be loaded, or is not the one of the run.
        """
        torch.set_num_threads(self.threads)
        with suppress(OSError):  # another machine may not have it, and absolute paths do not care
            os.chdir(self.folder)
        model = load_model(self.experiment, device=self.device)
        if model.fingerprint != self.header.model.fingerprint:
            raise PitfallsError(
                f"a worker's {self.experiment.model} has other weights than the run's: "
                "give every machine the same files"
            )
        names = [EditorName.parse(name) for name in self.experiment.editors or ()]
        editors = editors_of(self.experiment, names, model)
        contexts = {str(name): each.templates(model) for name, each in editors.items()}
        if contexts != self.header.contexts:
            raise PitfallsError(
                "a worker samples other context templates than the run: use machines of one kind, "
                "or give the templates, as --set rome.contexts.templates=[…]"
            )
        return Workbench(model, editors)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A user's mistake that a worker found, in one line."""

    told: str


@dataclass(frozen=True, slots=True)
class Bug:
    """The traceback of any other error."""

    traceback: str


Answer: TypeAlias = Records | Mistake | Bug
"""Result of a chunk."""


class Servant:
    """The worker's side: carries out what it is sent, and never raises."""

    def __init__(self, outfit: Outfit) -> None:
        """Nothing is loaded before the first chunk."""
        self._outfit = outfit
        self._bench: Workbench | None = None

    def do(self, task: Task) -> Answer:
        """Carry out a chunk; errors are answers too."""
        try:
            if self._bench is None:
                self._bench = self._outfit.open()
            return self._bench.carry_out(task)
        except PitfallsError as error:
            return Mistake(str(error))
        except Exception:
            return Bug(traceback.format_exc())


def outfit_of(experiment: Experiment, header: RunHeader) -> Outfit:
    """For a worker like this process: its device, threads and folder."""
    threads, folder = torch.get_num_threads(), str(Path.cwd())
    return Outfit(experiment, header, experiment.device, threads, folder)
