"""Packages of the extra `report`, imported when they are needed and asked for when missing."""

from importlib import import_module
from typing import Any

from pitfalls.errors import PitfallsError


def optional(module: str) -> Any:
    """The module, if it is installed.

    Raises:
        PitfallsError: it is not; the line says how to get it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split(".")[0].replace("_", "-")
        raise PitfallsError(
            f"this needs {package}, which is not installed: pip install 'pitfalls[report]'"
        ) from error
