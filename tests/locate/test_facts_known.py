"""Choice of known facts, and the roles of their tokens."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from known_words import FACTS, fact

from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.locate.known import known_facts
from pitfalls.locate.recall import ROLES, Recall
from pitfalls.models.language_model import LanguageModel


def recall_of(begin: int, end: int, n: int) -> Recall:
    return Recall(FACTS[0], "", tuple(range(n)), begin, end, (1,))


@given(st.integers(0, 3), st.integers(1, 4), st.integers(0, 4))
def test_every_token_of_the_tail_has_one_role_and_roles_come_in_order(
    before: int, subject: int, after: int
) -> None:
    recall = recall_of(before, before + subject, before + subject + after)
    roles = [recall.role(t) for t in recall.tail]
    assert len(roles) == subject + after
    assert roles == sorted(roles, key=ROLES.index)
    assert roles.count("last subject token") == 1
    assert roles.count("first subject token") == (subject > 1)
    assert roles.count("middle subject tokens") == max(0, subject - 2)
    assert roles.count("last token") == (after > 0)
    assert roles.count("first token after") == (after > 1)


def test_a_subject_is_where_its_characters_are(model: LanguageModel) -> None:
    for each in starter_graph().facts[::97]:
        recall = Recall.of(model, each)
        label = each.subject.label
        assert model.tokenizer.decode(recall.ids[recall.begin : recall.end]).strip() == label
        assert model.tokenizer.decode(recall.ids, skip_special_tokens=True) == recall.prompt
        assert model.tokenizer.decode(recall.object_ids).strip() == each.object.label


def rank_of(model: LanguageModel, recall: Recall) -> int:
    """Worst rank of the object's tokens, from one forward pass."""
    ids = torch.tensor([recall.ids + recall.object_ids[:-1]])
    with torch.no_grad():
        logits = model.network(input_ids=ids).logits[0, len(recall.ids) - 1 :]
    ranks = (logits > logits[range(len(logits)), list(recall.object_ids)][:, None]).sum(1) + 1
    return int(ranks.max())


def test_known_is_what_ranks_high_enough(model: LanguageModel) -> None:
    facts = starter_graph().facts[::150]
    recalls = [Recall.of(model, each) for each in facts]
    askable = [each for each in recalls if each.object_ids[0] not in each.ids]
    ranks = {each.prompt: rank_of(model, each) for each in askable}
    middle = sorted(ranks.values())[len(ranks) // 2]
    known = known_facts(model, facts, count=len(facts), rank=middle, token_budget=60)
    assert known.asked == len(askable)
    assert [each.prompt for each in known.recalls] == [p for p, r in ranks.items() if r <= middle]


def test_of_facts_with_one_prompt_the_first_known_one_counts(tiny: LanguageModel) -> None:
    every = [fact("{} was born in", "Marie Curie", to) for to in ("Warsaw", "Paris", "Vienna")]
    known = known_facts(tiny, every, count=3, rank=10_000)
    assert [each.fact for each in known.recalls] == every[:1]
    assert known.asked == 3


def test_what_could_be_copied_is_not_asked(tiny: LanguageModel) -> None:
    copied = fact("The city of {} is called", "Paris", "Paris")
    known = known_facts(tiny, [copied, FACTS[1]], count=2, rank=10_000)
    assert [each.fact for each in known.recalls] == [FACTS[1]]
    assert known.asked == 1


def test_the_search_ends_once_enough_are_known(tiny: LanguageModel) -> None:
    known = known_facts(tiny, FACTS, count=2, rank=10_000)
    assert [each.fact for each in known.recalls] == list(FACTS[:2])
    assert known.asked == 2


@pytest.mark.parametrize(
    ("count", "rank", "told"), [(0, 1, "at least 1"), (1, 0, "at least 1"), (1, 1, "knows none")]
)
def test_what_cannot_be_found_is_told_in_one_line(
    count: int, rank: int, told: str, tiny: LanguageModel
) -> None:
    with pytest.raises(PitfallsError, match=told) as error:
        known_facts(tiny, FACTS, count=count, rank=rank)
    assert "\n" not in str(error.value)
