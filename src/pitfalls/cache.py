"""Cache folder for converted models, second moments and texts, all of which can be made again."""

import os
from pathlib import Path

import platformdirs

from pitfalls.door.paths import place


def cache_root() -> Path:
    """Folder in `PITFALLS_CACHE`, else the system's cache folder of the user.

    The variable is read at every call, so that tests and job scripts can change it. The folder need
    not exist: the first write makes it.
    """
    named = os.environ.get("PITFALLS_CACHE")
    return place(named) if named else platformdirs.user_cache_path("pitfalls")
