"""The course of MEND's training: batch after batch, examined now and then, resumed where cut.

Everything that happens follows from the settings, the lessons and the number of batches seen, so a
course that was interrupted goes on as if it had not been.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pitfalls.editors.mend_checkpoint import LARGE, describe, save_networks
from pitfalls.editors.mend_network import MendNetworks
from pitfalls.editors.mend_practice import Drill, Lesson, Practice
from pitfalls.editors.mend_training import Figures, Learner, MendTraining
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress

KEY = "pitfalls-mend-training"
"""Where in the metadata of a state file everything that is no tensor is."""


@dataclass(eq=False)
class Course:
    """Lessons, the learner and how far it has come."""

    model: LanguageModel
    settings: MendTraining
    training: Sequence[Lesson]
    validation: Sequence[Lesson]
    learner: Learner
    step: int = 0
    curve: list[Figures] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    """The networks of the best validation so far."""
    _made: dict[int, Practice] = field(default_factory=dict)

    @property
    def n_batches(self) -> int:
        """Batches that the lessons fill; a rest that fills none is left out."""
        return len(self.training) // self.settings.batch_size

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for a course to be gone on with; when it ends may change."""
        lessons = repr((tuple(self.training), tuple(self.validation)))
        settings = {
            k: v for k, v in asdict(self.settings).items() if k not in ("steps", "patience")
        }
        return {
            "model": self.model.fingerprint,
            "lessons": sha256(lessons.encode("utf-8", "surrogatepass")).hexdigest(),
            **settings,
        }

    @property
    def over(self) -> bool:
        """All steps taken, or no better validation for too long."""
        merits = [figures.merit(self.settings.enough) for figures in self.curve]
        late = len(merits) - 1 - merits.index(max(merits)) if merits else 0
        return self.step >= self.settings.steps or late >= self.settings.patience

    def run(self, state: Path, *, progress: Progress) -> None:
        """Go on to the end, writing to `state` after each validation."""
        settings = self.settings
        exams = self._exams(progress)
        with progress.stage("training MEND", total=settings.steps, unit="batches") as advance:
            advance(self.step)
            while not self.over:
                end = min(self.step + settings.validate_every, settings.steps)
                said = str(self.curve[-1]) if self.curve else "not examined yet"
                with progress.stage(said, total=end - self.step, unit="batches") as also:
                    for step in range(self.step, end):
                        self.learner.practise(self._batch(step))
                        if (step + 1) % settings.accumulate == 0:
                            self.learner.step()
                        advance(1)
                        also(1)
                self.step = end
                self._examine(exams)
                save_state(state, self)

    def _examine(self, exams: Sequence[Practice]) -> None:
        figures = self.learner.validate(exams, self.step)
        enough = self.settings.enough
        if figures.merit(enough) > max((f.merit(enough) for f in self.curve), default=(-1.0, 0.0)):
            networks = self.learner.networks.state_dict()
            self.best = {name: tensor.clone() for name, tensor in networks.items()}
        self.curve.append(figures)

    def final(self, *, progress: Progress) -> tuple[MendNetworks, Figures]:
        """The best networks as they will be read back, and the figures of exactly these."""
        rounded = {
            name: tensor.half().float() if name.endswith(LARGE) else tensor
            for name, tensor in self.best.items()
        }
        self.learner.networks.load_state_dict(rounded)
        return self.learner.networks, self.learner.validate(self._exams(progress), self.step)

    def _exams(self, progress: Progress) -> list[Practice]:
        size = self.settings.batch_size
        exams = []
        with progress.stage(
            "preparing validation", total=len(self.validation), unit="lessons"
        ) as advance:
            for begin in range(0, len(self.validation), size):
                lessons = self.validation[begin : begin + size]
                exams.append(self._practice(lessons, Drill.validation))
                advance(len(lessons))
        return exams

    def _batch(self, step: int) -> Practice:
        """The batch of a step: all of them in a new order each time through."""
        turn, position = divmod(step, self.n_batches)
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + turn)
        i = int(torch.randperm(self.n_batches, generator=generator)[position])
        if i not in self._made:
            size = self.settings.batch_size
            lessons = self.training[i * size : (i + 1) * size]
            self._made[i] = self._practice(lessons, Drill.training)
        return self._made[i]

    def _practice(self, lessons: Sequence[Lesson], kind: Any) -> Practice:
        names = [weight.name for weight in self.learner.networks.weights]
        return Practice(self.model, [kind(self.model, lesson) for lesson in lessons], names)


def train_mend(
    model: LanguageModel,
    training: Sequence[Lesson],
    validation: Sequence[Lesson],
    settings: MendTraining,
    out: Path,
    *,
    progress: Progress = SILENT,
) -> Figures:
    """Train networks for `model` and write them to `out`; what was begun before goes on.

    Until it is done the state of the training stands beside `out`, its name ending in `.training`.

    Returns:
        The figures on `validation` of the networks as written.

    Raises:
        PitfallsError: settings that make no course, fewer lessons than a batch takes, a file that
            cannot be written, or one begun with other settings, lessons or another model.
    """
    if settings.validate_every % settings.accumulate:
        raise PitfallsError(
            f"validate_every is {settings.validate_every}, expected a multiple of accumulate, "
            f"{settings.accumulate}: gradients are not kept over a validation"
        )
    if len(training) < settings.batch_size or not validation:
        raise PitfallsError(
            f"{len(training)} lessons to train and {len(validation)} to validate, expected at "
            f"least {settings.batch_size} and 1: give more facts"
        )
    state = out.with_name(f"{out.name}.training")
    course = Course(model, settings, training, validation, Learner.fresh(model, settings))
    if state.exists():
        load_state(state, course)
    course.run(state, progress=progress)
    networks, figures = course.final(progress=progress)
    told = {
        "settings": asdict(settings),
        "lessons": {"training": len(training), "validation": len(validation)},
        "curve": [asdict(figures) for figures in course.curve],
        "final": asdict(figures),
    }
    save_networks(out, networks, describe(model, networks, told))
    state.unlink()
    return figures


def save_state(path: Path, course: Course) -> None:
    """Everything that goes on needs, written whole or not at all."""
    tensors = {f"networks.{k}": v for k, v in course.learner.networks.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in course.best.items()}
    for i, moments in course.learner.adam.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{key}": value for key, value in moments.items()}
    told = {
        "identity": course.identity,
        "step": course.step,
        "curve": [asdict(f) for f in course.curve],
    }
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        save_file(
            {k: v.contiguous() for k, v in tensors.items()}, temporary, {KEY: json.dumps(told)}
        )
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise PitfallsError(f"{path} cannot be written: {error}") from error


def load_state(path: Path, course: Course) -> None:
    """Bring `course` to where `save_state` left another one.

    Raises:
        PitfallsError: not a state, or one of another course; the first difference is named.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})[KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise PitfallsError(f"{path} is no state of a training: {error}; delete it") from error
    for key, value in course.identity.items():
        if (before := told["identity"].get(key)) != value:
            raise PitfallsError(
                f"{path} was begun with {key} = {before}, now it is {value}: "
                "go on with the former, or delete the file to begin anew"
            )
    course.step = told["step"]
    course.curve = [Figures(**figures) for figures in told["curve"]]
    course.learner.networks.load_state_dict(_part(tensors, "networks."))
    course.best = _part(tensors, "best.")
    adam = course.learner.adam.state_dict()
    adam["state"] = {}
    for name, tensor in _part(tensors, "adam.").items():
        number, _, key = name.partition(".")
        adam["state"].setdefault(int(number), {})[key] = tensor
    course.learner.adam.load_state_dict(adam)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
