"""Effects of edits: on their targets, on facts they should leave alone, and on text."""
