"""The course of MEND's training: batch after batch, examined now and then, resumed where cut.

Everything that happens follows from the settings, the lessons and the number of batches seen, so a
course that was interrupted goes on as if it had not been.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pitfalls.editors.mend.checkpoint import LARGE, describe, save_networks
from pitfalls.editors.mend.networks import MendNetworks
from pitfalls.editors.mend.practice import Drill, Lesson, Practice
from pitfalls.editors.mend.state import State, learner_tensors, restore_learner
from pitfalls.editors.mend.training import Figures, Learner, MendTraining
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress


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
        """Settings that a resumed course must share; when it ends may change."""
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
    def state(self) -> State:
        """How far it has come."""
        learned = learner_tensors(self.learner)
        return State(self.identity, self.step, tuple(self.curve), self.best, learned)

    def restore(self, state: State) -> None:
        """Go back, or on, to `state`."""
        self.step, self.curve, self.best = state.step, list(state.curve), dict(state.best)
        restore_learner(self.learner, state.learner)

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
                self.state.save(state)

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
        PitfallsError: fewer lessons than a batch takes, a file that
            cannot be written, or one begun with other settings, lessons or another model.
    """
    if len(training) < settings.batch_size or not validation:
        raise PitfallsError(
            f"{len(training)} lessons to train and {len(validation)} to validate, expected at "
            f"least {settings.batch_size} and 1: give more facts"
        )
    state = out.with_name(f"{out.name}.training")
    course = Course(model, settings, training, validation, Learner.fresh(model, settings))
    if state.exists():
        course.restore(State.load(state, course.identity))
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
