"""Corpora: passages, their file formats, and token windows."""
