"""The workload: what is asked of a model in a month."""

from dataclasses import dataclass
from math import isfinite

from llmcompare.core.units import SECONDS_PER_MONTH
from llmcompare.errors import InputError

MAX_REQUESTS_PER_MONTH = 10**12
"""400,000 requests per second; beyond it a figure is a slip of the pen."""
MAX_TOKENS_PER_REQUEST = 10**7
"""The order of the largest context in the catalogue."""

PRESETS: dict[str, tuple[int, int]] = {
    "chat": (512, 256),
    "balanced": (1_024, 1_024),
    "RAG": (4_096, 512),
    "documents": (10_240, 1_536),
    "classification": (800, 20),
}
"""Input and output tokens of usual requests. Assumption: shapes to start from, until a log says more."""
CHARACTERS_PER_TOKEN = 4.0
"""Of English prose. Assumption: code and other languages take fewer characters per token, and tokenizers differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests of one shape, spread over a month of 730 hours.

    Raises InputError for a volume that is not above 0 or above 10^12, a token count below 0 or above 10^7,
    a share outside 0 to 1, or a request without any token.
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
        if not 0 < self.requests_per_month <= MAX_REQUESTS_PER_MONTH:
            raise InputError(f"requests_per_month is {self.requests_per_month:g}: give a number above 0, at most 1e12.")
        for name in ("input_tokens", "output_tokens", "thinking_tokens"):
            if not 0 <= getattr(self, name) <= MAX_TOKENS_PER_REQUEST:
                raise InputError(f"{name} is {getattr(self, name):g}: give 0 or more, at most 10 million.")
        if not 0 <= self.cached_input_fraction <= 1:
            raise InputError(
                f"cached_input_fraction is {self.cached_input_fraction:g}: give a share from 0 to 1, 0.3 for 30%."
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
    def whole_tokens(self) -> tuple[int, int]:
        """In and out of one request, as predictions take them: a request without an answer takes as long as one token.

        >>> Workload(requests_per_month=1, input_tokens=99.6, output_tokens=0).whole_tokens
        (100, 1)
        """
        return max(1, round(self.input_tokens)), max(1, round(self.billed_output_tokens))

    @property
    def requests_per_s(self) -> float:
        """Mean rate over the month.

        >>> Workload(requests_per_month=2_628_000, input_tokens=1, output_tokens=1).requests_per_s
        1.0
        """
        return self.requests_per_month / SECONDS_PER_MONTH


def tokens_of_characters(characters: float, *, characters_per_token: float = CHARACTERS_PER_TOKEN) -> float:
    """Tokens of a text of this many characters. Raises InputError for a factor outside 0.1 to 100.

    >>> tokens_of_characters(2_000)
    500.0
    """
    if not 0.1 <= characters_per_token <= 100:
        raise InputError(f"characters_per_token is {characters_per_token:g}: give a number from 0.1 to 100.")
    return characters / characters_per_token
