"""Gradients of matrices, left as their factors: the input, and the loss's gradient at the output.

No gradient of a parameter is ever formed, so that many jobs share a backward pass without mixing: a
row belongs to one job, and so do its factors.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.module_values import by_rows
from pitfalls.models.reading.label_logprobs import label_logprobs
from pitfalls.models.running.passes import logits_at, right_output
from pitfalls.models.running.patches import row_patches
from pitfalls.models.tokens import Split, tokenize_target
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Changes


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text whose last tokens shall become likely."""

    ids: tuple[int, ...]
    n_labels: int

    @classmethod
    def of(cls, model: LanguageModel, prompt: str, target: str) -> "Labelled":
        """`target` as what follows `prompt` after a space."""
        before, label = tokenize_target(model.tokenizer, prompt, target)
        return cls(before + label, len(label))

    @classmethod
    def edit(cls, model: LanguageModel, edit: Edit) -> "Labelled":
        """The new object as what follows the edit's own prompt."""
        return cls.of(model, edit.relation.prompt.format(edit.subject.label), edit.new_object.label)

    @property
    def split(self) -> Split:
        """All but the last token, behind which nothing is read."""
        return Split((), self.ids[:-1])


class Labels:
    """Where in a batch the labels' predictions stand, and what each counts in its job's mean."""

    def __init__(
        self, texts: Sequence[Labelled], jobs: Sequence[int], *, device: torch.device
    ) -> None:
        """Row i of the batch holds `texts[i]` and belongs to job `jobs[i]`."""
        flat = [
            (row, len(text.ids) - 1 - text.n_labels + j, text.ids[j - text.n_labels], job)
            for row, (text, job) in enumerate(zip(texts, jobs, strict=True))
            for j in range(text.n_labels)
        ]
        self._row, self._column, self._id, self._job = uploaded(flat, device).unbind(1)
        self.n_jobs = 1 + max(jobs)
        self._weight = 1 / self._job.bincount(minlength=self.n_jobs)[self._job]

    def nll(
        self, model: LanguageModel, hidden: Float[Tensor, "rows right d"]
    ) -> Float[Tensor, " jobs"]:
        """−mean log p(label) over all labels of a job."""
        logits = logits_at(model, hidden, self._row, self._column)
        logprobs = label_logprobs(logits, self._id)
        zeros = torch.zeros(self.n_jobs, device=hidden.device)
        return -zeros.index_add(0, self._job, logprobs * self._weight)

    def mark(self, like: Int[Tensor, "rows right"]) -> Bool[Tensor, "rows right"]:
        """Whether a label is predicted at a token, for all tokens of the batch."""
        marks = torch.zeros_like(like, dtype=torch.bool)
        marks[self._row, self._column] = True
        return marks


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The gradient of a matrix as Σ δ xᵀ over the tokens where neither x nor δ is zero."""

    x: Float[Tensor, "n d_in"]
    delta: Float[Tensor, "n d_out"]
    job: Int[Tensor, " n"]
    """Which job each token belongs to, on the CPU."""
    labelled: Bool[Tensor, " n"]
    """Whether a label is predicted at the token, on the CPU."""


def gradient_factors(
    model: LanguageModel,
    texts: Sequence[Labelled],
    jobs: Sequence[int],
    carried: Sequence[Changes],
    names: Sequence[str],
) -> tuple[Float[Tensor, " jobs"], dict[str, Factors]]:
    """Loss of each job and, for each matrix of `names`, its gradient in factors, in float32.

    Args:
        model: the model.
        texts: a row each.
        jobs: which job each text belongs to; 0, 1, … without gaps.
        carried: what the model carries already, for each text.
        names: parameters; blocks below the first of them take no part in the backward pass.
    """
    batch = model.batch([text.split for text in texts])
    n_rows = len(texts)
    with row_patches(model.network, carried), _traffic(model.network, names) as traffic:
        hidden = right_output(model, batch, None)
    labels = Labels(texts, jobs, device=model.device)
    loss, labelled = labels.nll(model, hidden), labels.mark(batch.right)
    outputs = [traffic[name][1] for name in names]
    deltas = torch.autograd.grad(loss.sum(), outputs)
    sides = [
        (by_rows(traffic[name][0], n_rows).to(model.device), by_rows(d, n_rows).to(model.device))
        for name, d in zip(names, deltas, strict=True)
    ]
    kept = [batch.mask & (x != 0).any(-1) & (d != 0).any(-1) for x, d in sides]
    factors, job = {}, torch.tensor(jobs)
    # The host waits for the device once, for all matrices together.
    *places, labels_at = torch.stack([*kept, labelled]).cpu()
    for name, (x, d), here in zip(names, sides, places, strict=True):
        row, column = here.nonzero(as_tuple=True)
        where = uploaded(row, x.device), uploaded(column, x.device)
        marked = labels_at[row, column]
        factors[name] = Factors(x[where].float(), d[where].float(), job[row], marked)
    return loss.detach(), factors


@contextmanager
def _traffic(
    network: nn.Module, names: Sequence[str]
) -> Iterator[Mapping[str, tuple[Tensor, Tensor]]]:
    """Input and output of the modules that hold the parameters `names`, as they are run.

    The parameters are frozen; outputs ask for gradients of their own.
    """
    traffic: dict[str, tuple[Tensor, Tensor]] = {}
    with ExitStack() as stack:
        for name in names:

            def note(
                module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, name: str = name
            ) -> Tensor:
                if not output.requires_grad:
                    output.requires_grad_()
                traffic[name] = (inputs[0].detach(), output)
                return output.clone()  # Falcon adds to it in place

            module = network.get_submodule(name.rpartition(".")[0])
            stack.callback(module.register_forward_hook(note).remove)
        yield traffic
