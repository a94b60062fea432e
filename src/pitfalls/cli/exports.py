"""Where `pitfalls edit` writes an edited model besides the stack: a checkpoint, an adapter."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pitfalls.disk import refuse_taken
from pitfalls.errors import PitfallsError

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.models.language_model import LanguageModel
    from pitfalls.updates.lora import Adapter
    from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True)
class Exports:
    """Where the edited model goes besides the stack."""

    merge: Path | None
    lora: Path | None
    rank: int | None

    def __bool__(self) -> bool:
        return bool(self.merge or self.lora)

    def check(self, out: Path) -> None:
        """Refuse what cannot be written before anything long begins.

        Args:
            out: where the stack is.

        Raises:
            PitfallsError: a folder is there already or named twice, or PEFT is not there.
        """
        if self.rank is not None and self.lora is None:
            raise PitfallsError("--rank is about an adapter: give --lora DIR")
        folders = [folder for folder in (self.merge, self.lora) if folder is not None]
        for folder in folders:
            refuse_taken(folder)
        if len({folder.absolute() for folder in (out, *folders)}) <= len(folders):
            raise PitfallsError("--out, --merge and --lora need a folder each: name different ones")
        if self.lora is not None:
            from pitfalls.updates.lora import check_peft  # torch, once the folders are good

            check_peft()

    def check_for(self, model: "LanguageModel") -> None:
        """Refuse what cannot be written of `model`.

        Raises:
            PitfallsError: a checkpoint of a model that is kept in too few bits.
        """
        from pitfalls.updates.export import refuse_packed

        if self.merge is not None:
            refuse_packed(model)

    def prepared(self, update: "Update") -> "Adapter | None":
        """The adapter that will be written, if one is wanted.

        Raises:
            PitfallsError: the update has no such form.
        """
        from pitfalls.updates.lora import Adapter

        return Adapter.of(update, rank=self.rank) if self.lora else None

    def write(self, model: "LanguageModel", update: "Update", adapter: "Adapter | None") -> None:
        """Write what is wanted.

        Raises:
            PitfallsError: a disk does not take it.
        """
        from pitfalls.updates.export import save_merged

        if self.merge is not None:
            save_merged(model, update, self.merge)
        if self.lora is not None and adapter is not None:
            adapter.save(model, self.lora)

    def told(self, adapter: "Adapter | None") -> list[str]:
        """Lines about what was written."""
        lines = [f"Checkpoint: {self.merge}"] if self.merge else []
        if self.lora and adapter is not None:
            ranks = sorted(set(adapter.ranks.values()))
            line = f"Adapter: {self.lora}, rank {', '.join(map(str, ranks))}"
            lines.append(line + f", relative error {adapter.error:.2g}" * bool(self.rank))
        return lines
