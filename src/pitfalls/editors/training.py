"""Gradient descent on one matrix for many jobs at once, each with a change of its own."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pitfalls.editors.adam import Adam
from pitfalls.editors.editor import Job
from pitfalls.editors.update import Provenance, Update
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.passes import TailReplay
from pitfalls.models.patches import Changes, Dense, row_patches
from pitfalls.models.tokens import Split, tokenize_target


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """The n-th mini-batch of every job: rows sorted by job, as many for each."""

    texts: TailReplay
    patches: list[Changes]
    last: Int[Tensor, " rows"]
    """Column of the prompt's last token."""
    label_row: Int[Tensor, " labels"]
    label: Int[Tensor, " labels"]
    weight: Float[Tensor, " labels"]
    """What each target token counts in its job's mean."""
    edits: int
    """Of each job."""


class Training:
    """Jobs of equally many edits under way.

    Row j of `matrix` (and `bias`) is what job j adds to the layer's weights, on top of what its
    base update has added already.
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
        self.model, self.name, self.jobs = model, name, jobs
        self.module = model.network.get_submodule(name)
        self.changes = {
            part: torch.zeros(len(jobs), *model.weight(f"{name}.{part}").shape, device=model.device)
            for part, _ in self.module.named_parameters()
        }
        self.adams = {part: Adam.like(change, lr=lr) for part, change in self.changes.items()}
        n_edits = len(jobs[0].edits)
        self.batches = [
            self._batch(slice(begin, begin + batch_size), layer)
            for begin in range(0, n_edits, batch_size)
        ]
        self.losses: list[list[float]] = [[] for _ in jobs]
        self.failures: list[str | None] = [None for _ in jobs]
        self.running = torch.ones(len(jobs), dtype=torch.bool)

    def _batch(self, which: slice, layer: int) -> _Batch:
        rows = [(job, edit) for job in self.jobs for edit in job.edits[which]]
        texts = [
            tokenize_target(
                self.model.tokenizer,
                edit.relation.prompt.format(edit.subject.label),
                edit.new_object.label,
            )
            for _, edit in rows
        ]
        # The authors' code takes the unknown token for padding and leaves it out.
        unknown = self.model.tokenizer.unk_token_id
        targets = [[t for t in target if t != unknown] for _, target in texts]
        edits = len(rows) // len(self.jobs)
        flat = [
            (i, t, 1 / (edits * len(target))) for i, target in enumerate(targets) for t in target
        ]
        patches = [job.base.changes for job, _ in rows]
        with row_patches(self.model.network, patches):
            batch = self.model.batch([Split((), prompt) for prompt, _ in texts])
            replay = TailReplay(self.model, batch, layer=layer)
        device = self.model.device
        return _Batch(
            texts=replay,
            patches=patches,
            last=batch.lengths - 1,
            label_row=torch.tensor([i for i, _, _ in flat], dtype=torch.long, device=device),
            label=torch.tensor([t for _, t, _ in flat], dtype=torch.long, device=device),
            weight=torch.tensor([w for _, _, w in flat], device=device),
            edits=edits,
        )

    def epoch(self, *, bound: float | None, weight_decay: float, stop_loss: float) -> bool:
        """One pass over every job's edits; False once no job goes on."""
        total = torch.zeros(len(self.jobs))
        for batch in self.batches:
            for change in self.changes.values():
                change.requires_grad_()
            loss = self._loss(batch)
            values = loss.detach().cpu()
            self._note(values)
            moving = self.running & (values >= stop_loss)
            if moving.any():
                self._move(loss, moving, bound, weight_decay)
            total += values * batch.edits
        self.running &= total / sum(batch.edits for batch in self.batches) >= stop_loss
        return bool(self.running.any())

    def _loss(self, batch: _Batch) -> Float[Tensor, " jobs"]:
        with row_patches(self.model.network, batch.patches), self._added():
            hidden = batch.texts.hidden()
        rows = torch.arange(len(hidden), device=hidden.device)
        logprobs = self.model.head_logits(hidden[rows, batch.last]).log_softmax(-1)
        chosen = logprobs[batch.label_row, batch.label] * batch.weight
        zeros = torch.zeros(len(self.jobs), device=hidden.device)
        return -zeros.index_add(0, batch.label_row // batch.edits, chosen)

    @contextmanager
    def _added(self) -> Iterator[None]:
        """Inside the block the layer gives each job's rows what its change adds."""

        def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            x = inputs[0].float().unflatten(0, (len(self.jobs), -1))  # [job, row, token, d_in]
            extra = x.flatten(1, 2) @ self.changes["weight"].mT
            if "bias" in self.changes:
                extra = extra + self.changes["bias"][:, None]
            return output + extra.reshape(output.shape).to(output.dtype)

        handle = self.module.register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()

    def _note(self, losses: Float[Tensor, " jobs"]) -> None:
        for i in self.running.nonzero()[:, 0].tolist():
            value = losses[i].item()
            self.losses[i].append(value)
            if not math.isfinite(value):
                step = len(self.losses[i])
                self.failures[i] = f"the fine-tuning loss is {value} at step {step}"
                self.running[i] = False

    def _move(
        self, loss: Float[Tensor, " jobs"], moving: Tensor, bound: float | None, decay: float
    ) -> None:
        """One step of Adam for the jobs that are `moving`, and back inside the box."""
        moving = moving.to(loss.device)
        gradients = torch.autograd.grad(loss[moving].sum(), list(self.changes.values()))
        for (part, change), gradient in zip(self.changes.items(), gradients, strict=True):
            change = self.changes[part] = change.detach()
            if decay:
                gradient = gradient + decay * (self._weights(part) + change)
            self.adams[part].step(change, gradient, moving)
            if bound is not None:
                change.clamp_(-bound, bound)

    def _weights(self, part: str) -> Float[Tensor, "jobs ..."]:
        """What each job's layer holds before training."""
        name = f"{self.name}.{part}"
        weight = self.model.weight(name).float()
        bases = [job.base.changes.get(name) for job in self.jobs]
        return torch.stack([weight if base is None else weight + base.matrix for base in bases])

    def updates(self, editor: str, seconds: float) -> list[Update]:
        """What each job has come to."""
        return [
            Update.fitted(
                {
                    f"{self.name}.{part}": Dense(change[i].detach().clone())
                    for part, change in self.changes.items()
                },
                Provenance(
                    editor,
                    tuple(map(str, job.edits)),
                    self.model.fingerprint,
                    tuple(self.losses[i]),
                    seconds,
                    self.failures[i],
                ),
            )
            for i, job in enumerate(self.jobs)
        ]
