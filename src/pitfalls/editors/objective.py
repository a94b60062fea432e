"""The objective by which ROME and MEMIT look for a value, over many edits in one batch.

ROME (§3.1, step 2) searches at the output of one MLP, MEMIT (§4.1) at the output of a block; both
minimise the same function of a vector δ added at the subject's last token:

    L(δ) = −mean_x log p(o* | x, δ)  +  λ_KL · KL(p_δ ‖ p_0)  +  λ_wd · ‖δ‖/‖v0‖²

with p_0 and p_δ the next-token distributions after the subject in "{s} is a", without and with δ
(in this direction: the authors' code hands them to `kl_div` so).

A batch has a row per prompt and a δ per search; gradients cannot mix, since a row depends on its
own search's δ alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.editors.keys import subject_span
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.passes import TextPass
from pitfalls.models.patches import Changes, row_patches
from pitfalls.models.tokens import Split, tokenize

KL_PROMPT = "{} is a"
"""What the KL term holds on to: the subject's essence (ROME §3.1)."""

Site: TypeAlias = Literal["mlp", "block"]
"""Where δ is added: to the MLP's output (ROME) or to the block's (MEMIT)."""

PassMaker: TypeAlias = Callable[..., TextPass]
"""`TailReplay`, or `WholeText` for the plain path."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt, cut so that its right part begins with the subject's last token."""

    split: Split
    labels: tuple[int, ...]
    """Target ids; the last len(labels) tokens predict them, in order. Empty in the KL row, which is
    read at the subject's last token."""
    share: float = 1.0
    """What the row counts in the mean over the rows with labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The rows of one edit, the KL row last, on a model that carries `changes`."""

    rows: tuple[Row, ...]
    changes: Changes


def search_rows(model: LanguageModel, edit: Edit, contexts: Sequence[str]) -> tuple[Row, ...]:
    """A row per context with the target behind it, and the KL row."""
    rows = []
    for context in contexts:
        text, end = subject_span(edit.relation.prompt, edit.subject.label, context)
        tokens = tokenize(model.tokenizer, f"{text} {edit.new_object.label}")
        cut, begin = tokens.last_before(end), tokens.first_beyond(len(text))
        rows.append(Row(Split(tokens.ids[:cut], tokens.ids[cut:-1]), tokens.ids[begin:]))
    text, end = subject_span(KL_PROMPT, edit.subject.label, "{}")
    tokens = tokenize(model.tokenizer, text)
    cut = tokens.last_before(end)
    return (*rows, Row(Split(tokens.ids[:cut], tokens.ids[cut:]), ()))


class Objective:
    """The rows of some searches as one batch, and what they say under a given δ."""

    def __init__(
        self,
        model: LanguageModel,
        searches: Sequence[Search],
        *,
        layer: int,
        site: Site,
        text_pass: PassMaker,
    ) -> None:
        """Run once what does not depend on δ."""
        self._model = model
        self._site = model.mlp_out(layer) if site == "mlp" else model.blocks[layer]
        rows = [(job, row) for job, search in enumerate(searches) for row in search.rows]
        self._patches = [searches[job].changes for job, _ in rows]
        self._job = torch.tensor([job for job, _ in rows], device=model.device)
        counts = torch.tensor([len(search.rows) for search in searches], device=model.device)
        self._kl_row = counts.cumsum(0) - 1
        self._first_row = self._kl_row - counts + 1
        self._read_labels(rows, len(searches))
        with row_patches(model.network, self._patches):
            batch = model.batch([row.split for _, row in rows])
            self._texts = text_pass(model, batch, layer=layer)

    def _read_labels(self, rows: Sequence[tuple[int, Row]], n_jobs: int) -> None:
        """Flat lists over all target tokens: row and column that predict it, its id, its job."""
        flat = [
            (i, len(row.split.right) - len(row.labels) + j, label, job)
            for i, (job, row) in enumerate(rows)
            for j, label in enumerate(row.labels)
        ]
        columns = torch.tensor(flat, device=self._model.device).unbind(1)
        self._label_row, self._label_column, self._label, self._label_job = columns
        # The mean over rows of the mean over the target's tokens, as one weight per token.
        total = [0.0] * n_jobs
        for job, row in rows:
            total[job] += row.share if row.labels else 0.0
        weights = [
            row.share / (total[job] * len(row.labels)) for job, row in rows for _ in row.labels
        ]
        self._label_weight = torch.tensor(weights, device=self._model.device)

    @property
    def nothing(self) -> Float[Tensor, "jobs d"]:
        """δ = 0 for every search."""
        return torch.zeros(len(self._kl_row), self._model.width, device=self._model.device)

    def __call__(
        self, delta: Float[Tensor, "jobs d"]
    ) -> tuple[Float[Tensor, " jobs"], Float[Tensor, "jobs vocabulary"], Float[Tensor, "jobs d"]]:
        """−mean log p(o*), log p(· | "{s} is a"), and what the site gives before δ is added."""
        with (
            row_patches(self._model.network, self._patches),
            _added(self._site, delta[self._job], self._texts.offset) as before,
        ):
            hidden = self._texts.hidden()
        logits = self._model.head_logits(hidden[self._label_row, self._label_column])
        logprobs = logits.log_softmax(-1).gather(1, self._label[:, None])[:, 0]
        zeros = torch.zeros(len(delta), device=delta.device)
        nll = -zeros.index_add(0, self._label_job, logprobs * self._label_weight)
        essence = self._model.head_logits(hidden[self._kl_row, 0])
        return nll, essence.log_softmax(-1), before[0][self._first_row]


@contextmanager
def _added(
    site: nn.Module, delta: Float[Tensor, "rows d"], column: int
) -> Iterator[list[Float[Tensor, "rows d"]]]:
    """Inside the block `site` gives `delta` more in one column; yields what it gave without."""
    before: list[Tensor] = []

    def add(module: nn.Module, args: Any, output: Any) -> Any:
        states = output[0] if isinstance(output, tuple) else output
        before.append(states[:, column].detach().float())
        changed = states.clone()
        changed[:, column] += delta.to(states.dtype)
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    handle = site.register_forward_hook(add)
    try:
        yield before
    finally:
        handle.remove()
