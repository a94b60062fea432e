"""`Update`: an edit as a value.

An editor never leaves a changed model behind; it returns one of these. Updates add up, save, load,
tell their norms, hold for the length of a `with` block, or are committed for good.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from pydantic import BaseModel, RootModel

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question
from pitfalls.models.running.patches import every_row
from pitfalls.models.weights.changes import Change, Changes, change_of
from pitfalls.models.weights.tensor_file import read_tensors, write_tensors
from pitfalls.updates.carried import Carried, CarriedBy, carried_of, joined
from pitfalls.updates.context import Context, as_json, context_of
from pitfalls.updates.devices import all_finite, meeting_place, same_bits
from pitfalls.updates.misfit import check_fit, refuse_on_disk
from pitfalls.updates.provenance import Provenance

KEY = "pitfalls"
"""Key of a file's metadata."""
CARRIED = "carried/"
"""Beginning of the names of tensors that are carried, in a file."""


class _Told(BaseModel):
    """Metadata of a file: all that is no tensor."""

    history: tuple[Provenance, ...]
    context: dict[str, Any] | None = None


class _File(RootModel[_Told | tuple[Provenance, ...]]):
    """Files of versions before 0.3 hold the history alone."""

    @property
    def told(self) -> _Told:
        return self.root if isinstance(self.root, _Told) else _Told(history=self.root)


@dataclass(frozen=True, eq=False)
class Update:
    """All in which an edited model differs from the unedited one, and where it came from."""

    changes: Changes = field(default_factory=lambda: MappingProxyType({}))
    """Weight name → its change."""
    history: tuple[Provenance, ...] = ()
    """Origin of each part, in the order of the edits."""
    carried: CarriedBy = field(default_factory=lambda: MappingProxyType({}))
    """Tensors that a later fit needs; nothing that reads the edited model looks at them."""
    context: Context | None = None
    """Text in front of prompts."""

    def __repr__(self) -> str:
        """How much it is, on one line."""
        edits = sum(len(part.edits) for part in self.history)
        told = "" if self.context is None else ", text before prompts"
        return f"<Update: {edits} edits, {len(self.changes)} weights changed{told}>"

    @classmethod
    def fitted(
        cls, changes: Changes, origin: Provenance, carried: CarriedBy | None = None
    ) -> "Update":
        """Outcome of a fit: without changes if it failed, or if they are not finite."""
        broken = [] if all_finite(changes) else [n for n, c in changes.items() if not c.is_finite]
        if broken and origin.failure is None:
            origin = replace(origin, failure=f"the change of {broken[0]} is not finite")
        if origin.failure:
            return cls(history=(origin,))
        return cls(MappingProxyType(dict(changes)), (origin,), MappingProxyType(carried or {}))

    def __add__(self, other: "Update") -> "Update":
        """Both edits, this one first. Low-rank changes of one weight stay low-rank.

        Raises:
            PitfallsError: they are changes of different models.
        """
        names = [*self.changes, *(name for name in other.changes if name not in self.changes)]
        changes = {name: _sum(self.changes.get(name), other.changes.get(name)) for name in names}
        return Update(
            MappingProxyType(changes),
            self.history + other.history,
            MappingProxyType(joined(self.carried, other.carried)),
            self.context.plus(other.context)
            if self.context and other.context
            else self.context or other.context,
        )

    def __eq__(self, other: object) -> bool:
        """Equal in every bit of every tensor, in context and in history."""
        if not isinstance(other, Update) or self.context != other.context:
            return False
        ours, theirs = self._tensors(), other._tensors()
        # Compared as written: a fit that diverged has a loss of NaN, which equals nothing.
        return (
            repr(self.history) == repr(other.history)
            and ours.keys() == theirs.keys()
            and all(same_bits(tensor, theirs[name]) for name, tensor in ours.items())
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
        return replace(
            self,
            changes={name: change.to(device) for name, change in self.changes.items()},
            carried={name: each.to(device) for name, each in self.carried.items()},
        )

    @property
    def only_changes(self) -> Changes:
        """The changes, for fits that cannot see text in front of a prompt.

        Raises:
            PitfallsError: there is such text.
        """
        if self.context is not None:
            raise PitfallsError(
                "an edit by text in front of the prompt cannot be built on by an editor that "
                "changes weights: make the edits of weights first"
            )
        return self.changes

    def asked(self, prompt: str) -> str:
        """The text that the model reads in place of `prompt`."""
        return prompt if self.context is None else self.context.before(prompt) + prompt

    def question(self, prompt: str, target: str) -> Question:
        """How probable `target` is after `prompt` once the model is edited."""
        return Question(self.asked(prompt), target, self.changes)

    @contextmanager
    def applied(self, model: LanguageModel) -> Iterator[None]:
        """Inside the block `model` is edited; after it every weight is what it was, bit for bit.

        Text in front of prompts is no part of the model: give it `asked` of a prompt.
        """
        self.refuse_misfit(model)
        refuse_on_disk(model, self)
        fixed = {name: change for name, change in self.changes.items() if change.matrix is not None}
        gated = {name: change for name, change in self.changes.items() if name not in fixed}
        originals = {name: model.network.get_parameter(name).detach().clone() for name in fixed}
        try:
            Update(fixed).commit(model)  # without the context, which the reader puts in front
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
        self.refuse_beside()
        self.refuse_misfit(model)
        refuse_on_disk(model, self)
        with torch.no_grad():
            for name, change in self.changes.items():
                weight = model.weight(name)
                assert change.matrix is not None, "refuse_beside saw to it"
                weight.copy_(weight.float() + change.matrix.to(weight.device))

    def refuse_beside(self) -> None:
        """Refuse to be written into weights where a part of the edit lies beside them.

        Raises:
            PitfallsError: there is text in front of prompts, or a change that looks at the text.
        """
        why = "it puts text in front of prompts" if self.context is not None else None
        gated = [name for name, change in self.changes.items() if change.matrix is None]
        if why or gated:
            why = why or f"its change of {gated[0]!r} looks at the text"
            raise PitfallsError(
                f"no weights hold the whole update ({why}): keep it beside the model"
            )

    def refuse_misfit(self, model: LanguageModel) -> None:
        """Refuse `model` if these are no changes of its weights.

        Raises:
            PitfallsError: it has no such weight, or one of another shape.
        """
        for name, change in self.changes.items():
            check_fit(model, name, change)

    def save(self, path: Path | str) -> None:
        """Write as safetensors, history included, whole or not at all.

        Raises:
            PitfallsError: the file cannot be written.
        """
        told: dict[str, Any] = {"history": [asdict(part) for part in self.history]}
        if self.context is not None:
            told["context"] = as_json(self.context)
        write_tensors(path, self._tensors(), KEY, told)

    @classmethod
    def load(cls, path: Path | str) -> "Update":
        """Read what `save` wrote.

        Raises:
            PitfallsError: no such file, not an update, or a change that is not finite.
        """
        complaint = "is not an update saved by pitfalls"
        file, tensors = read_tensors(path, KEY, _File, complaint=complaint)
        told, changes, carried = file.told, dict[str, Change](), dict[str, Carried]()
        for name, some in _parts(tensors).items():
            try:
                if name.startswith(CARRIED):
                    carried[name.removeprefix(CARRIED)] = carried_of(some)
                else:
                    changes[name] = change_of(some)
            except ValueError as fault:
                where = f"{path} {complaint}: the change of {name!r}"
                raise PitfallsError(f"{where} {fault}") from fault
        where = f"{path} {complaint}: context"
        context = None if told.context is None else context_of(told.context, where=where)
        return cls(MappingProxyType(changes), told.history, MappingProxyType(carried), context)

    def _tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor in it, by a name that tells what it is a part of."""
        of_changes = {
            f"{name}:{part}": tensor
            for name, change in self.changes.items()
            for part, tensor in change.tensors().items()
        }
        of_carried = {
            f"{CARRIED}{name}:{each.word}": each.tensor for name, each in self.carried.items()
        }
        return {**of_changes, **of_carried}

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
    where = meeting_place(first, second)
    return first.to(where).plus(second.to(where))


def _parts(tensors: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """Name of a weight → the tensors of its change."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, part = key.rpartition(":")
        parts.setdefault(name, {})[part] = tensor
    return parts
