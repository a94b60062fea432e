"""Where everything that can be made again is kept: converted models, second moments, texts."""

import os
from pathlib import Path

import platformdirs

from pitfalls.door.paths import place


def cache_root() -> Path:
    """The folder named by `PITFALLS_CACHE`, else the system's place for a user's caches.

    Read at every call, so that a test or a job script can point it elsewhere. The folder need not
    exist yet: whoever writes makes it.
    """
    named = os.environ.get("PITFALLS_CACHE")
    return place(named) if named else platformdirs.user_cache_path("pitfalls")
