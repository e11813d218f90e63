"""The parts of the Families page: what is asked, who is left, licences, generations, frameworks, communities."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from llmcompare import figures
from llmcompare.core import families_words as words
from llmcompare.core.families import Assessment, Ground, grounds
from llmcompare.core.frameworks import Feature, Support, frameworks_with
from llmcompare.core.licence_matrix import POINTS, points
from llmcompare.core.licences import LicenceNeed, State
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.figures.families import STATE_COLOURS
from llmcompare.figures.style import see_through
from llmcompare.services import families
from llmcompare.services.catalogue import Facts
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

LEFT, LICENCES, GENERATIONS, FRAMEWORKS, COMMUNITY = VIEWS = (
    "Who is left", "Licences", "Sizes and contexts", "Frameworks", "Community",
)  # fmt: skip
FEATURE_LABELS: Mapping[str, Feature] = {
    "Serving": "runs", "Training": "trains", "Tool calling": "tool calling", "Structured output": "structured output",
}  # fmt: skip
SUPPORT_STATES: Mapping[Support, State] = {
    "yes": "allowed", "measured": "allowed", "partly": "conditional", "no": "forbidden", "unknown": "unknown",
}  # fmt: skip
HEADINGS: Mapping[State, str] = {
    "allowed": "Left", "conditional": "Left on a condition", "forbidden": "Out, and the clause that removes them",
    "unknown": "Not known",
}  # fmt: skip
CELL_OPACITY = 0.22
GRID_HEIGHT_PX = 1100
CELL_PADDING_PX, LETTER_PX, MOST_COLUMN_PX = 20, 6.5, 190
MOST_USERS = 10_000_000_000


# --- what is asked ----------------------------------------------------------------------------------------------------


def pick_need(facts: Facts) -> LicenceNeed:
    """What is to be done with a model; the defaults are a company that trains others on outputs."""
    first, second, third = st.columns(3, vertical_alignment="bottom")
    usual = families.NEED
    commercial = first.toggle("Commercial use", usual.commercial_use, key="commercial", bind=BOUND)
    users: int = second.number_input(
        "Monthly users", min_value=1, max_value=MOST_USERS, value=families.USERS, step=1_000_000, key="monthly_users",
        bind=BOUND, help="Active users a month of all products of the company; in doubt the most that you expect.",
    )  # fmt: skip
    trains = third.toggle(
        "Other models are trained on its outputs", usual.trains_other_models, key="trains_others", bind=BOUND,
        help="Or on its weights; models of other families.",
    )  # fmt: skip
    with st.expander("More of the need", icon=":material/tune:"):
        return _rest(facts, commercial=commercial, users=users, trains=trains)


def _rest(facts: Facts, *, commercial: bool, users: int, trains: bool) -> LicenceNeed:
    left, right = st.columns(2)
    offered = left.toggle(
        "Models trained so are given or offered to others", True, key="offers_trained", bind=BOUND, disabled=not trains
    )
    notice = left.toggle(
        "A visible notice is acceptable", True, key="accepts_notice", bind=BOUND,
        help="As “Built with Llama”, and names of trained models that say what they come from.",
    )  # fmt: skip
    changes = left.toggle("Weights are changed", key="changes_weights", bind=BOUND, help="Fine-tuning, merging.")
    gives = left.toggle("Weights are given away", key="gives_weights", bind=BOUND)
    sells = right.toggle(
        "Access to the model is sold", key="sells_access", bind=BOUND,
        help="Inference or fine-tuning for others, or an assistant for coding or office work.",
    )  # fmt: skip
    in_eu = right.toggle("Seat in the European Union", key="in_eu", bind=BOUND)
    revenue: float | None = right.number_input(
        "Revenue, USD a month", min_value=0.0, value=None, key="revenue", bind=BOUND, placeholder="not said",
        help="Worldwide, of the company and its group.",
    )  # fmt: skip
    known = families.fields_of_use(facts)
    explain_choice("fields", known)
    chosen: list[str] = right.multiselect(
        "Fields of use", known, key="fields", bind=BOUND, placeholder="none of these",
        help="Fields that use policies exclude.",
    )  # fmt: skip
    return LicenceNeed(
        commercial_use=commercial,
        monthly_active_users=users,
        revenue_usd_per_month=revenue,
        trains_other_models=trains,
        offers_trained_models=offered,
        accepts_attribution=notice,
        changes_weights=changes,
        gives_weights_away=gives,
        sells_model_access=sells,
        based_in_eu=in_eu,
        fields=frozenset(chosen),
    )


def pick_view() -> str:
    """Which side of the families."""
    explain_choice("families_view", VIEWS)
    found: str = st.segmented_control(
        "View", VIEWS, default=LEFT, key="families_view", bind=BOUND, required=True, label_visibility="collapsed"
    )
    return found


# --- the answer -------------------------------------------------------------------------------------------------------


def show_answer(found: Assessment, scenario: Scenario) -> None:
    """How many are left, the model of the other pages, and that this is no legal advice."""
    st.caption(plain(words.asked(found.need)))
    st.markdown(f"#### {plain(words.headline(found))}")
    st.markdown(plain(words.families_sentence(found)))
    if sentence := families.model_sentence(found, scenario.model):
        st.markdown(plain(sentence))
    st.caption(f":material/gavel: {plain(words.NO_ADVICE)}")


def show_left(found: Assessment) -> None:
    """Every verdict with its reasons, links to the texts, and the models by size."""
    by_state: dict[State, list[Ground]] = {}
    for ground in grounds(found.groups):
        by_state.setdefault(ground.state, []).append(ground)
    reasons, sizes = st.columns([3, 2], gap="medium")
    with reasons:
        for state, heading in HEADINGS.items():
            if state in by_state:
                st.markdown(f"##### {heading}: {counted(found.count(state), 'model')}")
                st.markdown("\n".join(f"- {_linked(ground)}" for ground in by_state[state]))
    with sizes:
        st.markdown("##### The same by size")
        show.chart(figures.model_sizes(found), key="model_sizes", description=words.answer(found))
        unsized = sum(model.params_total_billion is None for group in found.groups for model in group.models)
        st.caption(f"The sizes of {counted(unsized, 'model')} were not published: they stand in the table alone.")
    _behind({"Verdicts": families.verdict_table(found)})


def _linked(ground: Ground) -> str:
    """Whom a reason holds for, the reason, and the texts that say it."""
    texts = ", ".join(f"[{plain(one.name)}]({one.url})" for one in ground.licences)
    said = f"**{plain(words.listed(words.names(ground.groups)))}**: {plain(ground.reason)}"
    return f"{said} Text: {texts}." if texts else said


# --- licences ---------------------------------------------------------------------------------------------------------


def show_licences(facts: Facts, found: Assessment) -> None:
    """What each text says on each point, whatever is asked."""
    st.caption(
        "What each text says on each point, whatever is asked above. Unknown: nobody read it here, which is no "
        "permission. The table below has it in words, with links to the texts."
    )
    named, rows = [], []
    for one in families.licences(facts):
        said = points(one)
        named.append(short_licence(one.name))
        rows.append([(said[point].word, said[point].state) for point in POINTS])
    _grid(named, POINTS, rows, first="licence", key="licence_grid", description="Licences by point.")
    _behind({"In our words": families.licence_table(facts), "Verdicts": families.verdict_table(found)})


def short_licence(name: str) -> str:
    """A licence for a narrow column.

    >>> short_licence("Llama 3.1 Community License (2024-07-23)"), short_licence("Tongyi Qianwen License Agreement")
    ('Llama 3.1 Community', 'Tongyi Qianwen')
    """
    return name.partition(" (")[0].replace(" License Agreement", "").replace(" License", "")


# --- generations ------------------------------------------------------------------------------------------------------


def show_generations(facts: Facts, found: Assessment) -> None:
    """Sizes, contexts, languages, files for llama.cpp and licences."""
    known = families.known_generations(facts)
    st.markdown(plain(words.useful_sentence(known)))
    show.chart(figures.contexts(known), key="contexts", description=words.useful_sentence(known))
    st.caption(
        "Found useful is the longest prompt that NVIDIA's test RULER counts as good; its longest has 131,072 tokens. "
        "In the table, files for llama.cpp (GGUF) are counted where a repository is known here: others may exist."
    )
    _behind(
        {
            "Generations": families.generation_table(facts, found),
            "Models": families.model_table(facts, found),
            "Useful contexts": families.useful_table(facts),
        }
    )


# --- frameworks -------------------------------------------------------------------------------------------------------


def show_frameworks(facts: Facts) -> None:
    """Every generation against every framework, the row behind each cell below."""
    explain_choice("feature", FEATURE_LABELS)
    label = st.segmented_control("Asked of", list(FEATURE_LABELS), default="Serving", key="feature", bind=BOUND,
                                 required=True, label_visibility="collapsed")  # fmt: skip
    feature = FEATURE_LABELS[label]
    found = families.cells(facts, feature)
    columns = frameworks_with(feature)
    rows = [found[start : start + len(columns)] for start in range(0, len(found), len(columns))]
    known = sum(cell.support != "unknown" for cell in found)
    st.caption(
        f"{known} of {len(found)} cells were answered by a document or a measurement. Yes, partly and no are what the "
        "framework's own documents or code say; measured: speeds were published with it; unknown: no source read here "
        "says it, which is not a no. What is said of every model counts for each; the table below tells which."
    )
    _grid(
        [row[0].generation for row in rows], columns,
        [[(cell.support, SUPPORT_STATES[cell.support]) for cell in row] for row in rows],
        first="generation", key="framework_grid", description=f"{label}: {known} of {len(found)} cells known.",
    )  # fmt: skip
    _behind({"Cells": families.support_table(facts, feature)})


# --- community --------------------------------------------------------------------------------------------------------


def show_community(facts: Facts) -> None:
    """Dated figures on the size of communities, and what support vendors offer."""
    st.caption("Figures of different days and counts are not to be compared with each other; each has its own source.")
    show.sentences(*words.community_sentences(facts.ecosystem))
    _behind({"Community and support": families.community_table(facts)})


# --- parts ------------------------------------------------------------------------------------------------------------


def _grid(
    named: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Sequence[tuple[str, State]]],
    *,
    first: str,
    key: str,
    description: str,
) -> None:
    """Words on a pale ground; the word is the answer, its ground helps to find it."""
    frame = pd.DataFrame([[word for word, _ in row] for row in rows], columns=list(columns))
    frame.insert(0, first, list(named))
    grounds_of = pd.DataFrame(
        [["", *(f"background-color: {see_through(STATE_COLOURS[state], CELL_OPACITY)}" for _, state in row)]
         for row in rows],
        columns=frame.columns,
    )  # fmt: skip
    st.dataframe(
        frame.style.apply(lambda _: grounds_of, axis=None),
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(frame), GRID_HEIGHT_PX),
        column_config={first: st.column_config.TextColumn(pinned=True, width=_width(named))}
        | {
            column: st.column_config.TextColumn(width=_width([column, *(row[at][0] for row in rows)]))
            for at, column in enumerate(columns)
        },
        alt=description,
    )


def _width(texts: Sequence[str]) -> int:
    """Pixels for the longest of some words, up to what a narrow screen has room for."""
    return min(CELL_PADDING_PX + round(LETTER_PX * max(map(len, texts))), MOST_COLUMN_PX)


def _behind(tables: Mapping[str, Table]) -> None:
    st.subheader("Behind the figures")
    for tab, table in zip(st.tabs(list(tables), key="families_behind", bind=BOUND), tables.values(), strict=True):
        if tab.open:
            with tab:
                show.table(table, key=table.name)
