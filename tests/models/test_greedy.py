"""What an edited model says, and how well it predicts text, against the plain ways of telling."""

import pytest
import torch
from changes import some_changes
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.editors.update import Update
from pitfalls.models.greedy import greedy
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.perplexity import perplexity
from pitfalls.models.readout import Question
from pitfalls.models.tokens import tokenize_target
from pitfalls.testing import TEXT
