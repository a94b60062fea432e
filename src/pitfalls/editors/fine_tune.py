"""FT: gradient descent on one matrix, with or without a bound on how far it may move."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from pitfalls.editors.about import DENSE, NOTHING, About
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.matrix_descent import Training, prompt_and_target, prompt_length
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.passes import many_passes
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count, Index, NonNegative, Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class FineTune(Editor):
    """Fine-tuning of one layer's second MLP matrix and its bias, as the authors' code does it.

    The objective is the mean log-probability of all the target's tokens *at the last token of the
    prompt*: a bag of tokens, not a text. Choose it as a baseline; it needs no statistics.
    """

    about: ClassVar[About] = About(
        stores=DENSE, needs=NOTHING, paper="Zhu et al. 2020, arXiv:2012.00363"
    )
    layer: Index
    """The layer that is trained."""
    steps: Count = 25
    """Passes over a job's edits at most."""
    lr: Positive = 5e-4
    """Learning rate of Adam."""
    norm: Positive | None = None
    """No weight may move further than this from where it was (L∞); None bounds nothing."""
    weight_decay: NonNegative = 0.0
    """The weight times this is added to its gradient."""
    batch_size: Count = 64
    """Edits of one job in one step."""
    stop_loss: NonNegative = 0.01
    """A batch below this is left alone; training ends once a pass is below it on average."""
    token_budget: Count = 768
    """The most padded tokens in one forward pass, as far as it takes several jobs."""
    memory_budget: Count = 1 << 30
    """Bytes that the changes of the jobs trained side by side may take, Adam's state included."""

    def check(self, model: LanguageModel) -> None:
        """Refuse a layer that is not there."""
        model.mlp_out_name(self.layer)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """All steps on the prompts, forwards and backwards from the layer on."""
        tokens = sum(len(prompt_and_target(model, edit)[0]) for edit in edits)
        above = model.n_layers - self.layer
        once = Cost(tokens * model.n_layers)
        return once + Cost(2 * tokens * above, 2 * len(edits)) * self.steps

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """A dense change of the matrix, and of the bias if there is one, per job."""
        name = model.mlp_out_name(self.layer)
        updates = [Update() for _ in jobs]
        n_jobs = sum(bool(job.edits) for job in jobs)
        with progress.stage(f"FT, layer {self.layer}", total=n_jobs, unit="edits") as advance:
            for part in self._parts(model, name, jobs):
                fitted = run_split_on_oom(
                    lambda some: self._train(model, name, some), [jobs[i] for i in part]
                )
                for i, update in zip(part, fitted, strict=True):
                    updates[i] = update
                advance(len(part))
        return updates

    def _parts(self, model: LanguageModel, name: str, jobs: Sequence[Job]) -> Iterator[list[int]]:
        """Jobs of equally many edits and similar length, as many as the memory budget allows."""
        per_job = 5 * 4 * model.weight(f"{name}.weight").numel()  # change, gradient, Adam, scratch
        room = max(1, self.memory_budget // per_job)
        for count in sorted({len(job.edits) for job in jobs} - {0}):
            alike = [i for i, job in enumerate(jobs) if len(job.edits) == count]
            sizes = [(count, prompt_length(model, jobs[i])) for i in alike]
            for part in batches_within(sizes, self.token_budget):
                for begin in range(0, len(part), room):
                    yield [alike[i] for i in part[begin : begin + room]]

    def _train(self, model: LanguageModel, name: str, jobs: Sequence[Job]) -> list[Update]:
        begin = time.perf_counter()
        training = Training(
            model, name, jobs, layer=self.layer, lr=self.lr, batch_size=self.batch_size
        )
        with many_passes(model, layer=self.layer):
            for _ in range(self.steps):
                if not training.epoch(
                    bound=self.norm, weight_decay=self.weight_decay, stop_loss=self.stop_loss
                ):
                    break
        return training.updates(self, (time.perf_counter() - begin) / len(jobs))
