"""The workload: what is asked of a model in a month."""

from dataclasses import dataclass
from math import isfinite

from llmcompare.core.units import SECONDS_PER_MONTH
from llmcompare.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests of one shape, spread over a month of 730 hours.

    Raises InputError for a volume that is not above 0, a negative token count, a share outside 0 to 1,
    or a request without any token.
    """

    requests_per_month: float
    input_tokens: float
    """Per request."""
    output_tokens: float
    """Per request, without thinking tokens."""
    cached_input_fraction: float = 0.0
    """Share of the input tokens that the provider reads from its prompt cache, 0 to 1."""
    thinking_tokens: float = 0.0
    """Per request, billed as output."""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not isfinite(value):
                raise InputError(f"{name} is {value}: give a finite number.")
        if self.requests_per_month <= 0:
            raise InputError(f"requests_per_month is {self.requests_per_month:g}: give a number above 0.")
        for name in ("input_tokens", "output_tokens", "thinking_tokens"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name):g}: give 0 or more.")
        if not 0 <= self.cached_input_fraction <= 1:
            raise InputError(
                f"cached_input_fraction is {self.cached_input_fraction:g}: give a share from 0 to 1, 0.3 for 30 %."
            )
        if self.input_tokens + self.billed_output_tokens == 0:
            raise InputError("input_tokens and output_tokens are both 0: a request needs at least one token.")

    @property
    def billed_output_tokens(self) -> float:
        """Output and thinking tokens of one request."""
        return self.output_tokens + self.thinking_tokens

    @property
    def tokens_per_request(self) -> float:
        """All tokens of one request, in and out."""
        return self.input_tokens + self.billed_output_tokens

    @property
    def requests_per_s(self) -> float:
        """Mean rate over the month.

        >>> Workload(requests_per_month=2_628_000, input_tokens=1, output_tokens=1).requests_per_s
        1.0
        """
        return self.requests_per_month / SECONDS_PER_MONTH
