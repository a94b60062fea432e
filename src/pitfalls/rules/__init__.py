"""Logical rules: what follows from a fact, what contradicts it. No torch."""
