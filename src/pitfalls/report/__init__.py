"""Scores as tables, intervals and pictures. No torch."""
