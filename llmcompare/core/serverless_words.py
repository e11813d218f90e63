"""Says a serverless option in sentences: the answer, where always on gets cheaper, what bounds it, what is assumed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from llmcompare.core import breakeven
from llmcompare.core.phrases import Assumption, band_text, sentence_start
from llmcompare.core.records import ServerlessTerms
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import bounds, busy_share_where_equal
from llmcompare.core.serverless_curve import ServerlessPlan, plan_usd_per_month, worker_time
from llmcompare.core.serverless_option import ASSUMED_IDLE_TIMEOUT_S, ServerlessOption
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH, count_text, counted, rounded, usd_text

WITHIN = "In 19 of 20 of 840 simulations of up to 100 workers it was within 14%, in all within 37%."
"""How far the approximation for several workers was off (docs/methodology.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStarts:
    """Who meets a cold start at one volume, and how long these wait."""

    fraction: float
    fraction_se: float | None
    """Standard error where it is simulated; None where it is a formula."""
    wait_s: float | None
    """On average; None where nobody waits."""


def rate_text(requests_per_month: float) -> str:
    """A volume as a rate that can be pictured.

    >>> rate_text(131_400), rate_text(26_280_000), rate_text(1_460)
    ('3 requests a minute', '10 requests a second', '2 requests an hour')
    """
    units = ((1, "a second"), (60, "a minute"), (3_600, "an hour"), (86_400, "a day"))
    per_s = requests_per_month / SECONDS_PER_MONTH
    seconds, name = next((unit for unit in units if per_s * unit[0] >= 1), units[-1])
    rate = rounded(per_s * seconds)
    return f"{rate:,g} request{'' if rate == 1 else 's'} {name}"


def share_text(fraction: float) -> str:
    """A share of the requests.

    >>> share_text(0.1449), share_text(0.00321), share_text(0.00002), share_text(0.9996), share_text(1)
    ('14%', '0.32%', 'less than 0.01%', '99.96%', '100%')
    """
    percent = fraction * 100
    if 0 < percent < 0.01:
        return "less than 0.01%"
    if 99.99 < percent < 100:
        return "more than 99.99%"
    return f"{percent:.2f}%" if percent < 1 or 99 < percent < 100 else f"{percent:.0f}%"


def headline(found: ServerlessOption, scenario: Scenario, always_on: Deployment | None) -> str:
    """What serverless and the same always on cost."""
    rate = rate_text(scenario.requests_per_month)
    text = f"At {rate}, serverless {found.short} costs {band_text(found.usd_per_month)} a month"
    if always_on is None:
        return f"{text}."
    return f"{text}; the same always on costs {band_text(always_on.usd_per_month)}."


def cold_sentence(found: ServerlessOption, plan: ServerlessPlan, met: ColdStarts) -> str:
    """The share of requests that meet a cold start, and the seconds they wait."""
    share = f"{share_text(met.fraction)} of the requests meet a cold start"
    if met.fraction_se is not None:
        share += f" (simulated, give or take {200 * met.fraction_se:.2g} percentage points)"
    wait = f" and wait {rounded(met.wait_s, 2):g} s on average" if met.wait_s is not None and met.fraction else ""
    return (
        f"{sentence_start(share)}{wait}. A worker of {plan.offer.provider} takes {plan.cold_start_s:g} s to start and "
        f"stays for {plan.idle_timeout_s:g} s after its last request."
    )


def crossing_sentence(found: ServerlessOption, always_on: Deployment) -> str:
    """Up to which volume serverless is cheaper, at middle prices and at the ends of the bands."""
    one, other = always_on.curves, found.curves
    first = breakeven.first_volume_where_no_dearer
    middle, earliest, latest = first(one.mid, other.mid), first(one.low, other.high), first(one.high, other.low)
    if middle == 0:
        return "Always on is cheaper at every volume."
    if middle is None:
        return "Serverless is cheaper at every volume."
    ends = f"{_volume(earliest)} to {_volume(latest)} at the ends of prices and speeds"
    return f"Serverless is cheaper below {count_text(middle)} requests a month ({ends})."


def _volume(requests_per_month: float | None) -> str:
    if requests_per_month is None:
        return "any volume"
    return "no volume" if requests_per_month == 0 else count_text(requests_per_month)


def workers_sentence(found: ServerlessOption, scenario: Scenario) -> str:
    """How many workers that takes, and between which bounds their bill must lie."""
    plan, curve, requests = found.middle, found.curves.mid, scenario.requests_per_month
    time = worker_time(curve, plan, np.array([requests]))
    up = float(time.up[0])
    many = f"{rounded(up):g} of {found.max_workers} workers are up on average"
    text = (
        f"A request takes {rounded(found.service_s.mid):g} s ({rounded(found.service_s.low):g} to "
        f"{rounded(found.service_s.high):g} s, {found.service_basis}). "
        f"{f'The worker is up {share_text(up)} of the time' if found.max_workers == 1 else many}: "
        f"{100 * float(time.busy[0]) / up:.0f}% of that busy, {100 * float(time.setup[0]) / up:.0f}% starting, "
        f"{100 * float(time.idle[0]) / up:.0f}% idle."
    )
    if found.max_workers == 1:
        return text
    low, high = bounds_usd(found, scenario)
    return (
        f"{text} With several workers this is an approximation; whichever worker takes a request, "
        f"{plan.offer.provider} bills between {usd_text(low)} and {usd_text(high)}. {WITHIN}"
    )


def bounds_usd(found: ServerlessOption, scenario: Scenario) -> tuple[float, float]:
    """Least and most that the provider in the middle can bill a month, however requests meet workers.

    All of a worker's life counts, as nearly all providers bill it.
    """
    plan, curve = found.middle, found.curves.mid
    rates = [(share, rate * scenario.requests_per_month / SECONDS_PER_MONTH) for share, rate in curve.hours]
    least = sum(
        share * bounds(curve.fleet(plan, requests_per_s=rate), requests_per_s=rate, max_workers=found.max_workers)[0]
        for share, rate in rates
    )
    usd = plan.usd_per_worker_hour * HOURS_PER_MONTH
    return least * usd, found.max_workers * usd


def together_sentence(alone: ServerlessOption, together: ServerlessOption) -> str:
    """What the same costs when a worker takes several requests at once."""
    at_once = together.middle.requests_per_worker
    return (
        f"A worker takes one request at a time here. With {at_once} at once it would be "
        f"{band_text(together.usd_per_month)} a month: an engine that batches serves many for nearly the time of one."
    )


def active_sentence(found: ServerlessOption, scenario: Scenario, active_usd_per_gpu_hour: float) -> str:
    """When the provider's always-on worker is the better offer."""
    plan, requests = found.middle, scenario.requests_per_month
    active = active_usd_per_gpu_hour * found.gpus_per_worker
    share = busy_share_where_equal(flex_usd_per_hour=plan.usd_per_worker_hour, active_usd_per_hour=active)
    billed = plan_usd_per_month(found.curves.mid, plan, requests) / (plan.usd_per_worker_hour * HOURS_PER_MONTH)
    return (
        f"{plan.offer.provider} also sells workers that are always on, at {active:.2f} instead of "
        f"{plan.usd_per_worker_hour:.2f} USD an hour: cheaper for a worker billed more than {share_text(share)} "
        f"of the time. Here {rounded(billed):g} of at most {counted(found.max_workers, 'worker')} is billed on average."
    )


def terms_text(terms: ServerlessTerms | None) -> str:
    """What is billed, in words."""
    if terms is None:
        return "not read: all of a worker's life is taken to be billed"
    parts = (("start", terms.bills_setup), ("idle", terms.bills_idle), ("requests", terms.bills_execution))
    text = ", ".join(f"{name}: {said or 'not read'}" for name, said in parts)
    if terms.rounding_s:
        text += f"; rounded up to {terms.rounding_s:g} s"
    if terms.minimum_s:
        text += f"; at least {terms.minimum_s:g} s"
    return text


def assumptions(found: ServerlessOption, scenario: Scenario) -> Iterator[Assumption]:
    """Everything behind a serverless figure that was not read in a source."""
    published = "; ".join(
        f"{terms.provider}: {terms.cold_start_low_s:g} to {terms.cold_start_high_s:g} s ({terms.cold_start_note})"
        for terms in found.terms
        if terms.cold_start_low_s is not None and terms.cold_start_high_s is not None
    )
    yield Assumption(
        name="cold start",
        value=f"{scenario.cold_start_s:g} s",
        meaning="machine, image, weights and engine until a new worker answers"
        + (f"; published: {published}" if published else ""),
        editable_as="cold_start_s",
    )
    guessed = [plan.offer.provider for plan in found.plans if plan.idle_timeout_is_assumed]
    if guessed:
        yield Assumption(
            name="idle timeout",
            value=f"{ASSUMED_IDLE_TIMEOUT_S:g} s at {', '.join(guessed)}",
            meaning="no default was read; the others have the default of their provider",
            editable_as="idle_timeout_s",
        )
    yield from _rules(found, scenario)
    for plan in found.plans:
        if plan.not_read:
            yield Assumption(
                name=f"terms of {plan.offer.provider}",
                value=f"not read whether {' and '.join(plan.not_read)} is billed",
                meaning="billed in the middle and at the dear end, free at the cheap end",
                editable_as="serverless_provider",
            )


def _rules(found: ServerlessOption, scenario: Scenario) -> Iterator[Assumption]:
    yield Assumption(
        name="most workers",
        value=str(found.max_workers),
        meaning=f"what the busiest time needs at {share_text(scenario.target_utilisation_fraction)} of capacity; "
        "beyond it requests wait in line",
        editable_as="target_utilisation_fraction",
    )
    yield Assumption(
        name="requests at once in a worker",
        value=str(scenario.requests_per_worker),
        meaning="each other request makes a request longer by the same time, up to what is predicted for all slots",
        editable_as="requests_per_worker",
    )
    yield Assumption(
        name="arrivals",
        value="at random, each as long as the others",
        meaning="a Poisson process with the rate of the hour; bursts within an hour beyond chance are not in it",
        editable_as=None,
    )
    yield Assumption(
        name="form factor",
        value=f"taken as {found.gpu.name}",
        meaning="lists of serverless GPUs seldom say SXM or PCIe",
        editable_as="gpu",
    )
    yield Assumption(
        name="beside the GPU",
        value="nothing",
        meaning="several providers bill processor, memory and disk as well; a worker with several GPUs costs as many "
        "times the price of one",
        editable_as=None,
    )
