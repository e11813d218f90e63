"""A ranking against size, time, price and memory, by category, what weight formats cost, and the check."""

from collections.abc import Sequence

import streamlit as st

from llmcompare import figures
from llmcompare.core import capability_words as words
from llmcompare.core.capability_ranking import Ranking
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.cost import Band
from llmcompare.core.phrases import listed
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.figures.capability import RadarLine
from llmcompare.figures.capability_against import AbilityPoint, FormatPoint
from llmcompare.services import capability, capability_views
from llmcompare.services.capability import Asked
from llmcompare.services.capability_views import FormatGroup, Placed
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import same_text
from llmcompare.ui import show
from llmcompare.ui.safe import plain

RADAR_MODELS = range(2, 5)


def show_categories(facts: Facts, question: Asked, chosen: Sequence[str]) -> None:
    """Two to four subjects over the categories."""
    found = capability_views.by_category(facts, question, chosen)
    named = capability.Named(facts)
    if len(found) not in RADAR_MODELS:
        st.info(
            "Choose two to four models that can be placed; both modes of one model count as two.",
            icon=":material/info:",
        )
        return
    lines = [
        RadarLine(
            label=named(subject),
            family=facts.models[subject.model_id].family,
            bands=tuple(bands.get(category) for category in CATEGORIES),
        )
        for subject, bands in found.items()
    ]
    gaps = "; ".join(
        f"{line.label}: {listed(missing)}"
        for line in lines
        if (missing := [name for name, band in zip(CATEGORIES, line.bands, strict=True) if band is None])
    )
    st.caption(
        plain(
            "Percent expected in the middle test of each category. The middle tests differ: compare models along one "
            f"axis, not axes of one model.{f' Cannot be placed in the group of the others: {gaps}.' if gaps else ''}"
        )
    )
    show.chart(figures.ability_radar(lines, CATEGORIES), key="ability_radar", description=gaps or "No gaps.")
    show.table(_category_table(lines), key="ability_by_category")


def _category_table(lines: Sequence[RadarLine]) -> Table:
    rows = [(category, *(_in_words(line.bands[at]) for line in lines)) for at, category in enumerate(CATEGORIES)]
    return Table(
        name="ability-by-category",
        title="Percent expected in the middle test of each category",
        columns=("category", *(line.label for line in lines)),
        rows=tuple(rows),
    )


def _in_words(band: Band | None) -> str | None:
    return None if band is None else words.percent_text(band)


def show_size(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> None:
    """Against parameters."""
    found = capability_views.by_size(facts, ranking)
    st.caption(
        plain(
            f"{_left_out(ranking, found, 'whose size nobody published')} The models of one generation are joined. "
            "Experts count in full: they have to lie in memory."
        )
    )
    show.chart(figures.ability_over_sizes(_points(found, chosen)), key="ability_size", description=_front(found))


def show_time(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> None:
    """Against the day of release."""
    found = capability_views.by_day(facts, ranking)
    st.caption(plain(f"{_left_out(ranking, found, 'without a day')} The stair is the best model up to a day."))
    show.chart(figures.ability_over_time(_points(found, chosen)), key="ability_time", description=_front(found))


def show_cost(facts: Facts, ranking: Ranking, chosen: Sequence[str], scenario: Scenario) -> None:
    """Against API prices, and against memory."""
    st.subheader("Against the price of a token-priced API")
    priced = capability_views.by_price(facts, ranking, scenario)
    st.caption(
        plain(
            "Median over providers of the standard listings, with the lowest and the highest, for "
            f"{scenario.input_tokens:,.0f} input and {scenario.output_tokens:,.0f} output tokens per request. A model "
            f"that thinks writes more: say how many in the sidebar. {_left_out(ranking, priced, 'that nobody lists')} "
            + " ".join(same_text(facts, scenario))
        )
    )
    show.chart(
        figures.ability_over_cost(_points(priced, chosen), x_title="USD per million tokens (log scale)", prefix="$"),
        key="ability_price",
        description=_front(priced),
    )
    st.markdown(plain(_front(priced)))
    st.subheader("Against the memory it takes")
    held = capability_views.by_memory(facts, ranking, scenario)
    st.caption(
        plain(
            "Weights at 16 bits, as published and as scored, with the cache of one request of the workload. Fewer bits "
            "take less memory and have other, mostly unmeasured, scores. "
            f"{_left_out(ranking, held, 'whose layers no source gives or whose context is shorter')}"
        )
    )
    show.chart(
        figures.ability_over_cost(_points(held, chosen), x_title="GiB of GPU memory at 16 bits (log scale)"),
        key="ability_memory",
        description=_front(held),
    )
    st.markdown(plain(_front(held)))


def _left_out(ranking: Ranking, found: Sequence[Placed], why: str) -> str:
    missing = len(ranking.places) - len(found)
    return "" if missing == 0 else f"Left out: {missing} of {len(ranking.places)} {why}."


def _front(found: Sequence[Placed]) -> str:
    best = sorted((one for one in found if one.on_front), key=lambda one: one.against.mid)
    if not best:
        return "No model can be placed here."
    return f"Nothing that costs no more is expected to be better than {listed([one.name for one in best])}."


def _points(found: Sequence[Placed], chosen: Sequence[str]) -> list[AbilityPoint]:
    return [
        AbilityPoint(
            label=one.name,
            family=one.model.family,
            line=one.model.generation,
            percent=one.percent,
            against=one.against,
            chosen=one.subject.model_id in chosen,
            on_front=one.on_front,
        )
        for one in found
    ]


def show_formats(facts: Facts, chosen: Sequence[str]) -> None:
    """What weight formats cost in quality, one generation after the other."""
    every, groups = capability_views.formats(facts)
    show.sentences(*capability_views.format_sentences(facts, groups, chosen))
    st.caption(
        "Perplexity on WikiText-2, measured rows only; each model against its own 16 bits in the same table. Models of "
        "one generation split the text alike, so their figures compare; others do not. What a format costs on the "
        "benchmarks above is not measured."
    )
    for number, group in enumerate(groups):
        st.markdown(f"**{plain(group.generation)}**")
        show.chart(
            figures.format_losses(_format_points(group)),
            key=f"format_losses_{number}",
            description=f"{group.generation}: {listed(list(group.by_model))} in the formats that were measured.",
        )
    show.table(capability_views.format_table(every), key="format_quality")


def _format_points(group: FormatGroup) -> list[FormatPoint]:
    return [
        FormatPoint(
            model=name,
            label=one.label,
            size_gib=one.row.size_gib or 0.0,
            perplexity=one.perplexity,
            loss_fraction=one.loss_fraction,
            on_front=one.on_front,
        )
        for name, found in group.by_model.items()
        for one in found
    ]


def show_check(facts: Facts, question: Asked) -> None:
    """Hidden scores against their predictions."""
    found = capability.checked(facts, question)
    if not found.hidden:
        return
    show.chart(figures.hidden_scores(found.hidden), key="hidden_scores", description=words.check_sentence(found))
    st.caption(
        plain(
            "The tenths are drawn by chance with a fixed seed, within each category. "
            f"{found.not_predictable_count} more could not be predicted: nothing else connects their model or their "
            "cell. Upright lines are 80% intervals."
        )
    )
