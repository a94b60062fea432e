"""For tests without a download: tiny random models, and the laws that every editor must pass.

from pitfalls.testing import check_editor, tiny_model

def test_my_editor():
    check_editor(MyEditor(layer=1), tiny_model("llama"))
"""

from pitfalls.testing.families import FAMILIES, TEXT, tiny_model, tiny_network, tiny_tokenizer
from pitfalls.testing.laws import EDITS, check_editor, distance, snapshot, unchanged

__all__ = [
    "EDITS",
    "FAMILIES",
    "TEXT",
    "check_editor",
    "distance",
    "snapshot",
    "tiny_model",
    "tiny_network",
    "tiny_tokenizer",
    "unchanged",
]
