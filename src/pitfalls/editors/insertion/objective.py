"""The objective by which ROME and MEMIT look for a value, over many edits at a time.

ROME (§3.1, step 2) searches at the output of one MLP, MEMIT (§4.1) at the output of a block; both
minimise the same function of a vector δ added at the subject's last token:

    L(δ) = −mean_x log p(o* | x, δ)  +  λ_KL · KL(p_δ ‖ p_0)  +  λ_wd · ‖δ‖/‖v0‖²

with p_0 and p_δ the next-token distributions after the subject in "{s} is a", without and with δ
(in this direction: the authors' code hands them to `kl_div` so).

A search for several objects has, in place of the first term, KL(w ‖ P) over the objects, P(o) being
the probability of all of o's tokens and w what it shall be (`multi_label.py`).

A search has a row per prompt, and its δ is added in all of them. Rows of many searches run side by
side, those of about equal length together, and what a search gets is summed up over the batches.
Gradients cannot mix, since a row depends on its own search's δ alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pitfalls.editors.insertion.delta_site import DeltaSite, Site
from pitfalls.editors.insertion.search_texts import Search
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.label_logprobs import label_logprobs
from pitfalls.models.running.batching import batches_within
from pitfalls.models.running.passes import logits_at, text_pass
from pitfalls.models.running.patches import row_patches
from pitfalls.models.upload import uploaded

Term: TypeAlias = Callable[[Tensor], Tensor]
"""A summand of L, from δ of all jobs to a number for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Unedited:
    """Answers of the model without δ; row i belongs to job i."""

    initial: Float[Tensor, "jobs d"]
    """v0, what the site gives in a search's first row."""
    essence: Float[Tensor, "jobs vocabulary"]
    """log p_0."""

    def keep(self, jobs: Int[Tensor, " left"]) -> "Unedited":
        """Answers in some of the jobs."""
        return Unedited(self.initial[jobs], self.essence[jobs])


class Objective:
    """L(δ) of some searches, a job each, and its gradient."""

    def __init__(
        self,
        model: LanguageModel,
        searches: Sequence[Search],
        *,
        layer: int,
        site: Site,
        kl_weight: float,
        weight_decay: float,
        token_budget: int,
        unedited: Unedited | None = None,
    ) -> None:
        """Run once what does not depend on δ.

        Args:
            model: the model.
            searches: independent of one another.
            layer: where δ is added.
            site: to the MLP's output or to the block's.
            kl_weight: λ_KL.
            weight_decay: λ_wd.
            token_budget: the most padded tokens, of right parts, in one forward pass.
            unedited: what the model says without δ; None takes it from the first call, in which δ
                has to be 0.
        """
        self._kl_weight, self._weight_decay = kl_weight, weight_decay
        rows = [(job, i) for job, search in enumerate(searches) for i in range(len(search.rows))]
        sizes = [(1, len(searches[job].rows[i].split.right)) for job, i in rows]
        self._batches = [
            _Batch(model, searches, [rows[n] for n in batch], layer=layer, site=site)
            for batch in batches_within(sizes, token_budget)
        ]
        floors = [search.floor for search in searches]
        self._floor = uploaded(floors, model.device)
        self._known = unedited is not None
        self.unedited = unedited or Unedited(
            torch.zeros(len(searches), model.width, device=model.device),
            torch.zeros(len(searches), model.n_logits, device=model.device),
        )

    @property
    def nothing(self) -> Float[Tensor, "jobs d"]:
        """δ = 0 for every search."""
        return torch.zeros_like(self.unedited.initial)

    def __call__(
        self, delta: Float[Tensor, "jobs d"], *, gradient: bool
    ) -> tuple[Float[Tensor, " jobs"], Float[Tensor, "jobs d"]]:
        """Every job's loss and, if `gradient` is asked for, dL/dδ; zeros if not."""
        loss, slope = torch.zeros_like(delta[:, 0]), torch.zeros_like(delta)
        terms: list[Term] = [partial(self._likelihood, batch) for batch in self._batches]
        # A term goes backwards before the next one goes forwards: it needs its memory no longer.
        for term in (*terms, self._decay):
            x = delta.detach().requires_grad_(gradient)
            with torch.set_grad_enabled(gradient):
                value = term(x)
            loss += value.detach()
            if gradient:
                slope += torch.autograd.grad(value.sum(), x)[0]
        self._known = True
        return loss - self._floor, slope

    def _likelihood(
        self, batch: "_Batch", delta: Float[Tensor, "jobs d"]
    ) -> Float[Tensor, " jobs"]:
        """A batch's part of −log p(o*) + λ_KL · KL."""
        nll, essence = batch(delta)
        if not self._known:
            self.unedited.initial[batch.first_job] = batch.initial
            self.unedited.essence[batch.kl_job] = essence.detach()
        kl = essence.exp() * (essence - self.unedited.essence[batch.kl_job])
        return nll.index_add(0, batch.kl_job, self._kl_weight * kl.sum(-1))

    def _decay(self, delta: Float[Tensor, "jobs d"]) -> Float[Tensor, " jobs"]:
        """λ_wd · ‖δ‖/‖v0‖²."""
        return self._weight_decay * delta.norm(dim=1) / self.unedited.initial.norm(dim=1).square()


class _Batch:
    """Some rows of some searches, padded to one length."""

    def __init__(
        self,
        model: LanguageModel,
        searches: Sequence[Search],
        rows: Sequence[tuple[int, int]],
        *,
        layer: int,
        site: Site,
    ) -> None:
        """`rows` names a search and one of its rows each."""
        self._model = model
        self._site = DeltaSite(model, layer, site)
        self._patches = [searches[job].changes for job, _ in rows]
        with row_patches(model.network, self._patches):
            batch = model.batch([searches[job].rows[i].split for job, i in rows])
            self._texts = text_pass(model, batch, layer=layer)

        def ids(values: Sequence[int]) -> Int[Tensor, " n"]:
            return uploaded(values, model.device, dtype=torch.long)

        self._job = ids([job for job, _ in rows])
        self._first = ids([n for n, (_, i) in enumerate(rows) if i == 0])
        self.first_job = self._job[self._first]
        kl = [n for n, (job, i) in enumerate(rows) if not searches[job].rows[i].labels]
        self.kl_job = self._job[ids(kl)]
        labels = [
            (n, len(row.split.right) - len(row.labels) + j, label, searches[job].weight_of(row))
            for n, (job, i) in enumerate(rows)
            for row in [searches[job].rows[i]]
            for j, label in enumerate(row.labels)
        ]
        # Places whose logits are read: where labels are predicted, and the KL rows' first tokens.
        self._row = ids([n for n, *_ in labels] + kl)
        self._column = (
            ids([column for _, column, *_ in labels] + [0] * len(kl)) + self._texts.offset
        )
        self._label = ids([label for _, _, label, _ in labels])
        self._label_job = self._job[self._row[: len(labels)]]
        self._weight = uploaded([weight for *_, weight in labels], model.device)

    def __call__(
        self, delta: Float[Tensor, "jobs d"]
    ) -> tuple[Float[Tensor, " jobs"], Float[Tensor, "kl vocabulary"]]:
        """−log p(o*) as far as it lies here, and log p(· | "{s} is a")."""
        with row_patches(self._model.network, self._patches):
            hidden = self._site.hidden(self._texts, delta[self._job])
        logits = logits_at(self._model, hidden, self._row, self._column)
        n, n_kl = len(self._label), len(self.kl_job)
        of_labels, of_kl = logits.split((n, n_kl)) if n_kl else (logits, logits[n:])
        chosen = label_logprobs(of_labels, self._label) * self._weight
        nll = torch.zeros_like(delta[:, 0]).index_add(0, self._label_job, -chosen)
        return nll, of_kl.log_softmax(-1)

    @property
    def initial(self) -> Float[Tensor, "first d"]:
        """v0 of the first rows of searches that lie here; known after a call."""
        assert self._site.initial is not None, "the batch was run"
        return self._site.initial[self._first]
