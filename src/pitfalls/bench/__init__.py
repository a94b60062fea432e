"""Experiments: which cases under which editors, carried out in shared batches, resumable."""
