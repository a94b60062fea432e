import pytest
from known_words import FACTS

from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model


@pytest.fixture(scope="session")
def tiny() -> LanguageModel:
    """A tiny model of one family, for tests that do not depend on the structure."""
    return tiny_model("llama")


@pytest.fixture(scope="session")
def tiny_recalls(tiny: LanguageModel) -> list[Recall]:
    return [Recall.of(tiny, each) for each in FACTS]
