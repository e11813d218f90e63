"""One text in one language with every tokenizer: its tokens, its price with a model, what is known of the language."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llmcompare.core import tokens
from llmcompare.core.claims_languages import ASIAN
from llmcompare.core.cost import Band
from llmcompare.core.options import ApiOption, api_option
from llmcompare.core.published import LanguageFact
from llmcompare.core.records import Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.tokens import Tokenizer, TokenRate
from llmcompare.errors import InputError
from llmcompare.services.books import book
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import language_code
from llmcompare.services.overview import FAMILIES

ENGLISH = "en"
TEXTS = 1_000
"""Prices are of so many texts: one costs less than a cent."""
FIRST_SHOWN = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A text: so many characters of a language, or the measured text itself."""

    code: str
    characters: float
    is_measured_text: bool
    language: str

    @property
    def text(self) -> str:
        """In a sentence."""
        measured = ", the Universal Declaration of Human Rights" if self.is_measured_text else ""
        return f"{self.language} text ({self.characters:,.0f} characters{measured})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The text with one tokenizer."""

    tokenizer: Tokenizer
    rate: TokenRate
    tokens: Band
    times_fewest: Band
    """Over the tokenizer that takes the fewest."""
    times_english: float
    """Over the English text of the same content, with this tokenizer."""
    age: int
    """Newer tokenizers of the family that were measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What a maker says of the language for a generation. None: nothing was read."""

    text: str | None
    rows: tuple[LanguageFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfModel:
    """The text with one model."""

    model: Model
    tokenizer: Tokenizer | None
    tokens: Band | None
    tokens_missing: str | None
    api: ApiOption | None
    """Of the input of a thousand such texts: its monthly cost is that of all of them."""
    api_missing: str | None
    support: Support


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageScore:
    """One published score in the language."""

    model_id: str
    benchmark: str
    metric: str
    shots: str | None
    setting: str
    published_by: str
    score: float
    row_id: str
    as_of: str | None
    source: str

    @property
    def cell(self) -> tuple[str, str, str, str, str]:
        """Only scores of one cell may be compared."""
        return self.benchmark, self.metric, self.shots or "", self.setting, self.published_by


def question(facts: Facts, language: str, characters: float | None = None) -> Question:
    """A language by code or name, and a length; without one the measured text. Raises UnknownIdError."""
    code = language_code(facts, language)
    rate = next(rate for (_, of), rate in facts.token_table.rates.items() if of == code)
    return Question(
        code=code,
        characters=float(rate.characters) if characters is None else characters,
        is_measured_text=characters is None,
        language=rate.language,
    )


def counted(facts: Facts, asked: Question) -> list[Counted]:
    """The text with every tokenizer of the three families, fewest tokens first. Raises InputError."""
    table = facts.token_table
    shown = measured(facts, [asked.code])
    if not shown:
        raise InputError(f"no tokenizer of the three families was measured in {asked.language}.")
    rates = {one.tokenizer_id: table.rates[one.tokenizer_id, asked.code] for one in shown}
    fewest = min(rates.values(), key=lambda rate: rate.tokens)
    older = ages(shown)
    found = [
        Counted(
            tokenizer=one,
            rate=rates[one.tokenizer_id],
            tokens=tokens.tokens(rates[one.tokenizer_id], characters=asked.characters),
            times_fewest=tokens.ratio(rates[one.tokenizer_id], fewest),
            times_english=tokens.against_english(rates[one.tokenizer_id], table.rates[one.tokenizer_id, ENGLISH]),
            age=older[one.tokenizer_id],
        )
        for one in shown
    ]
    return sorted(found, key=lambda one: one.tokens.mid)


def measured(facts: Facts, codes: Iterable[str]) -> list[Tokenizer]:
    """Tokenizers of the three families with a rate in each of these languages, and in English to compare with."""
    table, wanted = facts.token_table, {*codes, ENGLISH}
    return [
        one
        for one in table.tokenizers.values()
        if one.family in FAMILIES and all((one.tokenizer_id, code) in table.rates for code in wanted)
    ]


def ages(shown: Sequence[Tokenizer]) -> dict[str, int]:
    """How many newer tokenizers its family has; the table has the oldest first."""
    families = [one.family for one in shown]
    return {one.tokenizer_id: families[at + 1 :].count(one.family) for at, one in enumerate(shown)}


# --- models -----------------------------------------------------------------------------------------------------------


def choices(facts: Facts) -> list[str]:
    """Models of the three families, newest first within a family."""
    return [model_id for model_id, model in facts.models.items() if model.family in FAMILIES]


def default_models(facts: Facts, asked: Question) -> tuple[str, ...]:
    """Of every tokenizer one model with a price, in the order of the table.

    One with a score in the language where there is any, of these the one that most providers list, then the newest.
    """
    providers: dict[str, set[str]] = {}
    for offer in facts.api_offers:
        if offer.model_id is not None and offer.variant == "standard":
            providers.setdefault(offer.model_id, set()).add(offer.provider)
    scored = {row.model_id for row in scores(facts, asked)}
    table, found = facts.token_table, []

    def rank(name: str) -> tuple[bool, int, str]:
        return name in scored, len(providers[name]), facts.models[name].released_on or ""

    for tokenizer in table.tokenizers.values():
        of = [name for name, known in table.of_model.items() if known.tokenizer_id == tokenizer.tokenizer_id]
        listed = [name for name in of if name in providers]
        if tokenizer.family in FAMILIES and listed:
            found.append(max(listed, key=rank))
    return tuple(found)


def of_models(facts: Facts, asked: Question, model_ids: Iterable[str]) -> list[OfModel]:
    """The text with each model. Raises UnknownIdError."""
    return [_of_model(facts, asked, facts.model(name)) for name in dict.fromkeys(model_ids)]


def _of_model(facts: Facts, asked: Question, model: Model) -> OfModel:
    table = facts.token_table
    rate, missing = table.rate(model.model_id, asked.code)
    support = supported(facts, model, asked)
    if rate is None:
        return OfModel(
            model=model, tokenizer=None, tokens=None, tokens_missing=missing, api=None, api_missing=missing,
            support=support,
        )  # fmt: skip
    band = tokens.tokens(rate, characters=asked.characters)
    scenario = Scenario(model=model.model_id, requests_per_month=TEXTS, input_tokens=band.mid, output_tokens=0)
    api, api_missing = api_option(book(facts, model.model_id), scenario)
    return OfModel(
        model=model,
        tokenizer=table.tokenizers[rate.tokenizer_id],
        tokens=band,
        tokens_missing=None,
        api=api,
        api_missing=api_missing,
        support=support,
    )


def supported(facts: Facts, model: Model, asked: Question) -> Support:
    """Whether the maker names the language for the model's generation: dialects and scripts of it count too."""
    rows = _coverage(facts, model)
    named = [row for row in rows if row.record_type == "coverage" and _is_named(row, asked)]
    if named:
        names = ", ".join(row.language for row in named)
        said = named[0].officially_supported or "named"
        return Support(text=f"{said}: {names} ({named[0].published_by})", rows=tuple(named))
    listed = [row for row in rows if row.record_type == "coverage"]
    if listed:
        number = len(listed)
        text = f"not among the {number} that are named" if number > 1 else f"only {listed[0].language} is named"
        return Support(text=f"{text} ({listed[0].published_by})", rows=(listed[0],))
    if rows:
        return Support(text=f"only a number is given: {rows[0].language} ({rows[0].published_by})", rows=(rows[0],))
    return Support(text=None)


def _coverage(facts: Facts, model: Model) -> list[LanguageFact]:
    """What was read of the languages of the model, or else of its generation."""
    rows = [row for row in facts.language_facts if row.record_type != "score" and row.family == model.family]
    own = [row for row in rows if row.model_id == model.model_id]
    return own or [row for row in rows if row.model_id is None and _is_of(model, row.generation)]


def _is_of(model: Model, generation: str) -> bool:
    """Whether a model is of a generation that a maker names: Mistral Small 3 is not Mistral Small 3.1.

    Where one generation of the catalogue holds several of the maker's, the model's name says which.
    """
    if model.generation == generation:
        return True
    name = model.display_name.replace("3.0 ", "3 ")
    return generation.startswith(model.generation) and name.startswith(f"{generation} ")


def _is_named(row: LanguageFact, asked: Question) -> bool:
    """Its dialects and scripts count too, under the names that the maker gives them."""
    base = asked.language.partition(" (")[0]
    return row.language_code == asked.code or f" {base} " in f" {row.language} "


# --- scores -----------------------------------------------------------------------------------------------------------


def scores(facts: Facts, asked: Question) -> list[LanguageScore]:
    """Every published score of a model in the language, those of tests made in it included."""
    return [*_named_scores(facts, asked), *_own_scores(facts, asked)]


def _named_scores(facts: Facts, asked: Question) -> Iterator[LanguageScore]:
    for row in facts.language_facts:
        is_score = row.record_type == "score" and row.model_id is not None and row.score is not None
        if is_score and row.language_code == asked.code:
            yield LanguageScore(
                model_id=str(row.model_id), benchmark=row.benchmark or "", metric=row.metric or "", shots=None,
                setting=row.setting or "", published_by=row.published_by, score=row.score or 0.0, row_id=row.row_id,
                as_of=row.as_of, source=row.source,
            )  # fmt: skip


def _own_scores(facts: Facts, asked: Question) -> Iterator[LanguageScore]:
    tests = {name for name, language in ASIAN.items() if language == asked.language}
    for row in facts.published_scores:
        if row.benchmark in tests:
            yield LanguageScore(
                model_id=row.model_id, benchmark=row.benchmark, metric=row.metric, shots=row.shots,
                setting=row.setting, published_by=row.published_by, score=row.score, row_id=row.row_id,
                as_of=row.as_of, source=row.source,
            )  # fmt: skip


# --- in words ---------------------------------------------------------------------------------------------------------


def answer(asked: Question, found: Sequence[Counted]) -> str:
    """Fewest and most tokens."""
    fewest, most = found[0], found[-1]
    return (
        f"The same {asked.text} takes {most.times_fewest.mid:.1f} times the tokens with {most.tokenizer.name} as with "
        f"{fewest.tokenizer.name}: {most.tokens.mid:,.0f} against {fewest.tokens.mid:,.0f}."
    )


def sentences(asked: Question, found: Sequence[Counted], models: Sequence[OfModel]) -> Iterator[str]:
    """The newest tokenizers beside each other, the distance to English, what it costs, and who names the language."""
    yield _newest(found)
    if asked.code != ENGLISH:
        far, near = (pick(found, key=lambda one: one.times_english) for pick in (max, min))
        yield (
            f"Against the English text of the same content it is {near.times_english:.2f} times the tokens with "
            f"{near.tokenizer.name} and {far.times_english:.2f} times with {far.tokenizer.name}."
        )
    priced = [(one.model, one.api) for one in models if one.api is not None]
    if priced:
        model, api = min(priced, key=lambda one: one[1].usd_per_month.mid)
        dear_model, dear_api = max(priced, key=lambda one: one[1].usd_per_month.mid)
        yield (
            f"As input of a token-priced API a thousand such texts cost ${api.usd_per_month.mid:,.2f} with "
            f"{model.display_name} and ${dear_api.usd_per_month.mid:,.2f} with {dear_model.display_name}, at median "
            "prices of the models below: larger models cost more, whatever their tokens."
        )


def _newest(found: Sequence[Counted]) -> str:
    newest = [one for one in found if one.age == 0]
    listed = ", ".join(
        f"{one.tokenizer.name} {one.tokens.mid:,.0f} ({one.tokens.low:,.0f} to {one.tokens.high:,.0f})"
        for one in newest
    )
    return f"With the newest measured tokenizer of each family: {listed}; in brackets at the rates of single articles."


def not_named(facts: Facts, model: Model, language: str) -> str | None:
    """Why a model does not count as made for a language, given by code or name; None where its maker names it.

    Raises UnknownIdError for a language that is not known.
    """
    code = language_code(facts, language)
    name = facts.token_table.languages[code]
    question = Question(code=code, characters=0, is_measured_text=False, language=name)
    rows = [row for row in _coverage(facts, model) if row.record_type == "coverage"]
    if any(_is_named(row, question) for row in rows):
        return None
    if rows:
        return f"{name} is not among the languages that its maker names ({rows[0].published_by})"
    return f"no source was read that names its languages, so {name} is not known"
