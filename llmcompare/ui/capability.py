"""The parts of the Capability page: what is compared, the answer, the ranking, the scores with their gaps."""

from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from llmcompare import figures
from llmcompare.core import capability_words as words
from llmcompare.core.capability_ranking import GREATEST_WEIGHT, OVERALL, Place, Ranking, cells_by_count
from llmcompare.core.capability_scores import CATEGORIES, CellScore, PublishedCell, Subject
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.figures.capability import HeatCell, RankedRow
from llmcompare.services import capability, capability_tables
from llmcompare.services.capability import Asked
from llmcompare.services.catalogue import Facts
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

RANKING, SCORES, CATEGORY, SIZE, TIME, COST, FORMATS, CHECK = VIEWS = (
    "Ranking", "Scores and gaps", "By category", "Size", "Timeline", "Price and memory", "Weight formats", "Check",
)  # fmt: skip
MOST_MODELS = 8
BEST_DRAWN = 10
NEIGHBOURS = 2
CELLS_DRAWN = 40
OTHERS_IN_GRID = 4
WEIGHT_STEP = 0.5
NOBODY = "nobody"


# --- what is compared -------------------------------------------------------------------------------------------------


def pick_models(facts: Facts) -> list[str]:
    """The models that are compared, at most eight."""
    ids = capability.scored_models(facts)
    explain_choice("compare", ids)
    chosen: list[str] = st.multiselect(
        "Models",
        ids,
        default=capability.default_models(facts),
        key="compare",
        bind=BOUND,
        max_selections=MOST_MODELS,
        placeholder="type to search",
        help="Ids of the catalogue. A model with two modes is placed in each of them.",
    )
    return chosen


def pick_category() -> str:
    """Which benchmarks count."""
    explain_choice("category", capability.ASKABLE)
    return st.selectbox(
        "Category", capability.ASKABLE, key="category", bind=BOUND, help="Which benchmarks count; overall mixes all."
    )


def pick_question(facts: Facts, category: str) -> Asked:
    """Weights, publishers and how strictly settings are read."""
    with st.expander("How scores are compared", icon=":material/tune:"):
        weights = _pick_weights() if category == OVERALL else {}
        publishers = capability.publishers(facts)
        explain_choice("without", [NOBODY, *publishers])
        left, right = st.columns(2, vertical_alignment="bottom")
        without = left.selectbox(
            "Leave out the scores of", [NOBODY, *publishers], key="without", bind=BOUND,
            help="The index changes, and no published score does.",
        )  # fmt: skip
        as_printed = right.toggle(
            "Only settings in the same words", key="as_printed", bind=BOUND,
            help="Otherwise settings that say the same in other words are one: instruct, chat, non-thinking mode.",
        )  # fmt: skip
    return capability.asked(
        facts, category, weights=weights, without=None if without == NOBODY else without, as_printed=as_printed
    )


def _pick_weights() -> dict[str, float]:
    st.caption("Weights of the categories, 0 leaves one out.")
    columns = st.columns(4)
    return {
        category: columns[at % len(columns)].slider(
            category.capitalize(), 0.0, GREATEST_WEIGHT, 1.0, WEIGHT_STEP, key=weight_key(category), bind=BOUND
        )
        for at, category in enumerate(CATEGORIES)
    }


def weight_key(category: str) -> str:
    """Name of a weight in a link.

    >>> weight_key("long context")
    'weight_long_context'
    """
    return f"weight_{category.replace(' ', '_')}"


def pick_view() -> str:
    """What the ranking is shown against."""
    explain_choice("capability_view", VIEWS)
    found: str = st.segmented_control(
        "View", VIEWS, default=RANKING, key="capability_view", bind=BOUND, required=True, label_visibility="collapsed"
    )
    return found


# --- the answer -------------------------------------------------------------------------------------------------------


def show_answer(facts: Facts, question: Asked, ranking: Ranking | None, chosen: Sequence[str]) -> None:
    """Who is ahead, who cannot be told apart, how much evidence there is, and how wrong it may be."""
    if not chosen:
        st.info("Choose models to compare.", icon=":material/info:")
    else:
        st.markdown(f"#### {plain(capability.answer(facts, question, ranking, chosen))}")
    if ranking is None:
        return
    wanted, named = capability.subjects(chosen), capability.Named(facts)
    lines = [
        *words.standings(ranking, wanted, named),
        *words.other_modes(capability.ranked(facts, question), ranking, wanted, named),
        *capability.missing(facts, question, ranking, chosen),
    ]
    if lines:
        show.sentences(*lines)
    st.caption(plain(f"{words.evidence(ranking)} {words.HOW_SURE}"))
    st.caption(plain(words.check_sentence(capability.checked(facts, question))))


# --- ranking ----------------------------------------------------------------------------------------------------------


def show_ranking(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> None:
    """Intervals of the best, the chosen and their neighbours, or of all."""
    everything = st.toggle(f"All {len(ranking.places)} models", key="whole_ranking", bind=BOUND)
    places = ranking.places if everything else nearby(ranking, chosen)
    named = capability.Named(facts)
    rows = [
        RankedRow(
            label=named(place.subject),
            family=place.family,
            band=place.band,
            chosen=place.subject.model_id in chosen,
            detail=_detail(place, ranking),
        )
        for place in places
    ]
    st.caption(
        "Lines are 95% intervals against the average model of the group. Two of them may overlap and the models still "
        "be told apart, or not: the test looks at the difference of the two."
    )
    show.chart(
        figures.ability_ranking(rows),
        key="ability_ranking",
        description=" ".join(words.standings(ranking, capability.subjects(chosen), named)) or words.evidence(ranking),
    )


def nearby(ranking: Ranking, chosen: Sequence[str]) -> list[Place]:
    """The best ten, the chosen, and two neighbours on either side of them."""
    near = {
        neighbour
        for at, place in enumerate(ranking.places)
        if place.subject.model_id in chosen
        for neighbour in range(at - NEIGHBOURS, at + NEIGHBOURS + 1)
    }
    return [place for at, place in enumerate(ranking.places) if at < BEST_DRAWN or at in near]


def _detail(place: Place, ranking: Ranking) -> str:
    return (
        f"{words.percent_text(place.band)}, {words.rank_text(place)} of {len(ranking.places)}, "
        f"{counted(place.score_count, 'score')} in {ranking.cell_count} cells, "
        f"{place.largest_publisher_fraction:.0%} of them by {place.largest_publisher}"
    )


# --- scores and gaps --------------------------------------------------------------------------------------------------


def show_scores(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> None:
    """The chosen models and those with most scores beside them against the cells of the group, gaps in grey."""
    named = capability.Named(facts)
    at = {(score.cell, score.subject): score for score in ranking.index.scores}
    subjects, cells = _columns_and_rows(ranking, chosen)
    st.caption(
        plain(
            f"Percent as published, {len(cells)} of the {ranking.cell_count} cells of this group: those of the chosen "
            f"models first, beside {OTHERS_IN_GRID} others with most scores there. A cell is one benchmark, metric, "
            "number of shots, setting and publisher; figures may be compared within a row, not from row to row. Two "
            "figures of one cell stand as a range; the index takes their mean."
        )
    )
    shown = [
        HeatCell(row=row, column=column, percent=score.percent, text=_text(score), detail=_origin(score, named))
        for row, cell in enumerate(cells)
        for column, subject in enumerate(subjects)
        if (score := at.get((cell, subject))) is not None
    ]
    show.chart(
        figures.score_grid(
            shown,
            rows=[(cell.benchmark, cell.conditions) for cell in cells],
            columns=[named(subject) for subject in subjects],
        ),
        key="score_grid",
        description=f"{len(shown)} of {len(cells) * len(subjects)} places hold a published score, the others are gaps.",
    )


def _columns_and_rows(ranking: Ranking, chosen: Sequence[str]) -> tuple[list[Subject], list[PublishedCell]]:
    """The chosen and the best documented others; cells of the chosen first, each with a score of one of these."""
    wanted = [place.subject for place in ranking.places if place.subject.model_id in chosen]
    theirs = {score.cell for score in ranking.index.scores if score.subject in wanted}
    ordered = sorted(cells_by_count(ranking), key=lambda cell: cell not in theirs)[:CELLS_DRAWN]
    counts = Counter(
        score.subject for score in ranking.index.scores if score.cell in ordered and score.subject not in wanted
    )
    subjects = [*wanted, *(subject for subject, _ in counts.most_common(OTHERS_IN_GRID))]
    filled = {score.cell for score in ranking.index.scores if score.subject in subjects}
    return subjects, [cell for cell in ordered if cell in filled]


def _text(score: CellScore) -> str:
    return capability_tables.score_text(score) or ""


def _origin(score: CellScore, named: capability.Named) -> str:
    dates = sorted({row.as_of or "undated" for row in score.rows})
    settings = "; ".join(dict.fromkeys(row.setting for row in score.rows))
    return (
        f"{named(score.subject)}: {_text(score)}, {score.cell.benchmark}, {score.cell.metric}; {settings}; "
        f"{score.cell.published_by}, {' and '.join(dates)}"
    )


# --- rows behind ------------------------------------------------------------------------------------------------------


def show_rows(facts: Facts, question: Asked, ranking: Ranking | None, chosen: Sequence[str]) -> None:
    """Every cell with setting, publisher, date and source; every row; the whole ranking; what benchmarks test."""
    made: dict[str, Callable[[], Table]] = {
        "Cells and gaps": lambda: capability_tables.gap_table(facts, question, ranking, chosen),
        "Every score": lambda: capability_tables.source_table(facts, question, chosen),
        "What benchmarks test": lambda: capability_tables.category_table(facts, question),
    }
    if ranking is not None:
        made["Ranking"] = lambda: capability_tables.ranking_table(facts, ranking, chosen)
    show.behind(made, key="capability_behind")
