"""`LanguageModel`: the window through which everything else sees a transformers model."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

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
from pitfalls.models.weights.fingerprint import fingerprint_of
from pitfalls.models.weights.loading import check_loadable, read_model
from pitfalls.models.weights.products import take_quick_products
from pitfalls.models.weights.quantised import PACKINGS, is_packed, take_exact_products, unpacked
from pitfalls.models.weights.spread import Placement, is_spread, main_device
from pitfalls.progress import SILENT, Progress

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A causal language model, its tokenizer and where its parts are.

    Weights are frozen and the network is in evaluation mode: editors return values
    (`pitfalls.updates.update.Update`) and never leave a changed model behind.
    """

    name: str
    """What the user called it."""
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    architecture: Architecture
    plain: bool = False
    """Run whole texts through every block as transformers does it, and form the logits of every
    token, as the published code does: what the fast paths are held to, and much slower."""
    main_device: torch.device | None = None
    """Where token ids go, if the weights are spread over devices."""
    packing: str | None = None
    """How the blocks' matrices were packed when they were loaded, a name in `PACKINGS`."""
    _memory: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        """What it is, on one line."""
        shape = f"{self.architecture.name}, {self.n_layers} layers"
        return f"<LanguageModel {self.name!r}: {shape}, {self.dtype_name} on {self.device}>"

    @classmethod
    def load(
        cls,
        name: str,
        *,
        dtype: str = "float32",
        device: Placement = "cpu",
        plain: bool = False,
        prefix: str = "",
        progress: Progress = SILENT,
    ) -> "LanguageModel":
        """Load from a local directory, a GGUF file, a packaged name or a hub id, in that order.

        Args:
            name: for example `smollm2-135m`, `./my-model`, `model.gguf`, `openai-community/gpt2`.
            dtype: what the weights are kept in, `float32` or `bfloat16`, or `nf4` or `int8` for
                the blocks' matrices, the rest in bfloat16; whatever is optimised stays in float32
                and edited matrices are unpacked.
            device: a torch device such as `cpu` or `cuda:0`, `auto` to spread the weights over
                accelerators, memory and disk, or a map that says where each module goes.
            plain: for the oracle of the fast paths; see the field.
            prefix: text in front of every text, such as `<|endoftext|>`; `bos` is the model's own
                beginning-of-text token.
            progress: told about downloads and conversions.

        Raises:
            PitfallsError: nothing of that name, a damaged file, no network, an unknown structure,
                a device that is not there, no bitsandbytes for the packing, or no such token.
        """
        check_loadable(dtype, device)
        directory = resolve(name, progress=progress)
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
        dtype: str = "float32",
        prefix: str = "",
        progress: Progress = SILENT,
    ) -> "LanguageModel":
        """Shapes and tokenizer alone, for plans: nothing can be run and next to no memory is used.

        The arguments and errors are those of `load`; packed matrices are outlined as unpacked ones.
        """
        check_loadable(dtype)
        directory = resolve(name, progress=progress)
        network, tokenizer = read_model(directory, dtype, "meta")
        begin_texts(tokenizer, prefix, name)
        packing = dtype if dtype in PACKINGS else None
        return cls.wrap(network, tokenizer, name=name, directory=directory, packing=packing)

    @property
    def is_outline(self) -> bool:
        """Whether there are no weights."""
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
        """Take over a network that is already in memory; it is frozen and set to evaluation.

        Args:
            network: a causal language model of transformers.
            tokenizer: its fast tokenizer.
            name: what to call it.
            plain: see the field.
            directory: where an `architecture.toml` may describe it.
            main_device: see the field.
            packing: see the field.

        Raises:
            PitfallsError: an unknown structure, or one that is more than its family's.
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
            _ = made.fingerprint  # taken now: matrices will be unpacked as editors ask for them
        if not made.is_outline:
            check_structure(network, architecture, made.device)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every weight's name, shape, dtype and bytes; equal models have equal ones."""
        return fingerprint_of(self.network)

    @cached_property
    def blocks(self) -> list[nn.Module]:
        """The transformer blocks, in order."""
        return list(self.network.get_submodule(self.architecture.blocks).children())

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return len(self.blocks)

    @property
    def width(self) -> int:
        """d, the size of a hidden state."""
        return int(self.network.config.hidden_size)

    @property
    def n_logits(self) -> int:
        """Size of the distribution over next tokens; some heads are wider than the vocabulary."""
        nothing = torch.zeros(0, self.width, dtype=self.dtype, device=self.device)
        return self.head_logits(nothing).shape[-1]

    @property
    def max_length(self) -> int | None:
        """Tokens that the model can read at once; None where nothing bounds them."""
        if self.architecture.longest_text == "none":
            return None
        return int(self.network.config.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        """Where token ids go and logits come from: the first weight's, unless told otherwise."""
        return self.main_device or next(self.network.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are kept in, but for those that are packed."""
        return next(self.network.parameters()).dtype

    @property
    def dtype_name(self) -> str:
        """What `load` has to be told to get this model again."""
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
        """`layer`'s second MLP matrix as a module."""
        return self.network.get_submodule(self.mlp_out_name(layer))

    def weight(self, name: str) -> Float[Tensor, "..."]:
        """A view of a parameter in the orientation of `Change`: [d_out, d_in], or [d_out].

        A matrix that lies packed is unpacked first, and stays so.
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
        """Whether a parameter belongs to a module that keeps matrices as [d_in, d_out]."""
        return isinstance(self.network.get_submodule(name.rpartition(".")[0]), Conv1D)

    def head_logits(self, hidden: Float[Tensor, "... d"]) -> Float[Tensor, "... vocabulary"]:
        """Logits in float32 of hidden states that have gone through the final norm."""
        return logits_of(self.network, self.architecture, hidden)

    def run(
        self,
        ids: Int[Tensor, "rows new"],
        mask: Bool[Tensor, "rows every"],
        positions: Int[Tensor, "rows new"],
        cache: Cache | None = None,
    ) -> Float[Tensor, "rows new d"]:
        """Hidden states after the final norm of tokens behind those in `cache`, which grows."""
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
        """Pad `splits`, left parts to at least `n_left`, and put them where the model is.

        Raises:
            PitfallsError: a text longer than the model can read.
        """
        refuse_too_long(splits, self.max_length, self.name)
        return batch_splits(splits, device=self.device, n_left=n_left)

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()` the first time `key` is asked for, the same object ever after.

        For what is costly and depends on nothing but this model's frozen weights and `key`, such as
        factorised second moments. It lives and dies with the model.
        """
        if key not in self._memory:
            self._memory[key] = make()
        value: T = self._memory[key]
        return value
