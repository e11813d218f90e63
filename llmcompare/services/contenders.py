"""The deployments that an advice chooses from: through APIs, on rented GPUs, on hardware at hand, as arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Any
from zlib import crc32

import numpy as np

from llmcompare.core.advice import Floats, Places, Uncertain
from llmcompare.core.advised import API, AT_HAND, OWNED, RENTED
from llmcompare.core.cost import End
from llmcompare.core.curves import paid_hours, whole_at
from llmcompare.core.fleet import Out
from llmcompare.core.needs import Need
from llmcompare.core.options import api_option
from llmcompare.core.owned import own_machine
from llmcompare.core.records import Billing
from llmcompare.core.scenario import Scenario
from llmcompare.core.sweep import Rules, rented_usd_per_month
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services.books import book
from llmcompare.services.candidates import Candidates, candidates, prices
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_models
from llmcompare.services.sweep import joined

LEAST_USD = 0.01
ANY_PRICE = 1.0
"""Stands for the price of renting what is at hand."""

Cost = Callable[[float], Callable[[Places, Floats, Floats], Floats]]
"""From requests per month to the cost of some deployments at factors of price and rate."""
AtVolume = Callable[[Places, float], Floats]
"""Something of some deployments at a number of requests per month."""


@lru_cache(maxsize=65_536)
def cause(*parts: str) -> int:
    """A number for what moves a figure, the same whatever else is compared."""
    return crc32(":".join(parts).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Deployments of one kind; one place of each array for each."""

    kind: str
    model_ids: tuple[str, ...]
    gpu_ids: tuple[str | None, ...]
    gpu_counts: tuple[int | None, ...]
    engines: tuple[str | None, ...]
    weight_formats: tuple[str | None, ...]
    provider_counts: tuple[int, ...]
    price: Uncertain
    rate: Uncertain
    tokens_per_s: Floats
    """Of a single request; NaN where it is not known."""
    cost: Cost
    measured: tuple[bool, ...]
    """Whether the rate was measured on that very deployment."""
    speed_at: AtVolume | None = None
    """Tokens per second of a single request of some deployments at another volume; None where it hangs on none."""
    cold_at: AtVolume | None = None
    """Share of the requests that meet a cold start at a volume; None where there is none."""
    cold_simulated: Callable[[int], float] | None = None
    """The same of one deployment at the volume asked for, simulated: the other one is a bound."""
    cost_at: Callable[[float, End], Callable[[Places, Floats, Floats], Floats]] | None = None
    """The cost of machines that are bought, at an end of what they draw; draws move it by the load alone."""
    full_ttft_ms: Floats | None = None
    """Medians where a worker has all its slots taken; None where the latency limits were kept in the prediction."""
    full_tpot_ms: Floats | None = None

    @property
    def count(self) -> int:
        """Of deployments."""
        return len(self.model_ids)


@lru_cache(maxsize=4)
def api_block(facts: Facts, scenario: Scenario, models: tuple[str, ...]) -> tuple[Block, dict[str, str]]:
    """Every model that a provider lists, priced from the cheapest to the dearest one; and why others are out."""
    found, missing = [], {}
    counted = for_models(facts, scenario, models)
    for name in models:
        option, reason = api_option(book(facts, name), counted[name].about(name))
        if option is None:
            missing[name] = reason or "no provider lists a price"
        else:
            found.append((name, option))
    usd = np.array([option.curves.mid.usd_per_request for _, option in found])
    low = np.array([option.curves.low.usd_per_request for _, option in found])
    high = np.array([option.curves.high.usd_per_request for _, option in found])
    count, none = len(found), np.full(len(found), -1)

    def cost(requests_per_month: float) -> Callable[[Places, Floats, Floats], Floats]:
        return lambda places, price, rate: np.maximum(LEAST_USD, usd[places] * price * requests_per_month)

    causes = np.array([cause("price", API, name) for name, _ in found], dtype=np.intp)
    known = np.maximum(usd, np.finfo(float).tiny)
    return Block(
        kind=API,
        model_ids=tuple(name for name, _ in found),
        gpu_ids=(None,) * count,
        gpu_counts=(None,) * count,
        engines=(None,) * count,
        weight_formats=(None,) * count,
        provider_counts=tuple(len(option.offers) for _, option in found),
        price=Uncertain(cause=causes, low=low / known, high=high / known),
        rate=Uncertain(cause=none, low=np.ones(count), high=np.ones(count)),
        tokens_per_s=np.full(count, np.nan),
        cost=cost,
        measured=(False,) * count,
    ), missing


@lru_cache(maxsize=4)
def rented_block(facts: Facts, scenario: Scenario, models: tuple[str, ...]) -> tuple[Block, Candidates]:
    """Every deployment on a GPU that somebody rents out under the scenario's billing class, within its limits."""
    found = candidates(facts, scenario, models)
    columns, (engines, formats) = joined(found)
    counts = tuple(sorted({int(count) for count in np.unique(columns["gpu_count"])})) or (1,)
    billing: Billing = scenario.billing
    listed = prices(facts, found.fleet.axes.gpus, (billing,), counts)
    gpu, size = columns["gpu"].astype(np.intp), np.searchsorted(np.array(counts), columns["gpu_count"].astype(int))
    band = listed.band[gpu, 0, size] if len(gpu) else np.zeros((0, 3))
    if scenario.own_usd_per_gpu_hour is not None:
        band = np.full_like(band, scenario.own_usd_per_gpu_hour)
    kept = np.nonzero(~np.isnan(band[:, 1]))[0]
    usd, gpus, rate = band[kept, 1], columns["gpu_count"][kept], columns["mid_rate"][kept]
    factor = 1 + scenario.spot_allowance_fraction if billing == "spot" else 1.0

    def cost(requests_per_month: float) -> Callable[[Places, Floats, Floats], Floats]:
        rules = Rules(
            requests_per_month=requests_per_month,
            target_utilisation_fraction=scenario.target_utilisation_fraction,
            hours=paid_hours(scenario.spread, scenario.running),
            min_replicas=scenario.min_replicas,
            spare_replicas=scenario.spare_replicas,
        )
        return lambda places, price, speed: rented_usd_per_month(
            rules,
            usd_per_gpu_hour=usd[places] * price,
            gpus=np.broadcast_to(gpus[places], price.shape),
            requests_per_s=rate[places] * speed,
            cost_factor=np.full(price.shape, factor),
        )

    names = [one.gpu_id for one in found.fleet.axes.gpus]
    prices_of = [f"{names[at]}:{billing}" for at in gpu[kept]]
    shown = _deployments(columns, kept, found, engines, formats)
    return Block(
        kind=RENTED,
        provider_counts=tuple(listed.providers[gpu[kept], 0, size[kept]].tolist()),
        price=Uncertain(
            cause=np.array([cause("price", one) for one in prices_of], dtype=np.intp),
            low=band[kept, 0] / usd,
            high=band[kept, 2] / usd,
        ),
        rate=_rate(columns, kept, shown),
        tokens_per_s=columns["tokens_per_s"][kept],
        cost=cost,
        measured=tuple((columns["measured"][kept] >= 0).tolist()),
        **shown,
    ), found


def at_hand_block(
    facts: Facts, scenario: Scenario, models: Sequence[str], need: Need
) -> tuple[Block | None, Candidates | None]:
    """Every deployment that the hardware at hand holds; None without hardware. Raises UnknownIdError for its GPU.

    What it costs is power, hosting and staff: the purchase is paid. A volume beyond what it serves costs infinitely.
    """
    if need.hardware is None:
        return None, None
    return _machine_block(
        facts, scenario, models, kind=AT_HAND, gpu_id=need.hardware, gpu_count=need.hardware_count, most_machines=1
    )


def owned_block(facts: Facts, scenario: Scenario, models: Sequence[str]) -> tuple[Block | None, Candidates | None]:
    """Every deployment on the machine that the scenario buys, as many as the volume needs; None without a purchase."""
    gpu_id = scenario.owned_gpu or scenario.gpu
    if scenario.purchase_usd is None or gpu_id is None:
        return None, None
    return _machine_block(
        facts, scenario, models, kind=OWNED, gpu_id=gpu_id, gpu_count=scenario.owned_gpu_count, most_machines=np.inf
    )


def _machine_block(
    facts: Facts,
    scenario: Scenario,
    models: Sequence[str],
    *,
    kind: str,
    gpu_id: str,
    gpu_count: int,
    most_machines: float,
) -> tuple[Block, Candidates]:
    if gpu_id not in facts.gpus:
        raise UnknownIdError("GPU", gpu_id, facts.gpus)
    gpu = facts.gpus[gpu_id]
    if gpu.memory_gb is None:
        raise InputError(f"the memory of {gpu.name} is not known, so nothing can be fitted on it.")
    asked = replace(
        scenario,
        gpu=gpu_id,
        own_usd_per_gpu_hour=ANY_PRICE,
        owned_gpu=gpu_id,
        owned_gpu_count=gpu_count,
        purchase_usd=0.0 if kind == AT_HAND else scenario.purchase_usd,
        resale_usd=0.0 if kind == AT_HAND else scenario.resale_usd,
    )
    found = candidates(facts, asked, models)
    columns, (engines, formats) = joined(found)
    kept = np.nonzero(columns["gpu_count"] <= gpu_count)[0]
    machine = own_machine(asked, board_power_w=gpu.board_power_w)
    rate = columns["mid_rate"][kept] * (gpu_count // np.maximum(1, columns["gpu_count"][kept]))
    staff = scenario.staff_hours_per_month * scenario.staff_usd_per_hour
    each = machine.capital_usd_per_month + machine.hosting_usd_per_month
    fewest, spare = (1, 0) if kind == AT_HAND else (max(1, scenario.min_replicas), scenario.spare_replicas)

    def cost(requests_per_month: float, end: End = "mid") -> Callable[[Places, Floats, Floats], Floats]:
        watts = getattr(machine.idle_w, end), getattr(machine.load_w, end)
        idle, load = (machine.energy_usd(power_w=power_w, hours=1.0) for power_w in watts)

        def usd(places: Places, price: Floats, speed: Floats) -> Floats:
            served = rate[places] * speed
            hours = requests_per_month / (served * SECONDS_PER_HOUR)
            most = served * scenario.target_utilisation_fraction * SECONDS_PER_MONTH / scenario.spread.peak
            needed = np.maximum(whole_at(requests_per_month / most), fewest)
            power = (idle * HOURS_PER_MONTH * (needed + spare) + (load - idle) * hours) * price
            total = staff + each * (needed + spare) + power
            return np.where(needed <= most_machines, np.maximum(LEAST_USD, total), np.inf)

        return usd

    shown = _deployments(columns, kept, found, engines, formats)
    everyone, power = np.ones(len(kept)), machine.load_w
    return Block(
        kind=kind,
        provider_counts=(0,) * len(kept),
        price=Uncertain(
            cause=np.full(len(kept), cause("power", gpu_id), dtype=np.intp),
            low=everyone * power.low / power.mid,
            high=everyone * power.high / power.mid,
        ),
        rate=_rate(columns, kept, shown),
        tokens_per_s=columns["tokens_per_s"][kept],
        cost=cost,
        cost_at=cost,
        measured=tuple((columns["measured"][kept] >= 0).tolist()),
        **(shown | {"gpu_counts": (gpu_count,) * len(kept)}),
    ), found


def _deployments(
    columns: Mapping[str, Floats],
    kept: Places,
    found: Candidates,
    engines: Sequence[str],
    formats: Sequence[str | None],
) -> dict[str, Any]:
    def names(column: str, of: Sequence[object]) -> tuple[object, ...]:
        return tuple(of[at] for at in columns[column][kept].astype(np.intp))

    return {
        "model_ids": names("model", found.model_ids),
        "gpu_ids": names("gpu", [gpu.gpu_id for gpu in found.fleet.axes.gpus]),
        "gpu_counts": tuple(columns["gpu_count"][kept].astype(int).tolist()),
        "engines": names("engine", engines),
        "weight_formats": names("format", formats),
    }


def _rate(columns: Mapping[str, Floats], kept: Places, shown: Mapping[str, Any]) -> Uncertain:
    """The error of a GPU with an engine; a measured rate has its own."""
    mid, measured = columns["mid_rate"][kept], columns["measured"][kept]
    pairs = zip(shown["gpu_ids"], shown["engines"], measured.tolist(), strict=True)
    causes = [
        cause("speed", str(gpu), str(engine)) if at < 0 else cause("measured", str(gpu), str(engine), str(at))
        for gpu, engine, at in pairs
    ]
    return Uncertain(
        cause=np.array(causes, dtype=np.intp),
        low=columns["low_rate"][kept] / mid,
        high=columns["high_rate"][kept] / mid,
    )


# --- all kinds in one -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The deployments of all kinds, block after block."""

    blocks: tuple[Block, ...]

    @property
    def count(self) -> int:
        """Of deployments."""
        return sum(block.count for block in self.blocks)

    @property
    def starts(self) -> list[int]:
        """First place of each block."""
        return [0, *accumulate(block.count for block in self.blocks)]

    def place(self, at: int) -> tuple[Block, int]:
        """The block of a deployment and its place there."""
        number = int(np.searchsorted(self.starts, at, side="right")) - 1
        return self.blocks[number], at - self.starts[number]

    def each(self, name: str) -> list[object]:
        """One value of every deployment."""
        return [value for block in self.blocks for value in getattr(block, name)]

    def uncertain(self, name: str) -> Uncertain:
        """One uncertain figure of every deployment."""
        found = [getattr(block, name) for block in self.blocks]
        return Uncertain(
            cause=np.concatenate([one.cause for one in found]).astype(np.intp),
            low=np.concatenate([one.low for one in found]),
            high=np.concatenate([one.high for one in found]),
        )

    def usd_per_month(self, requests_per_month: float) -> Callable[[Places, Floats, Floats], Floats]:
        """Cost of some deployments at factors of price and rate."""
        costs = [block.cost(requests_per_month) for block in self.blocks]
        bounds = self.starts

        def usd(places: Places, price: Floats, rate: Floats) -> Floats:
            total = np.empty(np.broadcast_shapes(price.shape, (1, len(places))))
            for cost, start, end in zip(costs, bounds, bounds[1:], strict=False):
                here = np.nonzero((places >= start) & (places < end))[0]
                if len(here):
                    total[:, here] = cost(places[here] - start, price[:, here], rate[:, here])
            return total

        return usd


def kinds_of_out(found: Candidates) -> dict[str, set[Out]]:
    """Why a model runs in no format with no engine on the GPUs asked for: the reasons, by model."""
    fleet = found.fleet
    return {
        model_id: {Out(int(code)) for code in np.unique(fleet.out[at]) if code != Out.NOT}
        for at, model_id in enumerate(found.model_ids)
    }
