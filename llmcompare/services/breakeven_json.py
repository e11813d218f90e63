"""The figures of the Breakeven page as JSON."""

from dataclasses import asdict
from typing import Any

from llmcompare.core import two_options, words
from llmcompare.core.comparison import Option
from llmcompare.core.cost import Band
from llmcompare.core.sensitivity import Bar
from llmcompare.services import breakeven
from llmcompare.services.breakeven import Breakeven


def breakeven_json(found: Breakeven) -> dict[str, Any]:
    """The figures of the Breakeven page; units are in the keys, row ids lead to the catalogue."""
    pair, bands = found.pair, found.pair.bands
    return {
        "model": found.comparison.model.model_id,
        "scenario": asdict(found.comparison.scenario),
        "late": _option_json(pair.late, pair.late_usd),
        "early": _option_json(pair.early, pair.early_usd),
        "answer": two_options.answer(pair),
        "sentences": [*two_options.details(pair), *two_options.crossing_sentences(pair)],
        "saving_usd_per_month": pair.saving_usd_per_month,
        "late_pays_from_requests_per_month": {"earliest": bands.earliest, "latest": bands.latest},
        "crossings": [
            asdict(one.crossing)
            | {
                "at_best_requests_per_month": one.at_best_requests_per_month,
                "at_worst_requests_per_month": one.at_worst_requests_per_month,
            }
            for one in bands.intervals
        ],
        "crossing_count": len(bands.middle.points),
        "never_because": bands.middle.reason,
        "searched_to_requests_per_month": bands.middle.searched_to_requests_per_month,
        "spread_fraction": found.spread_fraction,
        "what_matters_most": {
            "pays_from_requests_per_month": [_bar_json(found, bar) for bar in found.pays_from],
            "saving_usd_per_month": [_bar_json(found, bar) for bar in found.saving],
        },
        "arithmetic": [
            {"heading": heading, "steps": [asdict(step) for step in steps]}
            for heading, steps in two_options.arithmetic(pair)
        ],
        "assumptions": [asdict(one) for one in (*words.assumptions(found.comparison), *breakeven.assumptions(found))],
        "row_ids": [row[0] for row in breakeven.rows_used(found).rows],
        "catalogue": found.comparison.fingerprint,
    }


def _option_json(option: Option, usd_per_month: Band) -> dict[str, Any]:
    return {"option": option.key, "name": option.name, "label": option.label, "usd_per_month": asdict(usd_per_month)}


def _bar_json(found: Breakeven, bar: Bar) -> dict[str, Any]:
    knob = found.knob(bar.input.name)
    return {
        "input": knob.name,
        "label": knob.label,
        "unit": knob.unit,
        "range": asdict(knob.band),
        "range_from": knob.basis,
        "at_low": bar.at_low,
        "at_mid": bar.at_mid,
        "at_high": bar.at_high,
    }
