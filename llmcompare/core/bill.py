"""A volume from a bill: what somebody knows who pays an API and has no log."""

from llmcompare.errors import InputError


def implied_requests_per_month(*, usd_per_month: float, usd_per_request: float) -> float:
    """Requests that a monthly bill pays for. Raises InputError for requests that cost nothing.

    >>> round(implied_requests_per_month(usd_per_month=4_000, usd_per_request=0.0055))
    727273
    """
    if not usd_per_request > 0:
        raise InputError("such a request costs nothing at this API: give it input or output tokens.")
    return usd_per_month / usd_per_request
