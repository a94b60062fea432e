import pytest
from known_words import FACTS

from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model


@pytest.fixture(scope="session")
def tiny() -> LanguageModel:
    """One family, for what hangs on no structure."""
    return tiny_model("llama")


@pytest.fixture(scope="session")
def tiny_recalls(tiny: LanguageModel) -> list[Recall]:
    return [Recall.of(tiny, each) for each in FACTS]
