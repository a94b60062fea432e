"""Logical rules: which facts follow from a fact, and which contradict it. No torch."""
