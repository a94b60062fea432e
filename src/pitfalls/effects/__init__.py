"""The effects of edits: on what they are about, on what they should leave alone, on text."""
