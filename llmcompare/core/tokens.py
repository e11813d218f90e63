"""How many tokens a text is: measured rates by tokenizer and language, and what one text is in another's tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmcompare.core.cost import Band
from llmcompare.errors import InputError

CHARACTERS_PER_RATE = 1_000
LOW_QUANTILE, HIGH_QUANTILE = 0.1, 0.9
"""Nine articles in ten lie above the one, nine in ten below the other."""
MAX_CHARACTERS = 10**8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """What turns text into tokens. Models of a generation share one."""

    tokenizer_id: str
    name: str
    family: str
    kind: str
    vocabulary_size: int
    """Tokens that text can become; control tokens come on top."""
    same_ids_as: str | None
    """Model whose own tokenizer gave the same ids of a test text; None where nobody recorded them."""
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTokenizer:
    """A source says which tokenizer a model has."""

    model_id: str
    tokenizer_id: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRate:
    """The tokens of one text in one language, article by article."""

    tokenizer_id: str
    language_code: str
    language: str
    characters: int
    bytes: int
    tokens: int
    article_characters: tuple[int, ...]
    article_tokens: tuple[int, ...]
    method: str
    row_id: str
    as_of: str | None
    source: str

    @property
    def tokens_per_1000_characters(self) -> float:
        """Of the whole text."""
        return CHARACTERS_PER_RATE * self.tokens / self.characters

    @property
    def bytes_per_token(self) -> float:
        """Bytes of UTF-8 that a token stands for."""
        return self.bytes / self.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTable:
    """All that was measured, by tokenizer and language, and whose tokenizer is known."""

    tokenizers: Mapping[str, Tokenizer]
    of_model: Mapping[str, ModelTokenizer]
    rates: Mapping[tuple[str, str], TokenRate]
    """By tokenizer and language code."""

    @property
    def languages(self) -> dict[str, str]:
        """Names of the measured languages by their codes, in the order of the table."""
        return {code: rate.language for (_, code), rate in self.rates.items()}

    def language_code(self, text: str) -> str | None:
        """The code of a language that is given by its code or its name; None for one that was not measured."""
        wanted = text.strip().lower()
        return next((code for code, name in self.languages.items() if wanted in (code.lower(), name.lower())), None)

    def rate(self, model_id: str, language_code: str) -> tuple[TokenRate | None, str | None]:
        """The rate of a model's tokenizer in a language, or why there is none."""
        known = self.of_model.get(model_id)
        if known is None:
            return None, f"no source was read that says which tokenizer {model_id} has"
        found = self.rates.get((known.tokenizer_id, language_code))
        if found is None:
            return None, f"the tokenizer {known.tokenizer_id} was not measured in the language {language_code!r}"
        return found, None


def tokens(rate: TokenRate, *, characters: float) -> Band:
    """Tokens of a text of so many characters: at the rate of the whole text, and between those of its articles.

    Raises InputError for fewer than 0 characters or more than 10^8.

    >>> two = TokenRate(
    ...     tokenizer_id="t",
    ...     language_code="en",
    ...     language="English",
    ...     characters=400,
    ...     bytes=400,
    ...     tokens=100,
    ...     article_characters=(100, 300),
    ...     article_tokens=(30, 70),
    ...     method="",
    ...     row_id="",
    ...     as_of=None,
    ...     source="",
    ... )
    >>> tokens(two, characters=2_000).mid
    500.0
    """
    if not 0 <= characters <= MAX_CHARACTERS:
        raise InputError(f"{characters:g} characters: give 0 or more, at most 100 million.")
    return _spread(
        characters * rate.tokens / rate.characters,
        [characters * made / given for made, given in zip(rate.article_tokens, rate.article_characters, strict=True)],
    )


def ratio(rate: TokenRate, other: TokenRate) -> Band:
    """How many times the tokens of another tokenizer the same text takes: of the whole text, and of its articles.

    The ends are the 10th and 90th percentile over the articles, each compared with itself, so that what makes one
    article long with both tokenizers counts for neither. Raises InputError for two different texts.

    >>> one = TokenRate(
    ...     tokenizer_id="a",
    ...     language_code="en",
    ...     language="English",
    ...     characters=40,
    ...     bytes=40,
    ...     tokens=20,
    ...     article_characters=(10, 30),
    ...     article_tokens=(8, 12),
    ...     method="",
    ...     row_id="",
    ...     as_of=None,
    ...     source="",
    ... )
    >>> other = TokenRate(
    ...     tokenizer_id="b",
    ...     language_code="en",
    ...     language="English",
    ...     characters=40,
    ...     bytes=40,
    ...     tokens=10,
    ...     article_characters=(10, 30),
    ...     article_tokens=(2, 8),
    ...     method="",
    ...     row_id="",
    ...     as_of=None,
    ...     source="",
    ... )
    >>> ratio(one, other)  # 20 / 10; the articles: 4 and 1.5
    Band(low=1.75, mid=2.0, high=3.75)
    """
    if (rate.language_code, rate.article_characters) != (other.language_code, other.article_characters):
        raise InputError(f"{rate.language} and {other.language} are two texts: compare tokens of one.")
    return _spread(
        rate.tokens / other.tokens,
        [made / theirs for made, theirs in zip(rate.article_tokens, other.article_tokens, strict=True)],
    )


def against_english(rate: TokenRate, english: TokenRate) -> float:
    """How many times the tokens the whole text takes in this language, with one tokenizer.

    The two texts say the same: a translation may be longer in characters and take fewer tokens.

    >>> one = TokenRate(
    ...     tokenizer_id="a",
    ...     language_code="en",
    ...     language="English",
    ...     characters=40,
    ...     bytes=40,
    ...     tokens=20,
    ...     article_characters=(40,),
    ...     article_tokens=(20,),
    ...     method="",
    ...     row_id="",
    ...     as_of=None,
    ...     source="",
    ... )
    >>> against_english(one, one)
    1.0
    """
    if rate.tokenizer_id != english.tokenizer_id:
        raise InputError(f"{rate.tokenizer_id} and {english.tokenizer_id} are two tokenizers: compare one with itself.")
    return rate.tokens / english.tokens


def _spread(mid: float, of_articles: Sequence[float]) -> Band:
    low, high = np.quantile(np.array(of_articles), (LOW_QUANTILE, HIGH_QUANTILE)).tolist()
    # Long articles weigh more in the whole text than among the articles: it may lie outside of most of them.
    return Band(low=min(low, mid), mid=mid, high=max(high, mid))
