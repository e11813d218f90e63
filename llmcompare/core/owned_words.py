"""Says an own machine and its energy in sentences, with the assumptions behind them."""

from collections.abc import Iterator

from llmcompare.core.cost import Band
from llmcompare.core.energy import GPU_IDLE_FRACTION, GPU_LOAD_FRACTION, HOST_IDLE_FRACTION, HOST_LOAD_FRACTION, METHOD
from llmcompare.core.owned import OwnedOption
from llmcompare.core.payback import Payback
from llmcompare.core.phrases import Assumption, band_text, listed
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import count_text, counted, rounded, usd_text


def owned_sentence(option: OwnedOption) -> str:
    """What is bought and what it costs a month at the volume, part by part."""
    machine, one = option.machine, option.machines == 1
    bought = f"An own machine with {option.short}" if one else f"{option.machines:,} own machines with {option.short}"
    resale = f", sold for {usd_text(machine.resale_usd)} then" if machine.resale_usd else ""
    price = f" at {usd_text(machine.purchase_usd)}{'' if one else ' each'} over {machine.months:g} months{resale}"
    return (
        f"{bought}{price if machine.purchase_usd else ', paid already,'} "
        f"{'costs' if one else 'cost'} {band_text(option.usd_per_month)} a month at your volume: "
        f"{_parts_text(option)}."
    )


def _parts_text(option: OwnedOption) -> str:
    """What costs something, in words."""
    parts = option.parts
    named = {
        "the machine" if option.machines == 1 else "the machines": parts["purchase less resale"],
        "power": parts["energy under load"] + parts["energy at rest"],
        "hosting": parts["hosting"],
        "staff": parts["staff"],
    }
    return listed([f"{usd_text(usd)} for {name}" for name, usd in named.items() if usd])


def load_sentence(option: OwnedOption) -> str:
    """How full the machines are, and where their rate comes from."""
    rate = option.requests_per_s
    spread = "" if rate.low == rate.high else f" ({rounded(rate.low):g} to {rounded(rate.high):g})"
    return (
        f"{counted(option.machines, 'machine')} of {rounded(rate.mid):g} requests/s{spread}, busy "
        f"{option.busy_fraction:.0%} of the time at {count_text(option.workload.requests_per_month)} requests a month. "
        f"Rate: {option.basis}."
    )


def per_request_sentence(option: OwnedOption) -> str:
    """Marginal and full cost apart."""
    output = option.full_usd_per_output_mtok
    per_output = f", {usd_text(output.mid)} per million output tokens" if output else ""
    return (
        f"One more request costs {band_text(option.marginal_usd_per_request)}, the power between rest and load: the "
        f"machine stands there anyway. With everything, a request costs {usd_text(option.full_usd_per_request.mid)}: "
        f"{usd_text(option.full_usd_per_mtok.mid)} per million tokens, in and out{per_output}."
    )


def paid_sentence(option: OwnedOption, *, other: str, usd_per_month: Band) -> str:
    """What machines that are paid already save a month against another option."""
    less = usd_per_month.mid - option.usd_per_month.mid
    return (
        f"Against {other} at {band_text(usd_per_month)} a month it costs {usd_text(abs(less))} a month "
        f"{'less' if less >= 0 else 'more'}."
    )


def payback_sentence(found: Payback, *, other: str, usd_per_month: Band) -> str:
    """After how many months the purchase has paid itself, or why it does not."""
    against = f"Against {other} at {band_text(usd_per_month)} a month"
    if found.months is None:
        early = (
            f" At the favourable end of all figures it pays after {_months(found.earliest)}."
            if found.earliest is not None
            else " Nor does it at the favourable end of all figures."
        )
        return f"{against} the purchase does not pay: {found.reason}.{early}"
    early, middle, late = _months(found.earliest), _months(found.months), _months(found.latest)
    if early == middle == late:
        return f"{against} the purchase has paid itself after {middle}."
    return (
        f"{against} the purchase has paid itself after {middle} ({early} at the favourable end, {late} at the other)."
    )


def _months(months: float | None) -> str:
    if months is None:
        return "never"
    return "under a month" if months < 1 else f"{rounded(months, 2):g} months"


def energy_assumptions(*, grams_co2e_per_kwh: float) -> Iterator[Assumption]:
    """What the modelled energy stands on."""
    yield Assumption(
        name=f"power of GPUs that serve ({METHOD})",
        value=_shares(GPU_LOAD_FRACTION),
        meaning="of board power, at any load: 10th, 50th and 90th percentile of 393 measurements on H100 and B200",
        editable_as="load_w",
    )
    yield Assumption(
        name="grid",
        value=f"{grams_co2e_per_kwh:g} g per kWh",
        meaning="445 is the world's mean of 2024, CO2 alone (IEA, Electricity 2025): set that of your grid",
        editable_as="grams_per_kwh",
    )


def owned_assumptions(scenario: Scenario) -> Iterator[Assumption]:
    """What no source backs, or what was chosen, of an own machine."""
    yield Assumption(
        name="months of use",
        value=f"{scenario.owned_months:g}",
        meaning="from purchase to resale; no interest, no tax, no repairs",
        editable_as="owned_months",
    )
    yield Assumption(
        name="resale",
        value=usd_text(scenario.resale_usd),
        meaning="of one machine after these months",
        editable_as="resale_usd",
    )
    if scenario.load_w is None:
        yield Assumption(
            name="watts under load",
            value=f"GPUs {_shares(GPU_LOAD_FRACTION)}, the rest {_shares(HOST_LOAD_FRACTION)} of board power",
            meaning="a node of eight H100 drew 1.5 times its GPUs' board power and is rated 1.82 times (Latif and "
            "others, IEEE Access 13, 2025)",
            editable_as="load_w",
        )
    if scenario.idle_w is None:
        yield Assumption(
            name="watts at rest",
            value=f"GPUs {_shares(GPU_IDLE_FRACTION)}, the rest {_shares(HOST_IDLE_FRACTION)} of board power",
            meaning="a loaded model adds 26 to 66 W to a GPU at rest (arXiv 2605.23918); measure your machine",
            editable_as="idle_w",
        )
    yield Assumption(
        name="between rest and load",
        value="as long under load as the requests need at full rate",
        meaning="few requests at a time take more power each: at worst the machine draws its load watts all month",
        editable_as=None,
    )
    yield Assumption(
        name="PUE",
        value=f"{scenario.pue:g}",
        meaning="the mean of a survey of data centres was 1.54 in 2025 (Uptime Institute, reported by "
        "thefreesheet.com); an office without cooling has 1",
        editable_as="pue",
    )
    yield Assumption(
        name="electricity",
        value=f"{scenario.usd_per_kwh:g} USD per kWh",
        meaning="commercial customers paid 0.097 (West North Central) to 0.227 (New England) in April 2025 (eia.gov, "
        "Electric Power Monthly, table 5.6.A)",
        editable_as="usd_per_kwh",
    )
    yield Assumption(
        name="hosting",
        value=f"{usd_text(scenario.hosting_usd_per_month)} a month for each machine",
        meaning="rack, network, space",
        editable_as="hosting_usd_per_month",
    )
    yield Assumption(
        name="staff",
        value=f"{scenario.staff_hours_per_month:g} hours a month at {usd_text(scenario.staff_usd_per_hour)}",
        meaning="for all machines together, however many; the other options are reckoned without staff",
        editable_as="staff_hours_per_month",
    )
    yield Assumption(
        name="planned load",
        value=f"{scenario.target_utilisation_fraction:.0%}",
        meaning="share of a machine's rate that the busiest minutes may take; another machine is bought beyond it",
        editable_as="target_utilisation_fraction",
    )


def _shares(band: Band) -> str:
    return f"{band.mid:.0%} ({band.low:.0%} to {band.high:.0%})"
