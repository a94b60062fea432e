"""How far a training of MEND has come, as a file: everything that going on needs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from torch import Tensor

from pitfalls.editors.mend.training import Figures, Learner
from pitfalls.errors import PitfallsError
from pitfalls.models.weights.tensor_file import read_tensors, write_tensors

KEY = "pitfalls-mend-training"
"""Where in the file's metadata everything that is no tensor is."""


class _Told(BaseModel):
    """Metadata of the file."""

    identity: Mapping[str, Any]
    step: int
    curve: tuple[Figures, ...]


@dataclass(frozen=True, eq=False)
class State:
    """A training between two batches."""

    identity: Mapping[str, Any]
    """Settings that a resumed training must share."""
    step: int
    """Batches seen."""
    curve: tuple[Figures, ...]
    """Figures of every validation so far."""
    best: Mapping[str, Tensor]
    """The networks of the best of them."""
    learner: Mapping[str, Tensor]
    """The networks under way, and what Adam keeps."""

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all.

        Raises:
            PitfallsError: the file cannot be written.
        """
        tensors = {**self.learner, **{f"best.{name}": t for name, t in self.best.items()}}
        curve = [asdict(figures) for figures in self.curve]
        told = {"identity": dict(self.identity), "step": self.step, "curve": curve}
        write_tensors(path, tensors, KEY, told)

    @classmethod
    def load(cls, path: Path, identity: Mapping[str, Any]) -> "State":
        """State that `save` wrote.

        Raises:
            PitfallsError: no such thing, or of another identity; the first difference is named.
        """
        complaint = "is no state of a training (delete it)"
        told, tensors = read_tensors(path, KEY, _Told, complaint=complaint)
        for key, value in identity.items():
            if (before := told.identity.get(key)) != value:
                raise PitfallsError(
                    f"{path} was begun with {key} = {before}, now it is {value}: "
                    "go on with the former, or delete the file to begin anew"
                )
        best = under(tensors, "best.")
        learner = {name: t for name, t in tensors.items() if not name.startswith("best.")}
        return cls(identity, told.step, told.curve, best, learner)


def learner_tensors(learner: Learner) -> dict[str, Tensor]:
    """Everything that a learner has learned."""
    tensors = {f"networks.{k}": v for k, v in learner.networks.state_dict().items()}
    for i, moments in learner.adam.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{key}": value for key, value in moments.items()}
    return tensors


def restore_learner(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    """Bring `learner` to where `learner_tensors` found another one."""
    learner.networks.load_state_dict(under(tensors, "networks."))
    adam = learner.adam.state_dict()
    adam["state"] = {}
    for name, tensor in under(tensors, "adam.").items():
        number, _, key = name.partition(".")
        adam["state"].setdefault(int(number), {})[key] = tensor
    learner.adam.load_state_dict(adam)


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
