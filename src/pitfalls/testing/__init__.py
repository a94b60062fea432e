"""For tests without a download: tiny random models, and the laws that every editor must pass.

from pitfalls.testing import check_editor, tiny_model

def test_my_editor():
    check_editor(MyEditor(layer=1), tiny_model("llama"))
"""

from pitfalls.testing.comparing import distance, snapshot, unchanged
from pitfalls.testing.examined import EDITS, LONG, Examined
from pitfalls.testing.families import (
    FAMILIES,
    FAMILY_KINDS,
    TEXT,
    tiny_model,
    tiny_network,
    tiny_tokenizer,
)
from pitfalls.testing.laws import LAWS, check_editor
from pitfalls.testing.pretend.device import pretend_device, to_pretend

__all__ = [
    "EDITS",
    "FAMILIES",
    "FAMILY_KINDS",
    "LAWS",
    "LONG",
    "TEXT",
    "Examined",
    "check_editor",
    "distance",
    "pretend_device",
    "snapshot",
    "tiny_model",
    "tiny_network",
    "tiny_tokenizer",
    "to_pretend",
    "unchanged",
]
