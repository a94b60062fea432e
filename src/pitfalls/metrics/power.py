"""Smallest difference that n cases can detect, told before anybody reads one into noise."""

import math

_Z_LEVEL = 1.959964
"""Two-sided, 95 %."""
_Z_POWER = 0.841621
"""A true difference is found four times out of five."""


def visible_difference(n: int) -> float:
    """Half the width of the 95 % interval of a share near one half, where it is widest.

    Args:
        n: independent cases.

    Returns:
        A fraction: 0.13 for 60 cases.
    """
    return min(_Z_LEVEL * math.sqrt(0.25 / n), 1.0)


def detectable(standard_error: float) -> float:
    """The true difference that a test at 5 % finds with probability 80 %.

    Args:
        standard_error: of the paired difference.
    """
    return (_Z_LEVEL + _Z_POWER) * standard_error
