"""Editors that write a searched value under a key: the settings that all of them have."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.editors.editor import Editor
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.moment_factors import estimates, moment_factors
from pitfalls.editors.insertion.multi_label import MultiLabel, expected_searches
from pitfalls.editors.insertion.value_search import ValueSearch
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate, MomentSettings
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count


@dataclass(frozen=True, kw_only=True)
class InsertingEditor(Editor):
    """An editor that searches for values and writes them into second MLP matrices."""

    value: ValueSearch = ValueSearch()
    """Search for the value: v* (ROME §3.1, step 2), z (MEMIT §4.1)."""
    contexts: Contexts = Contexts()
    """Beginnings of texts that keys and values are averaged over."""
    moments: MomentSettings | None = MomentSettings()
    """Estimation of C (ROME §3.1, step 1); None takes C = I, where the method allows it."""
    multi_label: MultiLabel = "separate"
    """How edits of one job that share subject and prompt are made (paper §4.4)."""
    token_budget: Count = 768
    """The most padded tokens that one forward pass of the search replays."""
    key_budget: Count = 4096
    """The most padded tokens in one forward pass that reads keys."""

    @property
    @abstractmethod
    def edited_layers(self) -> tuple[int, ...]:
        """Layers whose second MLP matrix is changed, ascending; the value belongs to the last."""

    def check(self, model: LanguageModel) -> None:
        """Refuse layers that are not there."""
        for layer in self.edited_layers:
            model.mlp_out_name(layer)

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """Context templates of `fit`."""
        return self.contexts.of(model)

    def estimates(
        self, model: LanguageModel, *, progress: Progress = SILENT
    ) -> dict[int, Estimate]:
        """How C of each edited layer was estimated; none where C = I."""
        if self.moments is None:
            return {}
        return estimates(model, self.edited_layers, self.moments, progress=progress)

    def prepare(self, model: LanguageModel, progress: Progress) -> None:
        """Estimate C of all edited layers, as a stage of its own before that of the edits."""
        if self.moments is not None:
            moment_factors(model, self.edited_layers, self.moments, progress=progress)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """The searches, and the keys of every edited layer."""
        searches = expected_searches(model, edits, self.multi_label, self.contexts)
        tokens = sum(search.whole_length for search in searches)
        layer = self.edited_layers[-1]
        found = (self.value.cost(model, search, layer) for search in searches)
        return sum(found, Cost(sum(self.edited_layers) * tokens))
