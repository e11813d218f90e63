"""The view “Bursty traffic” of the Costs page: serverless against always on, cold starts, a simulated month."""

from datetime import date

import streamlit as st

from llmcompare.core import elsewhere, freshness
from llmcompare.core import serverless_words as words
from llmcompare.core.comparison import Comparison
from llmcompare.core.units import usd_text
from llmcompare.core.words import as_of_text
from llmcompare.errors import InputError
from llmcompare.figures.serverless import cold_shares, serverless_costs
from llmcompare.services import serverless, serverless_view
from llmcompare.services.catalogue import Facts
from llmcompare.services.serverless import Month
from llmcompare.services.serverless_view import Bursty
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

MOST_SEED = 1_000_000


def bursty(facts: Facts, comparison: Comparison) -> None:
    """The whole view."""
    view, missing = serverless_view.bursty(facts, comparison)
    if view is None:
        st.markdown(f"#### {plain(f'No serverless figure: {missing}.')}")
        st.caption(
            "Choose another GPU under “Rented GPUs”, or another provider under “Serverless GPUs”, in the sidebar."
        )
        return
    found, scenario = view.found, comparison.scenario
    met = _met(view)
    st.markdown(f"#### {plain(words.headline(found, scenario, view.always_on))}")
    sentences = [words.cold_sentence(found, found.middle, met)]
    if view.always_on is not None:
        sentences.append(words.crossing_sentence(found, view.always_on))
    sentences.append(words.workers_sentence(found, scenario))
    if view.together is not None:
        sentences.append(words.together_sentence(found, view.together))
    active = serverless_view.active_usd_per_gpu_hour(facts, found)
    if active is not None:
        sentences.append(words.active_sentence(found, scenario, active))
    sentences += [elsewhere.sentence(one) for one in comparison.elsewhere if one.kind == "serverless"]
    show.sentences(*sentences)
    month = _pick_month(view)
    _draw_costs(view, month)
    _draw_cold_starts(view, month is not None)
    if month is not None:
        _show_month(month)
    _show_rows(view)


def _met(view: Bursty) -> words.ColdStarts:
    # The first simulation on a machine compiles its loop.
    with st.spinner("Simulating …", show_time=True):
        return serverless.cold_starts(
            view.found, view.found.middle, requests_per_month=view.comparison.scenario.requests_per_month
        )


def _pick_month(view: Bursty) -> Month | None:
    """The simulated month, when it is asked for and possible."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    asked = left.toggle(
        "Simulate the month", key="simulate", bind=BOUND,
        help="Every request of the month, one after the other: what formulas cannot say of several workers.",
    )  # fmt: skip
    seed = right.number_input(
        "Seed", 0, MOST_SEED, 0, key="seed", bind=BOUND, help="Another seed is another month of the same traffic."
    )
    if not asked:
        return None
    scenario = view.comparison.scenario
    try:
        with st.spinner("Simulating the month …", show_time=True):
            return serverless.simulated_month(
                view.found,
                view.found.middle,
                scenario.spread.hourly,
                requests_per_month=scenario.requests_per_month,
                seed=int(seed),
            )
    except InputError as problem:
        st.info(plain(str(problem)), icon=":material/info:")
        return None


def _draw_costs(view: Bursty, month: Month | None) -> None:
    st.subheader("Monthly cost over volume")
    description = words.headline(view.found, view.comparison.scenario, view.always_on)
    figure = serverless_costs(
        view.options,
        view.volumes,
        requests_per_month=view.comparison.scenario.requests_per_month,
        crossing=view.crossing,
        simulated=(month.plan.offer.provider, month.usd_per_month) if month else None,
    )
    show.chart(figure, key="serverless_costs", description=description)
    st.caption(
        plain(
            f"{as_of_text(offer.as_of for offer in view.found.offers)} Bands: cheapest to dearest provider, fastest to "
            "slowest prediction, starts billed or not where that was not read. Serverless steps up where one more "
            "worker is allowed."
        )
    )


def _draw_cold_starts(view: Bursty, simulated: bool) -> None:
    st.subheader("Requests that meet a cold start")
    found, plan, volumes = view.found, view.found.middle, view.volumes
    lines = serverless_view.cold_lines(found, volumes)
    points = serverless_view.cold_points(found, plan, volumes) if simulated else []
    figure = cold_shares(
        lines,
        points,
        requests_per_month=view.comparison.scenario.requests_per_month,
        span=(volumes[0], volumes[-1]),
    )
    show.chart(figure, key="cold_starts", description=words.cold_sentence(found, plan, _met(view)))
    beyond = (
        f"simulated for {plan.offer.provider}, with two standard errors" if simulated else "only a simulation tells"
    )
    st.caption(plain(f"Lines: the formula, while one worker is enough. Beyond, {beyond}."))


def _show_month(month: Month) -> None:
    seen = month.simulated
    st.subheader(f"The simulated month at {plain(month.plan.offer.provider)}")
    cells = [
        ("USD a month", usd_text(month.usd_per_month)),
        ("Worker-hours billed", f"{month.billed_hours:,.0f}"),
        ("Met a cold start", words.share_text(seen.cold_fraction)),
        ("Median wait of these", _seconds(seen.wait_p50_s)),
        ("95% of these wait less than", _seconds(seen.wait_p95_s)),
        ("Most workers at once", f"{seen.peak_workers:,}"),
    ]
    for column, (label, value) in zip(st.columns(len(cells)), cells, strict=True):
        column.metric(label, plain(value))
    show.table(serverless_view.month_table(month), key="serverless_month")


def _seconds(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds:.3g} s"


def _show_rows(view: Bursty) -> None:
    scenario = view.comparison.scenario
    show.behind(
        {
            "Providers and terms": lambda: freshness.marked(
                serverless_view.providers_table(view.found, requests_per_month=scenario.requests_per_month),
                today=date.today(),
                prefix="price_",
            )
        },
        {"Assumptions": lambda: show.assumptions(words.assumptions(view.found, scenario))},
        key="serverless_behind",
    )
