import pytest

from pitfalls.facts import Entity, Fact, Relation
from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model


def fact(prompt: str, subject: str, target: str) -> Fact:
    return Fact(Entity(subject, subject), Relation(prompt, prompt, prompt), Entity(target, target))


FACTS = (
    fact("The capital of {} is", "Côte d'Ivoire", "Yamoussoukro"),
    fact("{} was born in", "Marie Curie", "Warsaw"),
    fact("One day, the composer of the book met {}", "Zola", "Émile"),
)
"""A subject in the middle, at the beginning and at the end."""


@pytest.fixture(scope="session")
def tiny() -> LanguageModel:
    """One family, for what hangs on no structure."""
    return tiny_model("llama")


@pytest.fixture(scope="session")
def tiny_recalls(tiny: LanguageModel) -> list[Recall]:
    return [Recall.of(tiny, each) for each in FACTS]
