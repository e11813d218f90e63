"""What a request costs as its context grows: through APIs, and on the GPUs that the comparison rents."""

from dataclasses import dataclass, replace

from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import Band, api_usd_per_request, exactly, usd_per_request
from llmcompare.core.options import api_option, token_prices
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table, band_cells
from llmcompare.core.units import SECONDS_PER_HOUR, rounded, usd_text
from llmcompare.errors import InputError
from llmcompare.services import books, fit
from llmcompare.services.catalogue import Facts
from llmcompare.services.predict import Choice, Speeds, speeds

CONTEXTS_TOKENS = (1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
"""Of a request, input and output together: 1K to 128K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCost:
    """USD per request at one length of the input; None where the reason says why."""

    context_tokens: int
    api: Band | None
    api_missing: str | None
    rented: Band | None
    """With every replica full: what one request takes of a machine's time."""
    rented_missing: str | None
    today: Band | None
    """At the listed prices of today's API; None for a bill that was typed in."""


def context_costs(facts: Facts, comparison: Comparison) -> list[ContextCost]:
    """One row per length, the output as long as in the scenario. Rented: predicted for the comparison's deployment."""
    scenario, written = comparison.scenario, comparison.workload.billed_output_tokens
    book = books.book(facts, scenario.model)
    rented, missing = _rented(facts, comparison)
    found = []
    # The axis is in tokens of the model, the scenario's own figures in those that were typed.
    factor = scenario.counting.factor if scenario.counting else 1.0
    for place, tokens in enumerate(CONTEXTS_TOKENS):
        if tokens <= written:
            found.append(_all_answer(tokens, written))
            continue
        api, api_missing = api_option(book, replace(scenario, input_tokens=max(1.0, tokens - written) / factor))
        rate = rented[place] if rented else None
        usd = None if rate is None or comparison.rented is None else _usd(comparison.rented, rate, scenario)
        found.append(
            ContextCost(
                context_tokens=tokens,
                api=None if api is None else api.curves.usd_per_month(1.0),
                api_missing=api_missing,
                rented=usd,
                rented_missing=None if usd else (missing if rate is None else rate.reason),
                today=_today(comparison, tokens - written),
            )
        )
    return found


def _all_answer(context_tokens: int, written: float) -> ContextCost:
    reason = f"the answer alone is {written:,.0f} tokens"
    return ContextCost(
        context_tokens=context_tokens, api=None, api_missing=reason, rented=None, rented_missing=reason, today=None
    )


def _today(comparison: Comparison, input_tokens: float) -> Band | None:
    offer, scenario = comparison.today.offer, comparison.scenario
    if offer is None or (offer.context_tokens is not None and offer.context_tokens < input_tokens):
        return None
    workload = replace(scenario.as_typed.workload, input_tokens=max(1.0, input_tokens))
    usd = api_usd_per_request(token_prices(offer), workload, batch_fraction=scenario.batch_fraction)
    return exactly(usd)


def _rented(facts: Facts, comparison: Comparison) -> tuple[list[Speeds], str | None]:
    deployment = comparison.rented
    if deployment is None:
        return [], comparison.rented_missing
    if deployment.weight_format is None:
        return [], "the measurement does not state the weight format"
    try:
        shape = fit.subject(facts, comparison.scenario.model).shape
    except InputError as problem:
        return [], str(problem)
    choice = Choice(
        gpu_id=deployment.gpu.gpu_id,
        gpu_count=deployment.gpus_per_replica,
        engine=deployment.engine,
        weight_format=deployment.weight_format,
    )
    _, output_tokens = comparison.workload.whole_tokens
    return [
        speeds(facts, shape, [choice], context_tokens=tokens, output_tokens=output_tokens)[0]
        for tokens in CONTEXTS_TOKENS
    ], None


def _usd(rented: Deployment, rate: Speeds, scenario: Scenario) -> Band | None:
    speed, price = rate.output_tokens_per_s, rented.usd_per_gpu_hour
    if speed is None:
        return None
    _, output_tokens = scenario.workload.whole_tokens

    def usd(usd_per_gpu_hour: float, tokens_per_s: float) -> float:
        hourly = usd_per_gpu_hour * rented.gpus_per_replica
        return usd_per_request(usd_per_hour=hourly, requests_per_hour=tokens_per_s / output_tokens * SECONDS_PER_HOUR)

    return Band(low=usd(price.low, speed.high), mid=usd(price.mid, speed.value), high=usd(price.high, speed.low))


def sentence(found: list[ContextCost], comparison: Comparison) -> str:
    """What the longest context that has a figure costs over the shortest."""
    parts = []
    for name, bands in (
        ("Through the API", [(one.context_tokens, one.api) for one in found]),
        (
            f"On {comparison.rented.short} with every replica full" if comparison.rented else "",
            [(one.context_tokens, one.rented) for one in found],
        ),
    ):
        known = [(tokens, band) for tokens, band in bands if band is not None]
        if len(known) < 2:
            continue
        (short, first), (long, last) = known[0], known[-1]
        parts.append(
            f"{name} a request with {long // 1024}K tokens of context costs {usd_text(last.mid)}, "
            f"{last.mid / first.mid:.0f} times one with {short // 1024}K."
        )
    missing = {one.rented_missing for one in found if one.rented is None and one.rented_missing}
    if parts and missing:
        parts.append("A gap in the rented curve: " + "; ".join(sorted(reason.rstrip(".") for reason in missing)) + ".")
    return " ".join(parts) or "No option has a figure for these lengths."


def context_table(found: list[ContextCost]) -> Table:
    """The rows of the chart."""
    return Table(
        name="context-cost",
        title="Cost of a request over its context",
        columns=(
            "context_tokens", "api_usd_per_request_low", "api_usd_per_request_median", "api_usd_per_request_high",
            "rented_usd_per_request_low", "rented_usd_per_request_median", "rented_usd_per_request_high",
            "today_usd_per_request", "missing",
        ),
        rows=tuple(
            (
                one.context_tokens, *band_cells(one.api), *band_cells(one.rented),
                None if one.today is None else rounded(one.today.mid),
                "; ".join(dict.fromkeys(filter(None, (one.api_missing, one.rented_missing)))) or None,
            )
            for one in found
        ),
    )  # fmt: skip
