"""Training MEND's networks (Mitchell et al. 2022, §3.3).

    L = c_edit · L_edit + c_loc · L_loc

L_edit: −log p(o*) after a paraphrase of the edit's prompt, L_loc: KL(p_θ ‖ p_θ') on a text that has
nothing to do with it, both after an edit made from the prompt alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pitfalls.editors.mend.networks import EditedWeight, MendNetworks
from pitfalls.editors.mend.practice import Outcome, Practice
from pitfalls.editors.presets import preset_settings
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.random import seeded
from pitfalls.settings import (
    Count,
    Fraction,
    Index,
    NonNegative,
    Positive,
    Seed,
    Settings,
    StepSize,
    checked,
    refuse_unknown,
)

NAME = "mend-training"
"""Name of these settings in `data/presets.toml` and on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MendTraining(Settings):
    """Everything that decides how networks are trained."""

    rank: Count = 128
    """Rank of the networks' layers."""
    n_hidden: Index = 1
    """Hidden layers; there is one more layer than that."""
    n_blocks: Count = 3
    """How many of the last blocks are edited, all MLP matrices of each."""
    lr: Positive = 3e-4
    """Learning rate of Adam, for the networks."""
    lr_lr: Positive = 1e-5
    """Learning rate of Adam, for the step sizes."""
    edit_lr: StepSize = -2e-4
    """Step size of every matrix at the beginning. With a negative one training begins from gradient
    descent; with the paper's +1e-4 the networks have to find the sign."""
    cedit: NonNegative = 0.1
    """c_edit."""
    cloc: NonNegative = 1.0
    """c_loc."""
    batch_size: Count = 8
    """Lessons of a batch, each edited by itself."""
    accumulate: Count = 1
    """Batches whose gradients are averaged for one step of Adam."""
    grad_clip: Positive = 100.0
    """The norm that a gradient is cut to."""
    steps: Count = 600
    """Batches at most."""
    validate_every: Count = 60
    """Batches between two validations."""
    patience: Count = 4
    """Validations without a better one after which training ends."""
    enough: Fraction = 0.95
    """Success from which on the validation of lower loss is the better one; below it, the one
    of higher success."""
    seed: Seed = 0
    """Seed of the networks' first values and of the order of batches."""

    def __post_init__(self) -> None:
        """Refuse values that are out of range or do not go together."""
        Settings.__post_init__(self)
        if self.validate_every % self.accumulate:
            raise PitfallsError(
                f"validate_every is {self.validate_every}, expected a multiple of accumulate, "
                f"{self.accumulate}: gradients are not kept over a validation"
            )

    @classmethod
    def of(cls, model: LanguageModel, overrides: Mapping[str, Any]) -> "MendTraining":
        """The settings for `model`: its preset and `overrides`, which win.

        Raises:
            PitfallsError: no such setting, one of the wrong type or out of range, or two that do
                not go together.
        """
        settings = preset_settings(NAME, model) | dict(overrides)
        refuse_unknown(cls, settings, name=NAME)
        made: MendTraining = checked(cls, settings, where=NAME)
        return made


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of networks on held-out subjects."""

    step: int
    """Batches seen."""
    success: float
    """Share of edits after which p(o*) > p(o), for the edit's own prompt."""
    success_paraphrase: float
    """The same for a paraphrase."""
    edit_loss: float
    """L_edit."""
    locality_loss: float
    """L_loc."""
    loss: float
    """L."""

    def merit(self, enough: float) -> tuple[float, float]:
        """Sort key: the better of two validations has the larger one."""
        return min(self.success, self.success_paraphrase, enough), -self.loss

    def __str__(self) -> str:
        return (
            f"step {self.step}: success {self.success:.3f}, paraphrased "
            f"{self.success_paraphrase:.3f}, edit loss {self.edit_loss:.3f}, "
            f"locality loss {self.locality_loss:.4f}"
        )


class Learner:
    """Networks under way, and Adam."""

    def __init__(self, networks: MendNetworks, settings: MendTraining) -> None:
        self.networks, self.settings = networks, settings
        sizes = [networks.edit_lrs]
        others = [p for name, p in networks.named_parameters() if name != "edit_lrs"]
        self.adam = torch.optim.Adam(
            [{"params": others, "lr": settings.lr}, {"params": sizes, "lr": settings.lr_lr}]
        )

    @classmethod
    def fresh(cls, model: LanguageModel, settings: MendTraining) -> "Learner":
        """Networks that give back what they get, for the last blocks of `model`."""
        blocks = range(model.n_layers - settings.n_blocks, model.n_layers)
        names = [name for layer in blocks for name in model.mlp_weight_names(layer)]
        weights = [
            EditedWeight(name, d_in=weight.shape[1], d_out=weight.shape[0])
            for name in names
            for weight in [model.weight(name)]
        ]
        with seeded(settings.seed):
            networks = MendNetworks(
                weights, rank=settings.rank, n_hidden=settings.n_hidden, lr=settings.edit_lr
            )
        return cls(networks.to(model.device), settings)

    def practise(self, practice: Practice) -> Outcome:
        """Add the gradient of one batch; the outcome is that of the networks before the step."""
        self.networks.train()
        outcome = practice.outcome(self.networks)
        (self.loss(outcome) / self.settings.accumulate).backward()
        return outcome

    def loss(self, outcome: Outcome) -> Tensor:
        """L, for drills with one outer text each."""
        settings = self.settings
        return settings.cedit * outcome.nll.mean() + settings.cloc * outcome.kl.mean()

    def step(self) -> float:
        """One step of Adam by the gradients so far; returns their norm before it was cut."""
        parameters = list(self.networks.parameters())
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.grad_clip)
        self.adam.step()
        self.adam.zero_grad()
        return norm.item()

    @torch.no_grad()
    def validate(self, exams: Sequence[Practice], step: int) -> Figures:
        """Figures over drills of `Drill.validation`."""
        self.networks.eval()
        outcomes = [exam.outcome(self.networks) for exam in exams]
        nll = torch.cat([outcome.nll for outcome in outcomes]).unflatten(0, (-1, 4))
        kl = torch.cat([outcome.kl for outcome in outcomes]).mean().item()
        new, old, new_paraphrased, old_paraphrased = nll.unbind(1)
        edit = new_paraphrased.mean().item()
        return Figures(
            step=step,
            success=(new < old).float().mean().item(),
            success_paraphrase=(new_paraphrased < old_paraphrased).float().mean().item(),
            edit_loss=edit,
            locality_loss=kl,
            loss=self.settings.cedit * edit + self.settings.cloc * kl,
        )
