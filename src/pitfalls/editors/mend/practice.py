"""Drills for MEND: edits, other wordings of them, and texts that must stay as they are.

Only the networks move while MEND learns, so whatever lies below the edited blocks is computed once
per batch, and so are the gradients that the networks start from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.gradients import Labelled, Labels, gradient_factors
from pitfalls.editors.mend.networks import MendNetworks
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.passes import TailReplay
from pitfalls.models.running.patches import row_patches
from pitfalls.models.tokens import Split, tokenize


@dataclass(frozen=True, slots=True)
class Lesson:
    """One edit and what it shall and shall not do."""

    edit: Edit
    """Names its old object: validation asks whether the new one has become likelier."""
    paraphrase: str
    """Another way to ask, a template with `{}`."""
    unrelated: str
    """A text that the edit must leave alone."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A lesson in tokens: `outer` is read after an edit made from `inner`."""

    inner: tuple[Labelled, ...]
    outer: tuple[Labelled, ...]
    unrelated: tuple[tuple[int, ...], ...]

    @classmethod
    def training(cls, model: LanguageModel, lesson: Lesson) -> "Drill":
        """The new object after the paraphrase is what the edit loss reads."""
        prompt = lesson.paraphrase.format(lesson.edit.subject.label)
        outer = Labelled.of(model, prompt, lesson.edit.new_object.label)
        return cls((Labelled.edit(model, lesson.edit),), (outer,), cls._unrelated(model, lesson))

    @classmethod
    def validation(cls, model: LanguageModel, lesson: Lesson) -> "Drill":
        """New and old object after the edit's own prompt, and new and old after the paraphrase."""
        edit = lesson.edit
        outer = tuple(
            Labelled.of(model, template.format(edit.subject.label), object.label)
            for template in (edit.relation.prompt, lesson.paraphrase)
            for object in (edit.new_object, edit.before.object)
        )
        return cls((Labelled.edit(model, edit),), outer, cls._unrelated(model, lesson))

    @staticmethod
    def _unrelated(model: LanguageModel, lesson: Lesson) -> tuple[tuple[int, ...], ...]:
        return (tokenize(model.tokenizer, lesson.unrelated).ids,)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Result of a batch of drills under some networks."""

    nll: Float[Tensor, " outer"]
    """−mean log p of the label's tokens, for every outer text of every drill in turn."""
    kl: Float[Tensor, " drills"]
    """KL(p_θ ‖ p_θ') on the unrelated texts, mean over their tokens."""


class Practice:
    """A batch of drills, each edited by itself, side by side."""

    def __init__(self, model: LanguageModel, drills: Sequence[Drill], names: Sequence[str]) -> None:
        """Run once what does not depend on the networks; `names` are the edited parameters."""
        self._model, self._n = model, len(drills)
        first = _first_block(model, names)
        inner = [(j, text) for j, drill in enumerate(drills) for text in drill.inner]
        texts, jobs = [text for _, text in inner], [j for j, _ in inner]
        _, self._factors = gradient_factors(model, texts, jobs, [{}] * len(texts), names)
        outer = [(j, text) for j, drill in enumerate(drills) for text in drill.outer]
        self._outer_job = [j for j, _ in outer]
        splits = [text.split for _, text in outer]
        self._outer = TailReplay(model, model.batch(splits), layer=first)
        # Each outer text is a job of its own here: what comes back is one number per text.
        texts = [text for _, text in outer]
        self._labels = Labels(texts, range(len(texts)), device=model.device)
        kept = [(j, ids) for j, drill in enumerate(drills) for ids in drill.unrelated]
        self._kept_job = [j for j, _ in kept]
        batch = model.batch([Split((), ids) for _, ids in kept])
        self._real = batch.mask
        self._kept = TailReplay(model, batch, layer=first)
        with torch.no_grad():
            self._before = self._kept.hidden()[self._real]

    def outcome(self, networks: MendNetworks) -> Outcome:
        """Edit, and read what came of it. Differentiable in the networks' parameters.

        The statistics of networks in training mode move on.
        """
        sizes = networks.step_sizes()
        changes = networks.edits(self._factors, n_jobs=self._n, step_sizes=sizes)
        with row_patches(self._model.network, [changes[j] for j in self._outer_job]):
            nll = self._labels.nll(self._model, self._outer.hidden())
        with row_patches(self._model.network, [changes[j] for j in self._kept_job]):
            after = self._kept.hidden()[self._real]
        return Outcome(nll, self._divergence(after))

    def _divergence(self, after: Float[Tensor, "tokens d"]) -> Float[Tensor, " drills"]:
        with torch.no_grad():
            p = self._model.head_logits(self._before).log_softmax(-1)
        q = self._model.head_logits(after).log_softmax(-1)
        kl = _divergence(p, q)
        job = torch.tensor(self._kept_job, device=kl.device)[:, None].expand_as(self._real)
        job = job[self._real]
        total = torch.zeros(self._n, device=kl.device).index_add(0, job, kl)
        return total / job.bincount(minlength=self._n)


def _divergence(
    p: Float[Tensor, "tokens vocabulary"], q: Float[Tensor, "tokens vocabulary"]
) -> Float[Tensor, " tokens"]:
    """KL(P ‖ Q) of log probabilities, Σ p (log p − log q) + Σ q − Σ p.

    The last two sums are both 1 and change nothing but the rounding: with them each token of
    the vocabulary adds something of second order in how far p and q are apart, where the first
    sum alone is the small difference of large terms, lost in float32 when an edit did no harm.
    """
    apart = p - q
    return (p.exp() * (apart + torch.expm1(-apart))).sum(-1)


def _first_block(model: LanguageModel, names: Sequence[str]) -> int:
    """The lowest block that one of the parameters lies in."""
    lowest = [
        layer
        for layer in range(model.n_layers)
        if any(name.startswith(f"{model.architecture.blocks}.{layer}.") for name in names)
    ]
    if not lowest:
        raise PitfallsError(f"{model.name} has none of the matrices {', '.join(names)}")
    return lowest[0]
