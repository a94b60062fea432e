"""An update as a PEFT adapter: a change B·A of rank r is a LoRA of rank r, exactly.

PEFT adds (α/r)·B·A to a weight (Hu et al. 2022, §4.1); with α = r that is the change itself. A
dense change has no such form and is factorised if asked to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from pitfalls.disk import refuse_taken, write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Change, LowRank
from pitfalls.staging import staged
from pitfalls.updates.card import ADAPTER, write_card
from pitfalls.updates.published import Published
from pitfalls.updates.update import Update

WEIGHTS = "adapter_model.safetensors"
"""What PEFT calls the file of an adapter's weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Low-rank changes of modules, and of their biases."""

    matrices: Mapping[str, LowRank]
    """Module path → ΔW."""
    biases: Mapping[str, Float[Tensor, " d_out"]]
    """Module path → Δb."""
    error: float
    """‖ΔW − BA‖ / ‖ΔW‖ over all changes: 0 unless a dense one was factorised."""
    update: Update
    """What it does."""

    @classmethod
    def of(cls, update: Update, *, rank: int | None = None) -> "Adapter":
        """The adapter that does what `update` does.

        Args:
            update: of matrices that lie in linear layers.
            rank: of what takes the place of dense changes, their best approximation of that rank;
                low-rank changes keep their own.

        Raises:
            PitfallsError: nothing changes, a change is dense and no rank was given, or a bias
                changes alone.
        """
        update.refuse_beside()
        if not update.changes:
            raise PitfallsError("the update changes nothing, so there is no adapter to write")
        matrices, biases = {}, {}
        lost = whole = 0.0
        for name, change in update.changes.items():
            module, _, kind = name.rpartition(".")
            if kind == "bias" and change.matrix is not None:
                biases[module] = change.matrix
                continue
            matrices[module] = low = _low_rank(name, change, rank)
            if low is not change:
                lost += change.plus(LowRank(-low.B, low.A)).norm ** 2
            whole += change.norm**2
        if alone := sorted(biases.keys() - matrices.keys()):
            raise PitfallsError(
                f"the update changes the bias of {alone[0]} and not its matrix, which no adapter "
                "holds: write a full checkpoint with --merge"
            )
        return cls(matrices, biases, (lost / whole) ** 0.5 if whole else 0.0, update)

    def save(self, model: LanguageModel, destination: Path | str) -> None:
        """Write the adapter's folder, a model card with the edits included, whole or not at all.

        Raises:
            PitfallsError: PEFT is not installed, or the folder is there already or cannot be
                written.
        """
        destination = Path(destination)
        refuse_taken(destination)
        with staged(destination) as folder:
            _write_config(self, model, folder)
            write_card(folder, model, self.update, ADAPTER)
            write_bytes(folder / WEIGHTS, save(self._tensors(model), metadata={"format": "pt"}))

    @property
    def ranks(self) -> dict[str, int]:
        """Module path → r."""
        return {module: len(low.A) for module, low in self.matrices.items()}

    def _tensors(self, model: LanguageModel) -> dict[str, Tensor]:
        """The weights under PEFT's names."""
        tensors = {}
        for module, low in self.matrices.items():
            place = f"base_model.model.{module}"
            tensors[f"{place}.lora_A.weight"] = low.A.contiguous()
            tensors[f"{place}.lora_B.weight"] = low.B.contiguous()
            if self.biases:
                bias = self.biases.get(module)
                zero = torch.zeros(len(low.B), dtype=low.B.dtype)
                tensors[f"{place}.lora_B.bias"] = zero if bias is None else bias.contiguous()
        return tensors


def save_lora(
    model: LanguageModel, update: Update, destination: Path | str, *, rank: int | None = None
) -> float:
    """Write `update` as an adapter for PEFT; returns what was lost, as `Adapter.error`.

    Args:
        model: the unedited model.
        update: what the adapter shall do.
        destination: the folder to make.
        rank: as for `Adapter.of`.

    Raises:
        PitfallsError: as `Adapter.of` and `Adapter.save`.
    """
    adapter = Adapter.of(update, rank=rank)
    adapter.save(model, destination)
    return adapter.error


def check_peft() -> None:
    """Refuse early what needs PEFT.

    Raises:
        PitfallsError: it is not installed.
    """
    if find_spec("peft") is None:
        raise PitfallsError(
            "an adapter needs the package peft, which is not installed; "
            "run 'pip install pitfalls[lora]'"
        )


def _write_config(adapter: Adapter, model: LanguageModel, folder: Path) -> None:
    check_peft()
    from peft import LoraConfig

    ranks = adapter.ranks
    r = max(ranks.values())
    base = Published.of(model)
    LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=base.id,
        revision=base.revision,
        r=r,
        lora_alpha=r,
        rank_pattern={module: rank for module, rank in ranks.items() if rank != r},
        alpha_pattern={module: rank for module, rank in ranks.items() if rank != r},
        target_modules=sorted(ranks),
        fan_in_fan_out=all(model.is_conv1d(f"{module}.weight") for module in ranks),
        lora_bias=bool(adapter.biases),
        inference_mode=True,
    ).save_pretrained(str(folder))


def _low_rank(name: str, change: Change, rank: int | None) -> LowRank:
    try:
        return change.low_rank(rank)
    except PitfallsError as error:
        raise PitfallsError(f"the change of {name} is {error}") from error
