"""A network's weights: read, checked, packed, multiplied, changed, written."""
