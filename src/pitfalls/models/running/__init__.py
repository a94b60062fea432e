"""Forward passes: whole or tails alone, shared, batched, with changes row by row."""
