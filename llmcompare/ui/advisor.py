"""The parts of the Advisor page: the need, the first place, how sure it is, what would change it, who is out."""

from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llmcompare import figures
from llmcompare.core import advice_words as words
from llmcompare.core.advice import CRITERIA, GREATEST_WEIGHT, Weights
from llmcompare.core.advice_assumptions import assumptions
from llmcompare.core.advised import API, AT_HAND, OWNED, Advice, Line
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.needs import NEED_RANGES, PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.services import advice_out
from llmcompare.services.catalogue import Facts
from llmcompare.services.overview import FAMILIES
from llmcompare.ui import show
from llmcompare.ui.fields import ANY, BOUND
from llmcompare.ui.handover import SET_MODEL, hand_over, show_handed_over
from llmcompare.ui.safe import plain

USUAL = Need()
WEIGHT_STEP = 0.5
MODELS_DRAWN = 8
LINES_SHOWN = 200


# --- the need ---------------------------------------------------------------------------------------------------------


def pick_need(facts: Facts, scenario: Scenario) -> Need:
    """Presets first, then limits and weights, each of which can be changed."""
    st.pills(
        "What for?", PRESETS, key="need_preset", on_change=_take_preset,
        help="Sets the shape of a request, the weights and the categories; all can be changed after.",
    )  # fmt: skip
    first, second, third = st.columns(3, vertical_alignment="bottom")
    languages = first.multiselect(
        "Languages that the maker must name", list(facts.token_table.languages.values()), key="need_languages",
        bind=BOUND, placeholder="any",
    )  # fmt: skip
    gpus = sorted(gpu.gpu_id for gpu in facts.gpus.values() if gpu.memory_gb is not None)
    hardware = second.selectbox(
        "GPU at hand", [ANY, *gpus], key="need_hardware", bind=BOUND, format_func=_hardware_text,
        help="Bought already: only power, hosting and staff count.",
    )  # fmt: skip
    stays = _pick_stays(third, scenario)
    values: dict[str, Any] = {
        "languages": tuple(languages), "hardware": None if hardware == ANY else hardware, "data_stays_here": stays,
    }  # fmt: skip
    with st.expander("More limits", icon=":material/rule:"):
        values |= _pick_limits()
    with st.expander("What counts how much", icon=":material/tune:"):
        values |= _pick_weights()
    return Need(**values)


def _pick_stays(place: DeltaGenerator, scenario: Scenario) -> bool:
    label = "Data must stay here"
    if scenario.data_stays_here:
        said = "Said in the sidebar, under “Own machine”."
        return place.toggle(label, True, key="need_stays_said", disabled=True, help=said)
    return place.toggle(label, key="need_stays", bind=BOUND, help="No API and no rented machine.")


def _hardware_text(gpu_id: str) -> str:
    return "none" if gpu_id == ANY else gpu_id


def _take_preset() -> None:
    name = st.session_state["need_preset"]
    if name is None:
        return
    chosen, state = PRESETS[name], st.session_state
    state["input_tokens"], state["output_tokens"] = int(chosen.input_tokens), int(chosen.output_tokens)
    for criterion in CRITERIA:
        state[f"weight_{criterion}"] = float(getattr(chosen.weights, criterion))
    for category, weight in chosen.categories_of_all(CATEGORIES):
        state[_category_key(category)] = weight


def _category_key(category: str) -> str:
    return f"counts_{category.replace(' ', '_')}"


def _figure(name: str, label: str, placeholder: str, *, help: str | None = None) -> float | None:
    low, high = NEED_RANGES[name]
    found: float | None = st.number_input(
        label, min_value=float(low), max_value=float(high), value=None, key=f"need_{name}", bind=BOUND,
        placeholder=placeholder, help=help,
    )  # fmt: skip
    return found


def _pick_limits() -> dict[str, Any]:
    left, middle, right = st.columns(3)
    with left:
        found: dict[str, Any] = {
            "commercial_use": st.toggle("Commercial use", USUAL.commercial_use, key="need_commercial", bind=BOUND),
            "trains_other_models": st.toggle("Outputs train other models", key="need_trains", bind=BOUND),
            "based_in_eu": st.toggle("Seat in the European Union", key="need_eu", bind=BOUND),
            "monthly_active_users": _figure("monthly_active_users", "Monthly users", "not said"),
        }
    with middle:
        found |= {
            "hardware_count": st.number_input(
                "GPUs at hand", min_value=1, max_value=8, value=USUAL.hardware_count, key="need_gpus", bind=BOUND,
                help="Of one kind, in one machine.",
            ),
            "context_tokens": _figure("context_tokens", "Context, tokens at least", "those of a request"),
            "max_usd_per_month": _figure("max_usd_per_month", "USD a month at most", "no limit"),
        }  # fmt: skip
    with right:
        found |= {
            "min_evidence_fraction": st.slider(
                "Categories with a score, at least", 0.0, 1.0, USUAL.min_evidence_fraction, 0.05, key="need_evidence",
                bind=BOUND, help="Share of the weights of the categories in which a model has a comparable score.",
            ),
            "min_ability_percent": _figure("min_ability_percent", "Ability at least, percent", "no floor"),
            "max_cold_fraction": st.slider(
                "Requests that may meet a cold start", 0.0, 0.5, USUAL.max_cold_fraction, 0.01, key="need_cold",
                bind=BOUND, help="Assumption. Counts with a latency limit: how many requests may wait for a serverless "
                "GPU to start.",
            ),
            "format_loss_points": _figure(
                "format_loss_points", "Points that another format may lose", "such formats are out",
                help="Assumption. Scores are of the published weights; what a quantised format costs in points was not "
                "measured. Empty: only published formats compete.",
            ),
        }  # fmt: skip
        low, high = st.columns(2)
        with low:
            slow = _figure("api_tokens_per_s_low", "Tokens/s of APIs, from", f"{USUAL.api_tokens_per_s_low:g}")
        with high:
            fast = _figure("api_tokens_per_s_high", "to", f"{USUAL.api_tokens_per_s_high:g}", help="Assumption.")
    found["api_tokens_per_s_low"] = USUAL.api_tokens_per_s_low if slow is None else slow
    found["api_tokens_per_s_high"] = USUAL.api_tokens_per_s_high if fast is None else fast
    st.caption("Volume, shape of a request, latency limits and prices of your own are in the sidebar.")
    return found


def _pick_weights() -> dict[str, Any]:
    weights: dict[str, float] = {}
    for column, name in zip(st.columns(len(CRITERIA)), CRITERIA, strict=True):
        weights[name] = column.slider(
            name.capitalize(), 0.0, GREATEST_WEIGHT, 1.0, WEIGHT_STEP, key=f"weight_{name}", bind=BOUND
        )
    st.caption("Categories of ability:")
    categories: list[tuple[str, float]] = []
    for number, category in enumerate(CATEGORIES):
        if number % 4 == 0:
            columns = st.columns(4)
        weight = columns[number % 4].slider(
            category.capitalize(), 0.0, GREATEST_WEIGHT, 1.0, WEIGHT_STEP, key=_category_key(category), bind=BOUND
        )
        categories.append((category, weight))
    return {"weights": Weights(**weights), "categories": tuple(categories)}


# --- the answer -------------------------------------------------------------------------------------------------------


def show_answer(facts: Facts, found: Advice) -> None:
    """The first place, why, and where to go on with it."""
    names = advice_out.gpu_names(facts)
    st.markdown(f"#### {plain(words.headline(found, names))}")
    for sentence in words.reasons(found, names):
        st.markdown(plain(sentence))
    show_handed_over(
        ("decide/costs.py", "What it costs on every option", ":material/show_chart:"),
        ("explore/hardware.py", "Where it fits and how fast it is", ":material/memory:"),
        ("try/playground.py", "Try it", ":material/forum:"),
        ("share/report.py", "Report of it", ":material/description:"),
        query={"try/playground.py": {SET_MODEL: found.winner.model.model_id if found.winner else ""}},
    )
    if (best := found.winner) is not None:
        where = words.deployment_text(best, names.get(best.gpu_id or ""))
        said = f"In use on every page: {best.model.display_name} {where}."
        st.button(
            "Go on with the first place", key="advice_use", type="primary", icon=":material/input:",
            on_click=partial(hand_over, _fields(facts, best, stays_here=found.need.data_stays_here), said),
        )  # fmt: skip


def _fields(facts: Facts, best: Line, *, stays_here: bool) -> dict[str, Any]:
    """Shared inputs of the winner."""
    found: dict[str, Any] = {"model": best.model.model_id, "gpu": ANY, "engine": ANY, "weight_format": ANY}
    if stays_here:
        found["data_place"] = "here"
    if best.kind == API:
        return found
    offered = {offer.gpu_id for offer in facts.gpu_offers}
    found |= {"engine": best.engine, "weight_format": best.weight_format, "capacity_basis": "predicted"}
    if best.gpu_id in offered:
        found["gpu"] = best.gpu_id
    if best.kind == OWNED:
        found |= {"owned_gpu": best.gpu_id, "owned_gpu_count": best.gpu_count}
    if best.kind == AT_HAND:
        found |= {"owned_gpu": best.gpu_id, "owned_gpu_count": best.gpu_count, "purchase_usd": 0.0}
    return found


def show_chances(found: Advice) -> None:
    """How likely each model is the best."""
    family = {line.model.display_name: line.model.family for line in found.lines}
    shown = list(found.chance_by("display_name").items())[:MODELS_DRAWN]
    if not shown:
        return
    description = "; ".join(f"{name} {words.share_text(chance)}" for name, chance in shown)
    show.chart(
        figures.advice_chances([(name, family[name], chance) for name, chance in shown]),
        key="advice_chances",
        description=f"Best in this share of the draws: {description}",
    )


def show_kinds(facts: Facts, found: Advice) -> None:
    """The best of each way to serve."""
    if found.best_of_kinds:
        show.sentences(*words.kind_sentences(found, advice_out.gpu_names(facts)))


def show_path(found: Advice) -> None:
    """From all models to a family, the branch of the first place lit."""
    leaves = {family: words.family_label(found, family) for family in FAMILIES}
    steps = [(words.STEP_WORDS[limit], left) for limit, left in found.left]
    chosen = None if found.winner is None else found.winner.model.family
    left, right = st.columns([2, 3])
    with left:
        st.graphviz_chart(figures.decision_path(steps, leaves, chosen), width="stretch")
    with right:
        show.sentences(*(words.family_sentence(found, family) for family in FAMILIES))


def show_changes(facts: Facts, found: Advice) -> None:
    """The smallest change of each input that gives the first place to another one."""
    names = advice_out.gpu_names(facts)
    sentences = [words.flip_sentence(flip, line, names) for flip, line in found.flips]
    sentences += [words.limit_sentence(one, names) for one in found.limit_flips]
    if sentences:
        show.sentences(*sentences)
    else:
        st.markdown("No single change of a weight, a figure or a limit gives the first place to another one.")


def show_rows(facts: Facts, found: Advice) -> None:
    """The ranking, who is out, and what is assumed."""
    show.behind(
        {
            "Ranking": lambda: advice_out.line_table(facts, found, most=LINES_SHOWN),
            "Models that are out": lambda: advice_out.out_table(found),
        },
        {"Assumptions": lambda: show.assumptions(assumptions(found.need, found.scenario))},
        key="advice_behind",
    )
