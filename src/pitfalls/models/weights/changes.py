"""Change of one named weight: the interface, and its two plainest kinds."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.errors import PitfallsError
from pitfalls.models.weights.products import linear


class Change(ABC):
    """A change of one weight. Whoever holds one asks it, and never what kind it is."""

    parts: ClassVar[tuple[str, ...]]
    """Its fields, all of them tensors; a file tells a kind of change by their names."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the weight that it fits: [d_out, d_in], or [d_out] for a vector."""

    @property
    def matrix(self) -> Float[Tensor, "..."] | None:
        """Δ written out in that shape; None where no fixed Δ does the same to every input."""
        return None

    @abstractmethod
    def effect(self, x: Float[Tensor, "rows tokens d_in"]) -> Float[Tensor, "rows tokens d_out"]:
        """Sum to be added to the output of a linear layer.

        Args:
            x: the layer's input in float32.
        """

    @property
    @abstractmethod
    def norm(self) -> float:
        """Frobenius norm of Δ, or the like where there is none."""

    @abstractmethod
    def plus(self, later: "Change") -> "Change":
        """Both changes of one weight, this one first."""

    def tensors(self) -> dict[str, Tensor]:
        """All that it consists of: its tensors under their names in `parts`."""
        return {name: getattr(self, name) for name in self.parts}

    def to(self, device: torch.device | str) -> "Change":
        """The same change on `device`."""
        return type(self)(**{name: each.to(device) for name, each in self.tensors().items()})

    def low_rank(self, rank: int | None) -> "LowRank":
        """The nearest change of the form B·A, which is what an adapter holds.

        Args:
            rank: the most that B·A may have, where the change itself is of no lower rank.

        Raises:
            PitfallsError: no B·A comes near, or a rank has to be given.
        """
        raise PitfallsError(f"a {type(self).__name__}, which no LoRA holds")

    @classmethod
    def misfit(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Whether these, named as in `parts`, do not fit each other."""
        del tensors
        return False

    @property
    def is_finite(self) -> bool:
        """Whether every number in it is finite."""
        return all(bool(tensor.isfinite().all()) for tensor in self.tensors().values())


@dataclass(frozen=True, slots=True, eq=False)
class LowRank(Change):
    """ΔW = B·A, the LoRA convention, whatever layout the model stores W in."""

    parts: ClassVar[tuple[str, ...]] = ("B", "A")

    B: Float[Tensor, "d_out r"]
    A: Float[Tensor, "r d_in"]

    @property
    def shape(self) -> tuple[int, ...]:
        """[d_out, d_in]."""
        return (self.B.shape[0], self.A.shape[1])

    @property
    def matrix(self) -> Float[Tensor, "d_out d_in"]:
        """ΔW written out."""
        return self.B @ self.A

    def effect(self, x: Float[Tensor, "rows tokens d_in"]) -> Float[Tensor, "rows tokens d_out"]:
        """B(Ax), without writing ΔW out."""
        return linear(linear(x, self.A.to(x.device)), self.B.to(x.device))

    @property
    def norm(self) -> float:
        """‖BA‖ from ‖BA‖² = ⟨BᵀB, AAᵀ⟩."""
        gram = (self.B.mT.double() @ self.B.double()) * (self.A.double() @ self.A.mT.double())
        return math.sqrt(max(gram.sum().item(), 0.0))

    def plus(self, later: Change) -> Change:
        """Low-rank with another low-rank one."""
        if isinstance(later, LowRank):
            return LowRank(torch.cat([self.B, later.B], 1), torch.cat([self.A, later.A], 0))
        return Dense(self.matrix).plus(later)

    @classmethod
    def misfit(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Whether B and A are no matrices of one rank."""
        B, A = tensors["B"], tensors["A"]
        return B.ndim != 2 or A.ndim != 2 or B.shape[1] != len(A)

    def low_rank(self, rank: int | None) -> "LowRank":
        """Itself; `rank` plays no part."""
        del rank
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Dense(Change):
    """ΔW (d_out × d_in) written out, or the change of a vector (d_out)."""

    parts: ClassVar[tuple[str, ...]] = ("dense",)

    dense: Float[Tensor, "..."]

    @property
    def matrix(self) -> Float[Tensor, "..."]:
        """Δ."""
        return self.dense

    @property
    def shape(self) -> tuple[int, ...]:
        """That of Δ."""
        return tuple(self.dense.shape)

    def effect(self, x: Float[Tensor, "rows tokens d_in"]) -> Float[Tensor, "rows tokens d_out"]:
        """ΔW x, or Δb for every token."""
        matrix = self.matrix.to(x.device)
        return matrix.expand(*x.shape[:-1], -1) if matrix.ndim == 1 else linear(x, matrix)

    @property
    def norm(self) -> float:
        """‖Δ‖."""
        return self.matrix.norm().item()

    def plus(self, later: Change) -> Change:
        """Dense with whatever has a Δ.

        Raises:
            PitfallsError: the later change has none.
        """
        if later.matrix is None:
            raise PitfallsError(
                f"a {type(later).__name__} cannot be added to a dense change of the same weight"
            )
        return Dense(self.matrix + later.matrix)

    def low_rank(self, rank: int | None) -> LowRank:
        """The best approximation of ΔW of that rank, from its singular values.

        Raises:
            PitfallsError: no rank was given.
        """
        if rank is None:
            raise PitfallsError(
                "dense, which no LoRA holds: give --rank R to write its best "
                "approximation of rank R, or --merge for all of it"
            )
        left, scale, right = torch.linalg.svd(self.matrix.float(), full_matrices=False)
        return LowRank(left[:, :rank] * scale[:rank], right[:rank])


Changes: TypeAlias = Mapping[str, Change]
"""Weight name, such as `model.layers.4.mlp.down_proj.weight`, → its change."""

KINDS: tuple[type[Change], ...] = (LowRank, Dense)
"""Kinds that a file may hold."""


def change_of(tensors: Mapping[str, Tensor], kinds: Sequence[type[Change]] = KINDS) -> Change:
    """The change that these are the parts of, as they were read from a file.

    Raises:
        ValueError: they make up none of the kinds; the message goes on after "the change".
    """
    kind = next((kind for kind in kinds if tensors.keys() == set(kind.parts)), None)
    if kind is None:
        expected = " or ".join(f"({', '.join(kind.parts)})" for kind in kinds)
        raise ValueError(f"has the parts ({', '.join(sorted(tensors))}), expected {expected}")
    if any(not tensor.is_floating_point() for tensor in tensors.values()):
        raise ValueError("is not in floating point")
    if kind.misfit(tensors):
        raise ValueError("has parts that do not fit each other")
    if not (change := kind(**tensors)).is_finite:
        raise ValueError("is not finite")
    return change
