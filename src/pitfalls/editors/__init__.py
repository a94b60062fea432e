"""Editors and the values they return: one method a file."""
