"""Tensors that a later fit needs beside the changes: keys of earlier edits, running statistics.

They are part of the edit, not of the editor, so that a chain of jobs gives the same result in
whichever process each job runs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from pitfalls.errors import PitfallsError


@dataclass(frozen=True, slots=True, eq=False)
class Carried(ABC):
    """One named tensor, and how it joins that of a later update."""

    word: ClassVar[str]
    """Name of the kind in a file."""

    tensor: Tensor

    @abstractmethod
    def plus(self, later: "Carried") -> "Carried":
        """State after both updates, this one first."""

    def to(self, device: torch.device | str) -> "Carried":
        """The same on `device`."""
        return type(self)(self.tensor.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Columns(Carried):
    """Columns that grow in number from update to update, such as keys: [d, n]."""

    word: ClassVar[str] = "columns"

    def plus(self, later: Carried) -> "Columns":
        """Columns of both.

        Raises:
            PitfallsError: the later ones are of another length.
        """
        if len(self.tensor) != len(later.tensor):
            raise PitfallsError(
                f"two updates carry columns of {len(self.tensor)} and {len(later.tensor)} numbers: "
                "they were made for different models"
            )
        first = self.tensor.to(later.tensor.device)  # the later one was fitted just now
        return Columns(torch.cat([first, later.tensor], 1))


@dataclass(frozen=True, slots=True, eq=False)
class Latest(Carried):
    """State that each fit takes over and replaces, such as a running mean."""

    word: ClassVar[str] = "latest"

    def plus(self, later: Carried) -> Carried:
        """The later state."""
        return later


KINDS: tuple[type[Carried], ...] = (Columns, Latest)
"""Kinds that a file may hold."""

CarriedBy: TypeAlias = Mapping[str, Carried]
"""Name, as the editor chose it → tensor."""


def joined(first: CarriedBy, second: CarriedBy) -> dict[str, Carried]:
    """Carried tensors of the sum of two updates.

    Raises:
        PitfallsError: they were made for different models.
    """
    both = {name: first[name].plus(second[name]) for name in first if name in second}
    return {**first, **second, **both}


def carried_of(tensors: Mapping[str, Tensor]) -> Carried:
    """The carried tensor that a file has under one name, by the word of its kind.

    Raises:
        ValueError: it is of none of the kinds, or not finite; the message goes on after its name.
    """
    ((word, tensor), *others) = tensors.items()
    kind = next((kind for kind in KINDS if kind.word == word and not others), None)
    if kind is None:
        expected = " or ".join(kind.word for kind in KINDS)
        raise ValueError(f"is a {', '.join(tensors)}, expected {expected}")
    if kind is Columns and tensor.ndim != 2:
        raise ValueError(f"has {tensor.ndim} axes, expected columns [d, n]")
    if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
        raise ValueError("is not finite, or not in floating point")
    return kind(tensor)
