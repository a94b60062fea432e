"""MEMIT-Merge: facts of one subject share a key, and so they share a value (Dong et al. 2025)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, MOMENTS, About
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.moment_factors import moment_factors
from pitfalls.editors.insertion.multi_label import Insertion
from pitfalls.editors.insertion.search_texts import Search, search_rows
from pitfalls.editors.insertion.spreading import Batch, SpreadingEditor
from pitfalls.editors.insertion.value_search import Found
from pitfalls.facts import Edit, Entity
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Changes, LowRank
from pitfalls.settings import Positive
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class MemitMerge(SpreadingEditor):
    """MEMIT with one key and one value for each subject of a job.

    MEMIT writes the mean of the values of facts that share a key, which makes none of them likely.
    Here one value is searched for that makes all of them likely (arXiv:2502.07322). Prompts that
    differ in front of the subject have different keys; their mean is the subject's.
    """

    title: ClassVar[str] = "MEMIT-Merge"
    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=MOMENTS, paper="Dong et al. 2025, arXiv:2502.07322"
    )

    multi_label: Literal["separate"] = "separate"
    """Edits towards several objects are facts of one subject like any others."""
    moment_weight: Positive = 15_000.0
    """λ, how much the old associations weigh against the new ones."""

    def insertions(self, edits: Sequence[Edit]) -> list[Insertion]:
        """One per subject, in the order of their first edits."""
        groups: dict[Entity, list[Edit]] = {}
        for edit in edits:
            groups.setdefault(edit.subject, []).append(edit)
        return [tuple(group) for group in groups.values()]

    def searches(
        self,
        model: LanguageModel,
        insertions: Sequence[tuple[Insertion, Changes]],
        contexts: Sequence[str],
    ) -> list[Search]:
        """L(δ) with −mean_j log p(o_j | prompt_j, h + δ) over the facts j of a subject."""
        found = []
        for insertion, changes in insertions:
            rows = [search_rows(model, edit, contexts) for edit in insertion]
            asked = (row for of_edit in rows for row in of_edit[:-1])
            found.append(Search((*asked, rows[0][-1]), changes))
        return found

    def key_edits(self, insertion: Insertion) -> Insertion:
        """One edit for each prompt."""
        return tuple({edit.relation.prompt: edit for edit in insertion}.values())

    def values(self, batch: Batch, advance: Callable[[float], None]) -> list[Found]:
        """Searched values; those of several prompts stand on the mean of what they give now."""
        found = super().values(batch, advance)
        several = [len(self.key_edits(edits)) > 1 for _, edits in batch.insertions]
        if not any(several):
            return found
        before = self.now(batch, [job.base for job in batch.jobs])
        return [
            replace(each, initial=mean) if many else each
            for each, mean, many in zip(found, before, several, strict=True)
        ]

    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> LowRank:
        """ΔW = R Kᵀ (λC + KKᵀ)⁻¹ over subjects; what the base carries plays no part."""
        del base
        C = moment_factors(model, self.layers, self.moments)[layer]
        return batch_insertion(K, R, C, self.moment_weight)
