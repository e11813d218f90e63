"""When the purchase of own machines has paid itself."""

from dataclasses import dataclass

from llmcompare.core.cost import Band
from llmcompare.core.owned import OwnedOption, OwnMachine
from llmcompare.core.units import usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """Months until a purchase has paid itself against another option; None where it does not within its months."""

    months: float | None
    """At middle costs."""
    earliest: float | None
    """With the own machine at the favourable end and the other option at the unfavourable one."""
    latest: float | None
    """The other way round."""
    reason: str | None
    """Why it does not at middle costs; None where it does."""


def payback(option: OwnedOption, *, other_usd_per_month: Band) -> Payback:
    """Months until what the other option costs more, month by month, adds up to the purchase.

    The volume stays as it is. The resale counts in the last month alone, because only then is the machine sold.
    """
    machine, running, other = option.machine, option.running_usd_per_month, other_usd_per_month
    saved = {
        "earliest": (option.machines_at("low"), other.high - running.low),
        "months": (option.machines, other.mid - running.mid),
        "latest": (option.machines_at("high"), other.low - running.high),
    }
    found = {name: _months(machine, machines, usd) for name, (machines, usd) in saved.items()}
    return Payback(**found, reason=None if found["months"] is not None else _never(option, other.mid))


def _months(machine: OwnMachine, machines: int, saved_usd_per_month: float) -> float | None:
    if saved_usd_per_month <= 0:
        return None
    months = machines * machine.purchase_usd / saved_usd_per_month
    if months <= machine.months:
        return months
    after_resale = machines * (machine.purchase_usd - machine.resale_usd) / saved_usd_per_month
    return machine.months if after_resale <= machine.months else None


def _never(option: OwnedOption, other_usd_per_month: float) -> str:
    running = option.running_usd_per_month.mid
    if running >= other_usd_per_month:
        return (
            f"power, hosting and staff alone cost {usd_text(running)} a month, and the other way "
            f"{usd_text(other_usd_per_month)}"
        )
    saved = other_usd_per_month - running
    bought = option.machines * option.machine.purchase_usd
    return (
        f"it saves {usd_text(saved)} a month, which takes more than its {option.machine.months:g} months to reach the "
        f"{usd_text(bought)} of the purchase"
    )
