"""MEND: the editor, its networks, and their training."""
