"""Tables and JSON of one text in one language with every tokenizer."""

from collections.abc import Sequence
from typing import Any

from llmcompare.core import tokens
from llmcompare.core.cost import Band
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import rounded
from llmcompare.services.catalogue import Facts
from llmcompare.services.languages import ENGLISH, Counted, LanguageScore, OfModel, Question, measured


def tokenizer_table(found: Sequence[Counted]) -> Table:
    """The text with every tokenizer."""
    return Table(
        name="tokens-of-a-text",
        title="The same text with every tokenizer",
        columns=(
            "tokenizer", "family", "tokens", "tokens_low", "tokens_high", "times_fewest", "times_fewest_low",
            "times_fewest_high", "times_english", "tokens_per_1000_characters", "bytes_per_token", "vocabulary_size",
            "method", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                one.tokenizer.name, one.tokenizer.family, *_band(one.tokens, 0), *_band(one.times_fewest, 3),
                round(one.times_english, 3), round(one.rate.tokens_per_1000_characters, 2),
                round(one.rate.bytes_per_token, 3), one.tokenizer.vocabulary_size, one.rate.method, one.rate.as_of,
                one.rate.source, one.rate.row_id,
            )
            for one in found
        ),
    )  # fmt: skip


def _band(band: Band, digits: int) -> tuple[float, float, float]:
    return round(band.mid, digits), round(band.low, digits), round(band.high, digits)


def model_table(models: Sequence[OfModel]) -> Table:
    """The text with each model: tokens, price of a thousand, and what its maker says of the language."""
    return Table(
        name="text-with-models",
        title="The same text with these models",
        columns=(
            "model", "tokens", "usd_of_1000_texts_median", "language_named_by_its_maker", "tokenizer",
            "usd_of_1000_texts_cheapest", "usd_of_1000_texts_dearest", "provider_count", "why_missing", "as_of",
            "source", "row_id",
        ),
        rows=tuple(_model_row(one) for one in models),
    )  # fmt: skip


def _model_row(one: OfModel) -> tuple[Cell, ...]:
    band = None if one.api is None else one.api.usd_per_month
    low, mid, high = (None,) * 3 if band is None else (rounded(band.low), rounded(band.mid), rounded(band.high))
    # The row to open is what says of the language, else the cheapest price, else the model.
    row = one.support.rows[0] if one.support.rows else one.api.offers[0].offer if one.api else one.model
    return (
        one.model.display_name, None if one.tokens is None else round(one.tokens.mid), mid, one.support.text,
        None if one.tokenizer is None else one.tokenizer.name, low, high,
        None if one.api is None else len(one.api.offers), one.tokens_missing or one.api_missing, row.as_of, row.source,
        row.row_id,
    )  # fmt: skip


def price_table(models: Sequence[OfModel]) -> Table:
    """Every API price behind the costs."""
    return Table(
        name="text-prices",
        title="API prices used",
        columns=(
            "provider", "model_id", "api_model_name", "input_usd_per_mtok", "usd_of_1000_texts", "as_of", "source",
            "row_id",
        ),
        rows=tuple(
            (
                priced.offer.provider, priced.offer.model_id, priced.offer.api_model_name,
                priced.offer.input_usd_per_mtok, rounded(priced.usd_per_month), priced.offer.as_of,
                priced.offer.source, priced.offer.row_id,
            )
            for one in models
            if one.api is not None
            for priced in one.api.offers
        ),
    )  # fmt: skip


def score_table(asked: Question, found: Sequence[LanguageScore], models: Sequence[OfModel]) -> Table:
    """One row for each cell in which one of the models was scored, one column for each model; a gap is empty."""
    chosen = {one.model.model_id: one.model.display_name for one in models}
    cells: dict[tuple[str, ...], dict[str, list[LanguageScore]]] = {}
    for score in found:
        if score.model_id in chosen:
            cells.setdefault(score.cell, {}).setdefault(score.model_id, []).append(score)
    return Table(
        name="language-scores",
        title=f"Published scores in {asked.language}",
        columns=(
            "benchmark", "setting", "published_by", *chosen.values(), "metric", "shots", "as_of", "source",
        ),
        rows=tuple(
            (
                cell[0], cell[3], cell[4], *(_shown(of.get(name, [])) for name in chosen), cell[1], cell[2] or None,
                max((row.as_of for rows in of.values() for row in rows if row.as_of), default=None),
                " ; ".join(dict.fromkeys(row.source for rows in of.values() for row in rows)),
            )
            for cell, of in sorted(cells.items(), key=lambda item: (-len(item[1]), item[0]))
        ),
    )  # fmt: skip


def _shown(rows: Sequence[LanguageScore]) -> str | None:
    """A score as published, a range where figures of one cell disagree."""
    values = sorted({row.score for row in rows})
    if not values:
        return None
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} to {values[-1]:g}"


def all_scores_table(asked: Question, found: Sequence[LanguageScore]) -> Table:
    """Every published score in the language, of all models."""
    return Table(
        name="all-language-scores",
        title=f"Every published score in {asked.language}",
        columns=(
            "model_id", "benchmark", "score", "metric", "shots", "setting", "published_by", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                row.model_id, row.benchmark, row.score, row.metric, row.shots, row.setting, row.published_by,
                row.as_of, row.source, row.row_id,
            )
            for row in sorted(found, key=lambda row: (row.cell, row.model_id))
        ),
    )  # fmt: skip


def every_language_table(facts: Facts) -> Table:
    """Tokens per 1,000 characters and over the English text, of every language with every tokenizer."""
    table = facts.token_table
    shown = measured(facts, table.languages)
    return Table(
        name="tokens-by-language",
        title="Every language with every tokenizer",
        columns=(
            "language", "language_code", "tokenizer", "family", "tokens_per_1000_characters", "times_english",
            "bytes_per_token", "characters", "tokens", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                rate.language, code, one.name, one.family, round(rate.tokens_per_1000_characters, 2),
                round(tokens.against_english(rate, table.rates[one.tokenizer_id, ENGLISH]), 3),
                round(rate.bytes_per_token, 3), rate.characters, rate.tokens, rate.as_of, rate.source, rate.row_id,
            )
            for code in table.languages
            for one in shown
            for rate in (table.rates[one.tokenizer_id, code],)
        ),
    )  # fmt: skip


# --- JSON -------------------------------------------------------------------------------------------------------------


def languages_json(
    asked: Question, found: Sequence[Counted], models: Sequence[OfModel], scored: Sequence[LanguageScore]
) -> dict[str, Any]:
    """The same for a script; units are in the keys."""
    return {
        "language": asked.language,
        "language_code": asked.code,
        "characters": asked.characters,
        "is_measured_text": asked.is_measured_text,
        "tokenizers": [_tokenizer_json(one) for one in found],
        "models": [_model_json(one) for one in models],
        "scores": [_score_json(row) for row in scored if row.model_id in {one.model.model_id for one in models}],
    }


def _tokenizer_json(one: Counted) -> dict[str, Any]:
    return {
        "tokenizer_id": one.tokenizer.tokenizer_id,
        "name": one.tokenizer.name,
        "family": one.tokenizer.family,
        "tokens": _band_json(one.tokens),
        "times_fewest": _band_json(one.times_fewest),
        "times_english": one.times_english,
        "tokens_per_1000_characters": one.rate.tokens_per_1000_characters,
        "bytes_per_token": one.rate.bytes_per_token,
        "vocabulary_size": one.tokenizer.vocabulary_size,
        "method": one.rate.method,
        "as_of": one.rate.as_of,
        "source": one.rate.source,
        "row_id": one.rate.row_id,
    }


def _model_json(one: OfModel) -> dict[str, Any]:
    usd: dict[str, Any] = {"reason": one.api_missing}
    if one.api is not None:
        usd = {**_band_json(one.api.usd_per_month), "provider_count": len(one.api.offers)}
    return {
        "model_id": one.model.model_id,
        "tokenizer_id": None if one.tokenizer is None else one.tokenizer.tokenizer_id,
        "tokens": {"reason": one.tokens_missing} if one.tokens is None else _band_json(one.tokens),
        "input_usd_of_1000_texts": usd,
        "language_named_by_its_maker": one.support.text,
        "row_ids": [
            *(row.row_id for row in one.support.rows),
            *(priced.offer.row_id for priced in (one.api.offers if one.api else ())),
        ],
    }


def _score_json(row: LanguageScore) -> dict[str, Any]:
    return {
        name: getattr(row, name)
        for name in (
            "model_id", "benchmark", "metric", "shots", "setting", "published_by", "score", "as_of", "source", "row_id",
        )
    }  # fmt: skip


def _band_json(band: Band) -> dict[str, float]:
    return {"low": band.low, "mid": band.mid, "high": band.high}
