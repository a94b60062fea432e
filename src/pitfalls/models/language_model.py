"""`LanguageModel`: the interface to a transformers model for the rest of the package."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import Cache
from transformers.pytorch_utils import Conv1D

from pitfalls.errors import PitfallsError
from pitfalls.models.architecture import Architecture, architecture_of, described
from pitfalls.models.attention import attend_in_float32
from pitfalls.models.beginning import begin_texts
from pitfalls.models.head import check_structure, logits_of
from pitfalls.models.sources.by_name import resolve
from pitfalls.models.tokens import Split, SplitBatch, batch_splits, refuse_too_long
from pitfalls.models.weights.auto import AUTO, device_for, dtype_for
from pitfalls.models.weights.fingerprint import fingerprint_of
from pitfalls.models.weights.loading import check_loadable, read_model
from pitfalls.models.weights.products import take_quick_products
from pitfalls.models.weights.quantised import PACKINGS, is_packed, take_exact_products, unpacked
from pitfalls.models.weights.spread import Placement, is_spread, main_device
from pitfalls.progress import SILENT, Progress

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A causal language model, its tokenizer and the paths of its parts.

    Weights are frozen and the network is in evaluation mode: editors return updates as values
    (`pitfalls.updates.update.Update`) and never modify the model.
    """

    name: str
    """Name given by the user."""
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    architecture: Architecture
    plain: bool = False
    """Reference mode: run whole texts through every block and form the logits of every token, as
    the published code does. Much slower; the fast paths are tested against it."""
    main_device: torch.device | None = None
    """Device of token ids, if the weights are spread over devices."""
    packing: str | None = None
    """Quantised format of the blocks' matrices when loaded, a name in `PACKINGS`."""
    _memory: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        """Description on one line."""
        shape = f"{self.architecture.name}, {self.n_layers} layers"
        return f"<LanguageModel {self.name!r}: {shape}, {self.dtype_name} on {self.device}>"

    @classmethod
    def load(
        cls,
        name: str,
        *,
        dtype: str = AUTO,
        device: Placement = AUTO,
        plain: bool = False,
        prefix: str = "",
        progress: Progress = SILENT,
    ) -> "LanguageModel":
        """Load from a local directory, a GGUF file, a packaged name or a hub id, in that order.

        Args:
            name: for example `smollm2-135m`, `./my-model`, `model.gguf`, `openai-community/gpt2`.
            dtype: storage of the weights: `float32`, `bfloat16`, or `nf4` or `int8` for the blocks'
                matrices (edited ones are unpacked); `auto` is the checkpoint's own on an
                accelerator and float32 on a CPU. Optimised values stay in float32.
            device: `cpu`, `cuda:0` or the like; `auto` is CUDA, else MPS, else the CPU; `spread`
                or a map of modules spreads the weights over accelerators, memory and disk.
            plain: whether to use the reference mode; see the field.
            prefix: text before every text; `bos` is the model's own beginning-of-text token.
            progress: notified of downloads and conversions.

        Raises:
            PitfallsError: an unknown name, a damaged file, no network, an unknown structure, a
                missing device, bitsandbytes not installed, or no such token.
        """
        check_loadable(dtype, device)
        directory, device = resolve(name, progress=progress), device_for(device)
        dtype = dtype_for(dtype, device, directory)
        with progress.stage(f"load {name}"):
            network, tokenizer = read_model(directory, dtype, device)
        begin_texts(tokenizer, prefix, name)
        return cls.wrap(
            network,
            tokenizer,
            name=name,
            plain=plain,
            directory=directory,
            main_device=main_device(network) if is_spread(device) else None,
            packing=dtype if dtype in PACKINGS else None,
        )

    @classmethod
    def outline(
        cls,
        name: str,
        *,
        dtype: str = AUTO,
        device: Placement = AUTO,
        prefix: str = "",
        progress: Progress = SILENT,
    ) -> "LanguageModel":
        """Load shapes and tokenizer only, for plans: almost no memory, but nothing can be run.

        Arguments and errors are those of `load`; `device` decides on the dtype only.
        """
        check_loadable(dtype, device)
        directory = resolve(name, progress=progress)
        dtype = dtype_for(dtype, device_for(device), directory)
        network, tokenizer = read_model(directory, dtype, "meta")
        begin_texts(tokenizer, prefix, name)
        packed = dtype if dtype in PACKINGS else None
        return cls.wrap(network, tokenizer, name=name, directory=directory, packing=packed)

    @property
    def is_outline(self) -> bool:
        """Whether the model has shapes only, and no weights."""
        return self.device.type == "meta"

    @classmethod
    def wrap(
        cls,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        plain: bool = False,
        directory: Path | None = None,
        main_device: torch.device | None = None,
        packing: str | None = None,
    ) -> "LanguageModel":
        """Wrap a network that is in memory; it is frozen and set to evaluation mode.

        Args:
            network: a causal language model of transformers.
            tokenizer: its fast tokenizer.
            name: name for messages and records.
            plain: see the field.
            directory: folder of an optional `architecture.toml`.
            main_device: see the field.
            packing: see the field.

        Raises:
            PitfallsError: an unknown structure, or one with steps that its family's row lacks.
        """
        network.eval()
        network.requires_grad_(False)
        own = described(directory) if directory else ()
        architecture = architecture_of(network, own, directory=directory)
        if not plain:
            attend_in_float32(network)
            take_quick_products(network)
        made = cls(name, network, tokenizer, architecture, plain, main_device, packing)
        if take_exact_products(network):
            _ = made.fingerprint  # computed now, because editors unpack matrices later
        if not made.is_outline:
            check_structure(network, architecture, made.device)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """Hash over the name, shape, dtype and bytes of every weight."""
        return fingerprint_of(self.network)

    @cached_property
    def blocks(self) -> list[nn.Module]:
        """Transformer blocks in order."""
        return list(self.network.get_submodule(self.architecture.blocks).children())

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return len(self.blocks)

    @property
    def width(self) -> int:
        """Size d of a hidden state."""
        return int(self.network.config.hidden_size)

    @property
    def n_logits(self) -> int:
        """Number of logits per token; some heads are wider than the vocabulary."""
        nothing = torch.zeros(0, self.width, dtype=self.dtype, device=self.device)
        return self.head_logits(nothing).shape[-1]

    @property
    def max_length(self) -> int | None:
        """Longest text in tokens; None if unbounded."""
        if self.architecture.longest_text == "none":
            return None
        return int(self.network.config.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        """Device of token ids and logits: `main_device`, else that of the first weight."""
        return self.main_device or next(self.network.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the weights that are not packed."""
        return next(self.network.parameters()).dtype

    @property
    def dtype_name(self) -> str:
        """Value of `dtype` with which `load` gives this model."""
        return self.packing or str(self.dtype).removeprefix("torch.")

    def mlp_out_name(self, layer: int) -> str:
        """Module path of `layer`'s second MLP matrix.

        Raises:
            PitfallsError: the model has no such layer.
        """
        if not 0 <= layer < self.n_layers:
            raise PitfallsError(
                f"layer {layer} does not exist: {self.name} has layers 0 to {self.n_layers - 1}"
            )
        return f"{self.architecture.blocks}.{layer}.{self.architecture.mlp_out}"

    def mlp_weight_names(self, layer: int) -> list[str]:
        """Parameter names of all of `layer`'s MLP matrices, from first to last."""
        block = self.mlp_out_name(layer).removesuffix(self.architecture.mlp_out)
        paths = (*self.architecture.mlp_in, self.architecture.mlp_out)
        return [f"{block}{path}.weight" for path in paths]

    def mlp_out(self, layer: int) -> nn.Module:
        """Module of `layer`'s second MLP matrix."""
        return self.network.get_submodule(self.mlp_out_name(layer))

    def weight(self, name: str) -> Float[Tensor, "..."]:
        """View of a parameter in the orientation of `Change`: [d_out, d_in], or [d_out].

        A packed matrix is unpacked first, and stays unpacked.
        """
        path = name.rpartition(".")[0]
        if is_packed(packed := self.network.get_submodule(path)):
            dense = unpacked(packed, self.dtype)
            self.network.set_submodule(path, dense)
            if not self.plain:
                take_quick_products(dense)
        parameter = self.network.get_parameter(name)
        return parameter.mT if parameter.ndim == 2 and self.is_conv1d(name) else parameter

    def is_conv1d(self, name: str) -> bool:
        """Whether the parameter's module stores matrices as [d_in, d_out]."""
        return isinstance(self.network.get_submodule(name.rpartition(".")[0]), Conv1D)

    def head_logits(self, hidden: Float[Tensor, "... d"]) -> Float[Tensor, "... vocabulary"]:
        """Logits in float32 from hidden states after the final norm."""
        return logits_of(self.network, self.architecture, hidden)

    def run(
        self,
        ids: Int[Tensor, "rows new"],
        mask: Bool[Tensor, "rows every"],
        positions: Int[Tensor, "rows new"],
        cache: Cache | None = None,
    ) -> Float[Tensor, "rows new d"]:
        """Hidden states after the final norm, for tokens that follow those in `cache`; it grows."""
        told = {"position_ids": positions} if self.architecture.takes_positions else {}
        output = self.network.base_model(
            input_ids=ids,
            attention_mask=mask.long(),
            past_key_values=cache,
            use_cache=cache is not None,
            **told,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden.to(self.device)

    def batch(self, splits: Sequence[Split], *, n_left: int = 0) -> SplitBatch:
        """Pad `splits` into a batch on the model's device, left parts to at least `n_left`.

        Raises:
            PitfallsError: a text longer than the model can read.
        """
        refuse_too_long(splits, self.max_length, self.name)
        return batch_splits(splits, device=self.device, n_left=n_left)

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """Cache the result of `make()` under `key`, for the lifetime of the model.

        Meant for costly values that follow from the frozen weights and `key`, as second moments do.
        """
        if key not in self._memory:
            self._memory[key] = make()
        return cast("T", self._memory[key])
