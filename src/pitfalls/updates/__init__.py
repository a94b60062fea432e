"""Edits as values: what an update is, the stack it lies on, and how it is exported."""
