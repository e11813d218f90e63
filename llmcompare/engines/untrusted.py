"""Values of JSON that a stranger's server sends: of the kind that is wanted, of a size that can be, or nothing."""

import json
from typing import Any

MOST_TOKENS = 10**12
"""A larger number counts no tokens, and no float or database holds every one."""
FASTEST_PER_S = 1e9


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 whatever a server sends
    """JSON. Raises ValueError for what is none, also for what is nested too deep to be read.

    >>> parsed("[" * 100_000)
    Traceback (most recent call last):
    ValueError: it is nested too deep
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def as_dict(value: object) -> dict[str, Any]:
    """Empty where it is another thing."""
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    r"""Empty where it is another thing. Half a character becomes a mark: no page and no file can hold it.

    >>> as_text("sk\ud83dy"), as_text("\ud83d\ude00") == chr(0x1F600), as_text(5)
    ('sk�y', True, '')
    """
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else ""


def as_count(value: object) -> int | None:
    """A number of tokens.

    >>> as_count(7), as_count(True), as_count(-1), as_count(10**400)
    (7, None, None, None)
    """
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_TOKENS else None


def as_rate(value: object) -> float | None:
    """So much per second; neither infinite nor none.

    >>> as_rate(41), as_rate(float("inf")), as_rate(float("nan")), as_rate(0)
    (41.0, None, None, None)
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 < value < FASTEST_PER_S else None
