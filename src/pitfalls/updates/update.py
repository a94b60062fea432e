"""`Update`: an edit as a value.

An editor never leaves a changed model behind; it returns one of these. Updates add up, save, load,
tell their norms, hold for the length of a `with` block, or are committed for good.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from pydantic import RootModel
from safetensors.torch import save

from pitfalls.disk import write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.patches import every_row
from pitfalls.models.weights.changes import Change, change_of
from pitfalls.models.weights.quantised import is_packed
from pitfalls.models.weights.tensor_file import read_tensors

KEY = "pitfalls"
"""Where in a file's metadata the history is."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a part of an update comes from and how its fit went."""

    editor: str
    """The editor with its settings, as its `repr` writes them."""
    edits: tuple[str, ...]
    model: str
    """Fingerprint of the unedited model."""
    losses: tuple[float, ...]
    """The objective at every step, in order; for several edits one after the other."""
    seconds: float
    """The job's share of the wall-clock time of its batch."""
    failure: str | None = None
    """Why there is no change, such as a loss that is not finite; None where there is one."""


class _History(RootModel[tuple[Provenance, ...]]):
    pass


@dataclass(frozen=True, eq=False)
class Update:
    """Weight name → its change, and where each came from."""

    changes: Mapping[str, Change] = field(default_factory=lambda: MappingProxyType({}))
    history: tuple[Provenance, ...] = ()

    def __repr__(self) -> str:
        """How much it is, on one line."""
        edits = sum(len(part.edits) for part in self.history)
        return f"<Update: {edits} edits, {len(self.changes)} weights changed>"

    @classmethod
    def fitted(cls, changes: Mapping[str, Change], origin: Provenance) -> "Update":
        """What a fit came to: without changes if it failed, or if they are not finite."""
        broken = [name for name, change in changes.items() if not change.is_finite]
        if broken and origin.failure is None:
            origin = replace(origin, failure=f"the change of {broken[0]} is not finite")
        return cls(MappingProxyType({} if origin.failure else dict(changes)), (origin,))

    def __add__(self, other: "Update") -> "Update":
        """Both edits, this one first. Low-rank changes of one weight stay low-rank.

        Raises:
            PitfallsError: they are changes of different models.
        """
        names = [*self.changes, *(name for name in other.changes if name not in self.changes)]
        changes = {name: _sum(self.changes.get(name), other.changes.get(name)) for name in names}
        return Update(MappingProxyType(changes), self.history + other.history)

    def __eq__(self, other: object) -> bool:
        """Equal in every bit of every factor, and in history."""
        if not isinstance(other, Update) or self.changes.keys() != other.changes.keys():
            return False
        pairs = ((self.changes[n].tensors(), other.changes[n].tensors()) for n in self.changes)
        # Compared as written: a fit that diverged has a loss of NaN, which equals nothing.
        return repr(self.history) == repr(other.history) and all(
            a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a) for a, b in pairs
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def failure(self) -> str | None:
        """The first reason why a part of this update could not be fitted, or None."""
        return next((part.failure for part in self.history if part.failure), None)

    @property
    def norms(self) -> dict[str, float]:
        """Weight name → Frobenius norm of its change."""
        return {name: change.norm for name, change in self.changes.items()}

    def to(self, device: torch.device | str) -> "Update":
        """The same changes on `device`, where the model that they are read with is."""
        changes = {name: change.to(device) for name, change in self.changes.items()}
        return Update(MappingProxyType(changes), self.history)

    @contextmanager
    def applied(self, model: LanguageModel) -> Iterator[None]:
        """Inside the block `model` is edited; after it every weight is what it was, bit for bit."""
        self.refuse_misfit(model)
        _refuse_on_disk(model, self)
        fixed = {name: change for name, change in self.changes.items() if change.matrix is not None}
        gated = {name: change for name, change in self.changes.items() if name not in fixed}
        originals = {name: model.network.get_parameter(name).detach().clone() for name in fixed}
        try:
            Update(fixed).commit(model)
            with every_row(model.network, gated):
                yield
        finally:
            with torch.no_grad():
                for name, original in originals.items():
                    model.network.get_parameter(name).copy_(original)

    def commit(self, model: LanguageModel) -> None:
        """Change `model`'s weights for good.

        Raises:
            PitfallsError: the model has no such weight, or one of another shape, or a change is
                no sum with a weight.
        """
        self.refuse_misfit(model)
        _refuse_on_disk(model, self)
        matrices = {name: _written_out(name, change) for name, change in self.changes.items()}
        with torch.no_grad():
            for name, matrix in matrices.items():
                weight = model.weight(name)
                weight.copy_(weight.float() + matrix.to(weight.device))

    def refuse_misfit(self, model: LanguageModel) -> None:
        """Refuse `model` if these are no changes of its weights.

        Raises:
            PitfallsError: it has no such weight, or one of another shape.
        """
        for name, change in self.changes.items():
            _check_fit(model, name, change)

    def save(self, path: Path | str) -> None:
        """Write as safetensors, history included, whole or not at all.

        Raises:
            PitfallsError: the file cannot be written.
        """
        tensors = {
            f"{name}:{part}": tensor.contiguous()
            for name, change in self.changes.items()
            for part, tensor in change.tensors().items()
        }
        history = json.dumps([asdict(part) for part in self.history])
        write_bytes(Path(path), save(tensors, metadata={KEY: history}))

    @classmethod
    def load(cls, path: Path | str) -> "Update":
        """Read what `save` wrote.

        Raises:
            PitfallsError: no such file, not an update, or a change that is not finite.
        """
        complaint = "is not an update saved by pitfalls"
        told, tensors = read_tensors(path, KEY, _History, complaint=complaint)
        changes = {}
        for name, some in _parts(tensors).items():
            try:
                changes[name] = change_of(some)
            except ValueError as fault:
                where = f"{path} {complaint}: the change of {name!r}"
                raise PitfallsError(f"{where} {fault}") from fault
        return cls(MappingProxyType(changes), told.root)

    def __iter__(self) -> Iterator[str]:
        """The names of the weights that change."""
        return iter(self.changes)


def _sum(first: Change | None, second: Change | None) -> Change:
    if first is None or second is None:
        present = first or second
        assert present is not None, "a name comes from at least one of the two"
        return present
    if first.shape != second.shape:
        raise PitfallsError(
            f"two updates change one weight of the shapes {first.shape} and {second.shape}: "
            "they were made for different models"
        )
    return first.plus(second)


def _parts(tensors: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """Name of a weight → the tensors of its change."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, part = key.rpartition(":")
        parts.setdefault(name, {})[part] = tensor
    return parts


def _written_out(name: str, change: Change) -> torch.Tensor:
    if change.matrix is None:
        raise PitfallsError(
            f"the change of {name!r} looks at the text, so that no weight holds it: keep the "
            "update beside the model"
        )
    return change.matrix


def _check_fit(model: LanguageModel, name: str, change: Change) -> None:
    try:
        expected = _shape_in(model, name)
    except AttributeError as error:
        raise PitfallsError(
            f"the update changes {name!r}, which {model.name} lacks: it was made for another model"
        ) from error
    if expected != change.shape:
        raise PitfallsError(
            f"the update changes {name!r} of shape {change.shape}, {model.name} has {expected}: "
            "it was made for another model"
        )


def _shape_in(model: LanguageModel, name: str) -> tuple[int, ...]:
    """Shape of a weight as changes have it, whether or not it lies packed."""
    parameter = model.network.get_parameter(name)
    module: Any = model.network.get_submodule(name.rpartition(".")[0])
    if is_packed(module) and parameter is module.weight:
        return module.out_features, module.in_features
    shape = tuple(parameter.shape)
    return shape[::-1] if model.is_conv1d(name) else shape


def _refuse_on_disk(model: LanguageModel, names: Iterable[str]) -> None:
    """Refuse to change what is not in memory; reading with a change on top is no change."""
    for name in names:
        if model.network.get_parameter(name).is_meta:
            raise PitfallsError(
                f"{name} of {model.name} lies on disk, where it is not changed: load the model "
                "with a device map that keeps this module in memory"
            )
