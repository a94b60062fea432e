"""Gradient descent on one matrix for many jobs at once, each with a change of its own."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pitfalls.editors.adam import Adam
from pitfalls.editors.editor import Editor, Job
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.passes import TextPass, logits_at, text_pass
from pitfalls.models.running.patches import row_patches
from pitfalls.models.tokens import Split, tokenize_target
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Changes, Dense
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


def prompt_and_target(model: LanguageModel, edit: Edit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Token ids of what the objective reads and of what it asks for."""
    prompt = edit.relation.prompt.format(edit.subject.label)
    return tokenize_target(model.tokenizer, prompt, edit.new_object.label)


def prompt_length(model: LanguageModel, job: Job) -> int:
    """Tokens in the longest prompt of a job."""
    return max(len(prompt_and_target(model, edit)[0]) for edit in job.edits)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """The n-th mini-batch of every job: rows sorted by job, as many for each."""

    texts: TextPass
    patches: list[Changes]
    last: Int[Tensor, " rows"]
    """Column of the prompt's last token."""
    label_row: Int[Tensor, " labels"]
    label: Int[Tensor, " labels"]
    weight: Float[Tensor, " labels"]
    """Weight of each target token in its job's mean."""
    edits: int
    """Number of edits of each job."""


@dataclass(slots=True, eq=False)
class _Run:
    """A job, and what has come of it."""

    job: Job
    losses: list[float] = field(default_factory=list)
    failure: str | None = None
    changes: Changes = field(default_factory=dict)
    """Once the job has ended."""


class Training:
    """Jobs of equally many edits under way; those that have ended leave when they are half of all.

    Row j of every change is what job j adds to the layer's weights, on top of what its base update
    has added already.
    """

    def __init__(
        self,
        model: LanguageModel,
        name: str,
        jobs: Sequence[Job],
        *,
        layer: int,
        lr: float,
        batch_size: int,
    ) -> None:
        """Run once what training cannot change: everything below `layer`."""
        self.model, self.name = model, name
        self.layer, self.batch_size = layer, batch_size
        self.module = model.network.get_submodule(name)
        self.runs = [_Run(job) for job in jobs]
        self.going = list(self.runs)
        self.changes = {
            part: torch.zeros(len(jobs), *model.weight(f"{name}.{part}").shape, device=model.device)
            for part, _ in self.module.named_parameters()
        }
        self.adams = {part: Adam.like(change, lr=lr) for part, change in self.changes.items()}
        self.batches = self._batches()
        self.running = torch.ones(len(jobs), dtype=torch.bool)

    def _batches(self) -> list[_Batch]:
        n_edits = len(self.going[0].job.edits)
        return [
            self._batch(slice(begin, begin + self.batch_size))
            for begin in range(0, n_edits, self.batch_size)
        ]

    def _batch(self, which: slice) -> _Batch:
        rows = [(run.job, edit) for run in self.going for edit in run.job.edits[which]]
        pairs = [prompt_and_target(self.model, edit) for _, edit in rows]
        # The authors' code takes the unknown token for padding and leaves it out.
        unknown = self.model.tokenizer.unk_token_id
        targets = [[t for t in target if t != unknown] for _, target in pairs]
        edits = len(rows) // len(self.going)
        flat = [
            (i, t, 1 / (edits * len(target))) for i, target in enumerate(targets) for t in target
        ]
        patches = [job.base.only_changes for job, _ in rows]
        with row_patches(self.model.network, patches):
            batch = self.model.batch([Split((), prompt) for prompt, _ in pairs])
            texts = text_pass(self.model, batch, layer=self.layer)
        device = self.model.device
        return _Batch(
            texts=texts,
            patches=patches,
            last=texts.offset + batch.lengths - 1,
            label_row=uploaded([i for i, _, _ in flat], device, dtype=torch.long),
            label=uploaded([t for _, t, _ in flat], device, dtype=torch.long),
            weight=uploaded([w for _, _, w in flat], device, dtype=torch.float32),
            edits=edits,
        )

    def epoch(self, *, bound: float | None, weight_decay: float, stop_loss: float) -> bool:
        """One pass over every job's edits; False once no job goes on."""
        total = torch.zeros(len(self.going))
        for batch in self.batches:
            for change in self.changes.values():
                change.requires_grad_()
            loss = self._loss(batch)
            values = loss.detach().cpu()
            self._note(values)
            moving = (self.running & (values >= stop_loss)).nonzero()[:, 0].tolist()
            if moving:
                self._move(loss, moving, bound, weight_decay)
            total += values * batch.edits
        self.running &= total / sum(batch.edits for batch in self.batches) >= stop_loss
        if 2 * self.running.sum() <= len(self.going):
            self._shrink()
        return bool(self.going)

    def _loss(self, batch: _Batch) -> Float[Tensor, " jobs"]:
        with row_patches(self.model.network, batch.patches), self._added():
            hidden = batch.texts.hidden()
        rows = torch.arange(len(hidden), device=hidden.device)
        logprobs = logits_at(self.model, hidden, rows, batch.last).log_softmax(-1)
        chosen = logprobs[batch.label_row, batch.label] * batch.weight
        zeros = torch.zeros(len(self.going), device=hidden.device)
        return -zeros.index_add(0, batch.label_row // batch.edits, chosen)

    @contextmanager
    def _added(self) -> Iterator[None]:
        """Inside the block the layer gives each job's rows what its change adds."""

        def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            d_in = inputs[0].shape[-1]
            x = inputs[0].float().reshape(len(self.going), -1, d_in)  # a job's rows and tokens
            extra = x @ self.changes["weight"].mT.to(x.device)
            if "bias" in self.changes:
                extra = extra + self.changes["bias"][:, None].to(x.device)
            return output + extra.reshape(output.shape).to(output.dtype)

        handle = self.module.register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()

    def _note(self, losses: Float[Tensor, " jobs"]) -> None:
        for i in self.running.nonzero()[:, 0].tolist():
            run, value = self.going[i], losses[i].item()
            run.losses.append(value)
            if not math.isfinite(value):
                run.failure = f"the fine-tuning loss is {value} at step {len(run.losses)}"
                self.running[i] = False

    def _shrink(self) -> None:
        """Take out what has ended, and go on with the rest alone."""
        self._keep_changes(~self.running)
        left = uploaded(self.running.nonzero()[:, 0], self.model.device)
        self.going = [
            run for run, goes in zip(self.going, self.running.tolist(), strict=True) if goes
        ]
        self.changes = {part: change.detach()[left] for part, change in self.changes.items()}
        for optimiser in self.adams.values():
            optimiser.keep(left)
        self.running = self.running[self.running]
        self.batches = self._batches() if self.going else []

    def _keep_changes(self, which: Bool[Tensor, " jobs"]) -> None:
        for i in which.nonzero()[:, 0].tolist():
            self.going[i].changes = {
                f"{self.name}.{part}": Dense(change[i].detach().clone())
                for part, change in self.changes.items()
            }

    def _move(
        self,
        loss: Float[Tensor, " jobs"],
        moving: Sequence[int],
        bound: float | None,
        decay: float,
    ) -> None:
        """One step of Adam for the jobs that are `moving`, and back inside the box."""
        chosen = loss[uploaded(moving, loss.device)]
        gradients = torch.autograd.grad(chosen.sum(), list(self.changes.values()))
        for (part, change), gradient in zip(self.changes.items(), gradients, strict=True):
            change = self.changes[part] = change.detach()
            if decay:
                gradient = gradient + decay * (self._weights(part) + change)
            self.adams[part].step(change, gradient, moving)
            if bound is not None:
                change.clamp_(-bound, bound)

    def _weights(self, part: str) -> Float[Tensor, "jobs ..."]:
        """Weights of each job's layer before training."""
        name = f"{self.name}.{part}"
        weight = self.model.weight(name).float()
        changes = (run.job.base.changes.get(name) for run in self.going)
        bases = [None if change is None else change.matrix for change in changes]
        there = [None if base is None else base.to(weight.device) for base in bases]
        return torch.stack([weight if base is None else weight + base for base in there])

    def updates(self, editor: Editor, seconds: float) -> list[Update]:
        """Outcome of each job."""
        self._keep_changes(torch.ones(len(self.going), dtype=torch.bool))
        return [
            Update.fitted(
                run.changes,
                Provenance.of(
                    editor,
                    run.job.edits,
                    self.model,
                    losses=run.losses,
                    seconds=seconds,
                    failure=run.failure,
                ),
            )
            for run in self.runs
        ]
