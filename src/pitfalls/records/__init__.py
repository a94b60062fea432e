"""A run on disk: header and case rows, written and read. No torch."""
