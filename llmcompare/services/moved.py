"""What moved since a day: prices of GPUs and APIs, models released, scores published."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from llmcompare.core import moved_words as words
from llmcompare.core.freshness import MARKETPLACE
from llmcompare.core.moved import PLACES, Move, Moved, moved
from llmcompare.core.price_series import API_UNITS, GPU_UNITS, Seen, api_seen, gpu_seen
from llmcompare.core.published import PublishedScore
from llmcompare.core.records import Model
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import counted, first_day
from llmcompare.errors import InputError
from llmcompare.services.catalogue import Facts

LISTS, MARKETPLACES, APIS = KINDS = ("GPU list prices", "Marketplaces", "API prices")
NOUNS = {LISTS: "GPU list price", MARKETPLACES: "marketplace price", APIS: "API price"}
LOOK_BACK_DAYS = 90
STATES = {
    "new": "new", "gone": "gone", "first_read": "read once", "not_read_again": "not read again",
    "unchanged": "unchanged",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Everything that is another one than on the day."""

    since: date
    prices: dict[str, Moved]
    """By kind."""
    models: tuple[Model, ...]
    """Released after the day, the newest first."""
    scores: tuple[PublishedScore, ...]
    """Published after the day."""
    names: dict[str, str]
    """Of GPUs and models, by id."""


def news(facts: Facts, since: date, *, today: date) -> News:
    """What moved since a day. Raises InputError for a day that is not past."""
    if since >= today:
        raise InputError(f"since is {since}, and nothing can have moved after it: give a day before {today}.")
    gpus = gpu_seen(facts.gpu_price_history)
    hosts = [row for row in gpus if row.apart[2] == MARKETPLACE]
    return News(
        since=since,
        prices={
            LISTS: moved((row for row in gpus if row.apart[2] != MARKETPLACE), since=since),
            MARKETPLACES: moved(hosts, since=since),
            APIS: moved(api_seen(facts.api_price_history), since=since),
        },
        models=tuple(
            sorted(
                (m for m in facts.models.values() if m.released_on and first_day(m.released_on) > since),
                key=lambda model: (model.released_on or "", model.model_id),
                reverse=True,
            )
        ),
        scores=tuple(row for row in facts.published_scores if row.as_of and first_day(row.as_of) > since),
        names=names(facts),
    )


def names(facts: Facts) -> dict[str, str]:
    """What a reader calls GPUs and models, by id."""
    gpus = {gpu.gpu_id: gpu.name_without_vendor for gpu in facts.gpus.values()}
    return gpus | {model.model_id: model.display_name for model in facts.models.values()}


def usual_day(facts: Facts) -> date:
    """Three months before the newest price of a GPU, so that there is something to see."""
    newest = max((row.as_of for row in facts.gpu_offers if row.as_of), default=None)
    return (first_day(newest) if newest else date.today()) - timedelta(days=LOOK_BACK_DAYS)


def first_day_known(facts: Facts) -> date:
    """Of the oldest model, score or price."""
    days = [
        *(row.as_of for row in facts.gpu_price_history),
        *(row.as_of for row in facts.api_price_history),
        *(row.as_of for row in facts.published_scores),
        *(model.released_on for model in facts.models.values()),
    ]
    return first_day(min(filter(None, days), default="2026"))


def answer(found: News) -> str:
    """The kinds of prices, each in a sentence."""
    return " ".join(words.headline(found.prices[kind], NOUNS[kind]) for kind in KINDS)


def catalogue_sentences(found: News) -> Iterator[str]:
    """Models and scores that are newer than the day."""
    if found.models:
        listed = ", ".join(f"{model.display_name} ({model.released_on})" for model in found.models[: words.TOLD])
        rest = len(found.models) - words.TOLD
        yield (
            f"{counted(len(found.models), 'model')} of the catalogue came out after {found.since}: {listed}"
            f"{f' and {rest} more' if rest > 0 else ''}."
        )
    else:
        yield f"No model of the catalogue came out after {found.since}."
    if found.scores:
        publishers = Counter(row.published_by for row in found.scores).most_common(3)
        most = ", ".join(f"{count:,} by {name}" for name, count in publishers)
        yield f"{counted(len(found.scores), 'score')} were published after it, most of them {most}."
    else:
        yield "No score was published after it."


def moves_table(found: Moved, names: dict[str, str], *, kind: str) -> Table:
    """Every changed price with both of its rows, the largest move first."""
    return Table(
        name=f"moved-{kind.lower().replace(' ', '-')}",
        title=f"Moved: {kind}",
        columns=(
            "provider", "what", "id", "terms", "offer", "unit", "usd_before", "usd_after", "change_usd",
            "change_percent", "from_day", "as_of", "steps", "from_one_list", "source_before", "source",
            "row_id_before", "row_id",
        ),
        rows=tuple(_move_cells(move, names) for move in found.moves),
    )  # fmt: skip


def _move_cells(move: Move, names: dict[str, str]) -> tuple[Cell, ...]:
    after, before = move.after, move.before
    return (
        after.provider, names.get(after.subject, after.subject), after.subject, after.terms, after.name, move.unit,
        move.usd_before, move.usd_after, move.change_usd, 100 * move.change_fraction, before.as_of, after.as_of,
        words.steps_text(move), "yes" if move.same_list else "no", before.source, after.source, before.row_id,
        after.row_id,
    )  # fmt: skip


def offers_table(found: Moved, names: dict[str, str], *, kind: str) -> Table:
    """Every offer without a move: new, gone, read once, not read again, unchanged."""
    units = ("usd_per_gpu_hour",) if kind != APIS else ("input_usd_per_mtok", "output_usd_per_mtok")
    return Table(
        name=f"offers-{kind.lower().replace(' ', '-')}",
        title=f"Without a move: {kind}",
        columns=("state", "provider", "what", "id", "terms", "offer", *units, "as_of", "source", "row_id"),
        rows=tuple(
            (
                STATES[place], row.provider, names.get(row.subject, row.subject), row.subject, row.terms, row.name,
                *row.usd, row.as_of, row.source, row.row_id,
            )
            for place in ("new", "gone", "first_read", "not_read_again", "unchanged")
            for row in getattr(found, place)
        ),
    )  # fmt: skip


def models_table(found: News) -> Table:
    """Models that came out after the day."""
    return Table(
        name="new-models",
        title="Models released",
        columns=("released_on", "model_id", "name", "family", "params_total_billion", "as_of", "source", "row_id"),
        rows=tuple(
            (m.released_on, m.model_id, m.display_name, m.family, m.params_total_billion, m.as_of, m.source, m.row_id)
            for m in found.models
        ),
    )


def scores_table(found: News) -> Table:
    """Scores that were published after the day, the newest first."""
    newest = sorted(found.scores, key=lambda row: (row.as_of or "", row.row_id), reverse=True)
    return Table(
        name="new-scores",
        title="Scores published",
        columns=(
            "as_of", "model_id", "benchmark", "score", "metric", "shots", "setting", "published_by", "source", "row_id",
        ),
        rows=tuple(
            (
                r.as_of, r.model_id, r.benchmark, r.score, r.metric, r.shots, r.setting, r.published_by, r.source,
                r.row_id,
            )
            for r in newest
        ),
    )  # fmt: skip


def news_json(found: News) -> dict[str, Any]:
    """The same as plain values, units in the keys."""
    return {
        "since": found.since.isoformat(),
        "answer": answer(found),
        "sentences": list(catalogue_sentences(found)),
        **{kind.lower().replace(" ", "_"): _moved_json(found.prices[kind], found.names) for kind in KINDS},
        "models": [
            {"model_id": m.model_id, "released_on": m.released_on, "source": m.source, "row_id": m.row_id}
            for m in found.models
        ],
        "scores": [
            {"model_id": r.model_id, "benchmark": r.benchmark, "score": r.score, "metric": r.metric,
             "setting": r.setting, "published_by": r.published_by, "as_of": r.as_of, "source": r.source,
             "row_id": r.row_id}
            for r in found.scores
        ],
    }  # fmt: skip


def _moved_json(found: Moved, names: dict[str, str]) -> dict[str, Any]:
    return {
        "read_again_count": found.read_again_count,
        "changed_count": found.moved_count,
        "moves": [
            {
                "provider": move.after.provider,
                "id": move.after.subject,
                "terms": move.after.terms,
                "unit": move.unit,
                "usd_before": move.usd_before,
                "usd_after": move.usd_after,
                "change_usd": move.change_usd,
                "change_fraction": move.change_fraction,
                "from_one_list": move.same_list,
                "points": [_point(point, move.place) for point in move.path],
                "sentence": words.move_sentence(move, names),
            }
            for move in found.moves
        ],
        **{place: [_offer_json(row) for row in getattr(found, place)] for place in PLACES},
    }


def _point(point: Seen, place: int) -> dict[str, Any]:
    return {"as_of": point.as_of, "usd": point.usd[place], "offer": point.name, "source": point.source,
            "row_id": point.row_id}  # fmt: skip


def _offer_json(row: Seen) -> dict[str, Any]:
    units = GPU_UNITS if row.kind == "gpu" else API_UNITS
    return {
        "provider": row.provider, "id": row.subject, "terms": row.terms, "offer": row.name,
        "prices": dict(zip(units, row.usd, strict=True)), "as_of": row.as_of, "source": row.source,
        "row_id": row.row_id,
    }  # fmt: skip
