"""The view “Own machine” of the Costs page: full and marginal cost, payback, energy modelled and measured."""

from collections.abc import Sequence

import streamlit as st

from llmcompare import figures
from llmcompare.core import energy as reckoned
from llmcompare.core import owned_words as words
from llmcompare.core.comparison import Comparison
from llmcompare.core.energy import METHOD, wh_per_mtok
from llmcompare.core.owned import OwnedOption
from llmcompare.core.records import EnergyMeasurement
from llmcompare.core.scenario import Scenario
from llmcompare.core.stack import Part
from llmcompare.core.units import rounded, usd_text
from llmcompare.figures.owned import MeasuredPoint, energy_over_load
from llmcompare.services import energy, owned
from llmcompare.services.catalogue import Facts
from llmcompare.services.energy import AtTheMeter, EnergyCurve
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

NO_PRICE = (
    "No purchase price in the data has a source, so an own machine has no cost until you type what you were offered: "
    "“Own machine” in the sidebar, “Purchase of one machine”. Its energy needs no price."
)
DIRTIEST_GRAMS_PER_KWH = 2_000.0


def own_machine(facts: Facts, comparison: Comparison) -> None:
    """The whole view."""
    scenario = comparison.scenario
    if comparison.owned is not None:
        _show_cost(comparison.owned, comparison)
    elif scenario.purchase_usd is None:
        st.markdown("#### What would an own machine cost?")
        st.info(plain(NO_PRICE), icon=":material/sell:")
    else:
        st.markdown(f"#### {plain(f'No own machine can be reckoned: {comparison.owned_missing}.')}")
    grams = show_energy(facts, comparison)
    st.subheader("Assumptions")
    listed = [*words.energy_assumptions(grams_co2e_per_kwh=grams), *words.owned_assumptions(scenario)]
    show.assumptions(listed)


def _show_cost(found: OwnedOption, comparison: Comparison) -> None:
    st.markdown(f"#### {plain(words.owned_sentence(found))}")
    rivals = owned.rivals(found, comparison)
    requests = found.workload.requests_per_month
    show.sentences(
        words.per_request_sentence(found),
        *(
            words.payback_sentence(
                one.payback, other=one.option.name, usd_per_month=one.option.curves.usd_per_month(requests)
            )
            if found.machine.purchase_usd
            else words.paid_sentence(
                found, other=one.option.name, usd_per_month=one.option.curves.usd_per_month(requests)
            )
            for one in rivals
        ),
        words.load_sentence(found),
    )
    st.subheader("What it costs because it stands there, and what the requests add")
    show.chart(figures.cost_stack(_stacks(found)), key="owned_stack", description=words.per_request_sentence(found))
    st.caption(
        plain(
            "Rest power counts as standing there. If the machines drew their load watts all month, however little they "
            f"serve, it would be {usd_text(found.always_under_load_usd_per_month)} a month more."
        )
    )
    st.subheader("Beside the other options")
    show.table(owned.rival_table(found, rivals), key="own_machine_table")


def _stacks(found: OwnedOption) -> list[tuple[str, str, list[Part]]]:
    everything = [Part(name=name, usd_per_month=usd) for name, usd in found.parts.items() if usd]
    added = found.marginal_usd_per_request.mid * found.workload.requests_per_month
    marginal = [Part(name="power of the requests", usd_per_month=added)]
    return [("owned", "full cost", everything), ("owned", "added by the requests", marginal)]


# --- energy -----------------------------------------------------------------------------------------------------------


def show_energy(facts: Facts, comparison: Comparison) -> float:
    """Energy modelled and measured, in words, as a chart and in two tables; the grid's grams per kWh."""
    scenario = comparison.scenario
    st.subheader("Energy")
    grams = _pick_grid()
    curve, missing = owned.energy_of(facts, scenario, comparison.rented)
    measured = energy.measured(facts, comparison.model.model_id)
    reason = missing or (curve.reason if curve is not None else None)
    if curve is not None and curve.points:
        _say_energy(facts, scenario, curve, grams)
    else:
        st.markdown(plain(f"Nothing is modelled: {reason}."))
    shown = _same_gpu(measured, curve)
    points = curve.points if curve is not None else ()
    if points or shown:
        description = _chart_in_words(curve, shown)
        show.chart(energy_over_load(points, [_point(row) for row in shown]), key="energy", description=description)
        st.caption(plain(description))
    left, right = st.tabs([f"Modelled ({METHOD})", "Measured"])
    with left:
        if points and curve is not None:
            show.table(energy.modelled_table(curve), key="energy_modelled")
        else:
            st.caption(plain(f"Nothing is modelled: {reason}."))
    with right:
        if measured:
            st.caption("All GPUs; the joules of the GPUs alone, prompts included, over output tokens.")
            show.table(energy.measured_table(measured), key="energy_measured")
        else:
            st.caption(plain(f"Nobody in the data measured the energy of {comparison.model.display_name}."))
    return grams


def _pick_grid() -> float:
    column, _ = st.columns([2, 3])
    grams: float = column.number_input(
        "Grid, g CO2e per kWh", 0.0, DIRTIEST_GRAMS_PER_KWH, reckoned.GRAMS_CO2E_PER_KWH, 5.0,
        key="grams_per_kwh", bind=BOUND, help="445: the world's mean of 2024, CO2 alone (IEA, Electricity 2025).",
    )  # fmt: skip
    return grams


def _say_energy(facts: Facts, scenario: Scenario, curve: EnergyCurve, grams: float) -> None:
    point = owned.point_for(scenario, curve)
    at_meter = owned.meter(scenario, curve, grams_per_kwh=grams)
    if at_meter is not None:
        st.markdown(plain(_energy_in_words(curve, at_meter, requests_at_once=point.concurrency)))
    st.caption(plain(f"{METHOD}: {energy.errors_sentence(energy.errors(facts))}"))


def _energy_in_words(curve: EnergyCurve, one: AtTheMeter, *, requests_at_once: float) -> str:
    first, last = curve.points[0].wh_per_mtok.mid, curve.points[-1].wh_per_mtok.mid
    fall = (
        f" From one request at once to {curve.points[-1].concurrency:,.0f} energy per token falls {first / last:,.0f} "
        "times."
        if len(curve.points) > 1
        else ""
    )
    gpu = one.gpu_wh
    return (
        f"A million output tokens with their prompts takes {rounded(gpu.mid):g} Wh ({rounded(gpu.low):g} to "
        f"{rounded(gpu.high):g}) of {curve.label} at {requests_at_once:,.0f} requests at once. With the rest of the "
        f"machine and the building it is {rounded(one.meter_wh):g} Wh, {usd_text(one.usd)} and "
        f"{rounded(one.grams_co2e):g} g CO2e.{fall}"
    )


def _same_gpu(rows: Sequence[EnergyMeasurement], curve: EnergyCurve | None) -> list[EnergyMeasurement]:
    """Those on as many of the same GPU; on another number of them where there are none."""
    if curve is None:
        return []
    on_gpu = [row for row in rows if row.gpu_id == curve.gpu.gpu_id]
    return [row for row in on_gpu if row.gpu_count == curve.gpu_count] or on_gpu


def _point(row: EnergyMeasurement) -> MeasuredPoint:
    form = row.weight_format or "format not stated"
    return MeasuredPoint(
        group=f"{row.gpu_count} GPU{'s' if row.gpu_count > 1 else ''}, {form}, {row.task}, {row.measured_by}",
        concurrency=row.concurrency,
        wh_per_mtok=wh_per_mtok(row.joules_per_output_token),
        detail=f"{row.model_id}, {row.engine} {row.engine_version or ''}, {row.output_tokens:,.0f} output tokens",
    )


def _chart_in_words(curve: EnergyCurve | None, shown: Sequence[EnergyMeasurement]) -> str:
    parts = []
    if curve is not None and curve.points:
        parts.append(f"Band: modelled for {curve.label} and the requests of the scenario.")
    if shown:
        parts.append("Marks: measured with other requests, whose prompts are short.")
    elif curve is not None:
        parts.append(f"Nobody in the data measured this model on {curve.gpu.name}.")
    return " ".join(parts)
