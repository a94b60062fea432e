"""Answers of a model: log-probabilities, words of its own, perplexity, moments."""
