"""Facts that a model knows: only these can be traced."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pitfalls.errors import PitfallsError
from pitfalls.facts import Fact
from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.passes import logits_at, right_output
from pitfalls.models.tokens import Split
from pitfalls.progress import SILENT, Progress

ASKED_AT_ONCE = 128
"""Facts read between two tests of whether enough are known."""


@dataclass(frozen=True, slots=True)
class Known:
    """Facts that a model knows, and the number that were tried."""

    recalls: tuple[Recall, ...]
    asked: int
    """Number of facts tried."""


def known_facts(
    model: LanguageModel,
    facts: Sequence[Fact],
    *,
    count: int,
    rank: int = 1,
    token_budget: int = 4096,
    progress: Progress = SILENT,
) -> Known:
    """Find the first `count` of `facts` that the model knows.

    The model knows a fact if every token of the object is among the `rank` most probable ones after
    the prompt and the object's earlier tokens. Facts whose object starts with a token of the prompt
    are skipped, since the model could copy it. Of several facts with the same prompt, only the
    first known one counts.

    Args:
        model: the model.
        facts: facts in the order in which they are tried.
        count: number of known facts to find.
        rank: with 1, the object must be the model's first choice.
        token_budget: most padded tokens in one forward pass.
        progress: notified of every fact found.

    Raises:
        PitfallsError: none is known, or `count` or `rank` is below 1.
    """
    if count < 1 or rank < 1:
        raise PitfallsError(f"{count} facts of rank {rank}: expected at least 1 of both")
    recalls = [recall for fact in facts if not (recall := Recall.of(model, fact)).copies]
    found: dict[str, Recall] = {}
    asked = 0
    with progress.stage("facts that the model knows", total=count, unit="facts") as advance:
        for begin in range(0, len(recalls), ASKED_AT_ONCE):
            some = recalls[begin : begin + ASKED_AT_ONCE]
            for recall, worst in zip(some, _worst_ranks(model, some, token_budget), strict=True):
                asked += 1
                if worst <= rank and recall.prompt not in found:
                    found[recall.prompt] = recall
                    advance(1)
                if len(found) == count:
                    return Known(tuple(found.values()), asked)
    if not found:
        raise PitfallsError(
            f"{model.name} knows none of {asked} facts: allow a greater --rank or take other facts"
        )
    return Known(tuple(found.values()), asked)


@torch.no_grad()
def _worst_ranks(model: LanguageModel, recalls: Sequence[Recall], token_budget: int) -> list[int]:
    """Largest rank, from 1, of the tokens of each object at their positions."""

    def read(part: Sequence[int]) -> list[int]:
        some = [recalls[i] for i in part]
        batch = model.batch([Split((), each.ids + each.object_ids[:-1]) for each in some])
        hidden = right_output(model, batch, None)
        places = [
            (row, len(each.ids) - 1 + j, token)
            for row, each in enumerate(some)
            for j, token in enumerate(each.object_ids)
        ]
        row, column, ids = torch.tensor(places, device=model.device).unbind(1)
        logits = logits_at(model, hidden, row, column)
        ranks = 1 + (logits > logits.gather(1, ids[:, None])).sum(1)
        by_fact = ranks.split([len(each.object_ids) for each in some])
        return [int(each.max()) for each in by_fact]

    sizes = [(1, len(each.ids) + len(each.object_ids) - 1) for each in recalls]
    worst: dict[int, int] = {}
    for part in batches_within(sizes, token_budget):
        worst.update(zip(part, run_split_on_oom(read, part), strict=True))
    return [worst[i] for i in range(len(recalls))]
