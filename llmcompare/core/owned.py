"""An own machine as an option: what it costs because it stands there, and what one more request adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from llmcompare.core.cost import ENDS, Band, End, exactly, scaled
from llmcompare.core.curves import CostCurve, CurveBand, ReplicaGroup
from llmcompare.core.energy import (
    GPU_LOAD_FRACTION,
    HOST_LOAD_FRACTION,
    at_the_meter_kwh,
    energy_kwh,
    machine_idle_w,
    machine_load_w,
)
from llmcompare.core.records import Gpu
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, TOKENS_PER_MTOK
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMachine:
    """One machine that is bought, runs for some months and is sold.

    Raises InputError for a resale above the purchase, for more watts at rest than under load, or for a PUE below 1.
    """

    purchase_usd: float
    months: float
    resale_usd: float
    load_w: Band
    """Of the whole machine while it serves as much as it can."""
    idle_w: Band
    """The same while it serves nobody."""
    pue: float
    usd_per_kwh: float
    hosting_usd_per_month: float
    """Rack, network and space."""

    def __post_init__(self) -> None:
        for name in ("purchase_usd", "months", "resale_usd", "pue", "usd_per_kwh", "hosting_usd_per_month"):
            value = getattr(self, name)
            if not isfinite(value) or value < 0:
                raise InputError(f"{name} is {value:g}: give 0 or more.")
        if self.months == 0:
            raise InputError("owned_months is 0: give the months from purchase to resale.")
        if self.resale_usd > self.purchase_usd:
            raise InputError(
                f"resale_usd is {self.resale_usd:,.0f}, above the purchase of {self.purchase_usd:,.0f}: a machine "
                "that gains value is no cost to reckon with here."
            )
        for end in ENDS:
            idle, load = getattr(self.idle_w, end), getattr(self.load_w, end)
            if not 0 <= idle <= load:
                raise InputError(
                    f"idle_w is {idle:,.0f} and load_w {load:,.0f}: a machine takes more under load than at rest."
                )
        at_the_meter_kwh(it_kwh=0, pue=self.pue)

    @property
    def capital_usd_per_month(self) -> float:
        """Purchase less resale, spread over the months: no interest, no tax."""
        return (self.purchase_usd - self.resale_usd) / self.months

    def energy_usd(self, *, power_w: float, hours: float) -> float:
        """US dollars for a power at the machine over some hours, with what the building adds."""
        return at_the_meter_kwh(it_kwh=energy_kwh(power_w=power_w, hours=hours), pue=self.pue) * self.usd_per_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedOption:
    """As many own machines as the workload needs."""

    gpu: Gpu
    gpu_count: int
    """In one machine."""
    served_by: Deployment
    """The replica whose rate is used; how many of it a machine holds is in requests_per_s."""
    machine: OwnMachine
    requests_per_s: Band
    """Of one full machine."""
    staff_usd_per_month: float
    """For all machines together: assumed not to grow with their number."""
    curves: CurveBand[CostCurve]
    workload: Workload

    @property
    def short(self) -> str:
        """For sentences."""
        return f"{self.gpu_count} × {self.gpu.name_without_vendor}"

    @property
    def name(self) -> str:
        """In a sentence, as other options are named."""
        return f"an own machine with {self.short}"

    @property
    def label(self) -> str:
        """In a legend."""
        form = f" · {self.served_by.weight_format}" if self.served_by.weight_format else ""
        return f"own {self.gpu_count} × {self.gpu.name} · {self.served_by.engine}{form}"

    @property
    def basis(self) -> str:
        """Where the capacity comes from."""
        held = self.gpu_count // self.served_by.gpus_per_replica
        times = f"{held} replicas side by side, each " if held > 1 else ""
        return times + self.served_by.basis

    @property
    def usd_per_month(self) -> Band:
        """Full cost at the workload's volume."""
        return self.curves.usd_per_month(self.workload.requests_per_month)

    @property
    def machines(self) -> int:
        """At the middle of the band."""
        return self.curves.mid.replicas(self.workload.requests_per_month)

    @property
    def busy_fraction(self) -> float:
        """Mean share of the machines' capacity that the workload uses, at the middle of the band."""
        return self.workload.requests_per_s / (self.machines * self.requests_per_s.mid)

    @property
    def parts(self) -> Mapping[str, float]:
        """US dollars a month by part, at the middle of the band; they add up to usd_per_month.mid."""
        one, hours = self.machine, self.machines * HOURS_PER_MONTH
        busy_hours = hours * self.busy_fraction
        return {
            "purchase less resale": self.machines * one.capital_usd_per_month,
            "energy under load": one.energy_usd(power_w=one.load_w.mid, hours=busy_hours),
            "energy at rest": one.energy_usd(power_w=one.idle_w.mid, hours=hours - busy_hours),
            "hosting": self.machines * one.hosting_usd_per_month,
            "staff": self.staff_usd_per_month,
        }

    @property
    def running_usd_per_month(self) -> Band:
        """Energy, hosting and staff: what the machines cost once they are paid."""
        ends: dict[str, float] = {
            end: getattr(self.usd_per_month, end) - self.machines_at(end) * self.machine.capital_usd_per_month
            for end in ENDS
        }
        return Band(**ends)

    @property
    def marginal_usd_per_request(self) -> Band:
        """Of one more request while the machines have room: the energy between rest and load, nothing else."""
        one, rate = self.machine, self.requests_per_s
        least, most = max(0.0, one.load_w.low - one.idle_w.high), one.load_w.high - one.idle_w.low
        return Band(
            low=one.energy_usd(power_w=least, hours=_hours_of_one(rate.high)),
            mid=self.curves.mid.usd_per_request,
            high=one.energy_usd(power_w=most, hours=_hours_of_one(rate.low)),
        )

    @property
    def full_usd_per_request(self) -> Band:
        """The month's cost over its requests."""
        return scaled(self.usd_per_month, 1 / self.workload.requests_per_month)

    @property
    def full_usd_per_mtok(self) -> Band:
        """The month's cost per million tokens, in and out."""
        return scaled(self.full_usd_per_request, TOKENS_PER_MTOK / self.workload.tokens_per_request)

    @property
    def full_usd_per_output_mtok(self) -> Band | None:
        """The month's cost per million output tokens, all of it; None for requests without output."""
        output = self.workload.billed_output_tokens
        return scaled(self.full_usd_per_request, TOKENS_PER_MTOK / output) if output else None

    @property
    def always_under_load_usd_per_month(self) -> float:
        """What energy costs more when the machines draw their load watts all month, however little they serve."""
        one, resting = self.machine, self.machines * HOURS_PER_MONTH * (1 - self.busy_fraction)
        return one.energy_usd(power_w=one.load_w.mid - one.idle_w.mid, hours=resting)

    def machines_at(self, end: End) -> int:
        """At one end of the band."""
        curve: CostCurve = getattr(self.curves, end)
        return curve.replicas(self.workload.requests_per_month)


def _hours_of_one(requests_per_s: float) -> float:
    return 1 / (requests_per_s * SECONDS_PER_HOUR)


def own_machine(scenario: Scenario, *, board_power_w: float | None) -> OwnMachine:
    """The machine that a scenario describes; watts that it does not give follow from the GPUs' board power.

    Raises InputError without a purchase price, or where neither the watts nor the board power are known.

    >>> one = own_machine(Scenario(purchase_usd=36_000, owned_months=36, usd_per_kwh=0.1, pue=1.5), board_power_w=700)
    >>> one.capital_usd_per_month, one.load_w.mid, round(one.energy_usd(power_w=1_000, hours=730), 2)
    (1000.0, 875.0, 109.5)
    """
    if scenario.purchase_usd is None:
        raise InputError("purchase_usd is not given: no purchase price in the data has a source, so type yours in.")
    load_w, idle_w = watts(scenario, board_power_w=board_power_w)
    return OwnMachine(
        purchase_usd=scenario.purchase_usd,
        months=scenario.owned_months,
        resale_usd=scenario.resale_usd,
        load_w=load_w,
        idle_w=idle_w,
        pue=scenario.pue,
        usd_per_kwh=scenario.usd_per_kwh,
        hosting_usd_per_month=scenario.hosting_usd_per_month,
    )


def watts(scenario: Scenario, *, board_power_w: float | None) -> tuple[Band, Band]:
    """Watts of one machine under load and at rest: given, or the GPUs' board power with an allowance for the rest.

    Of one given figure and one assumed, the assumed one gives way: it never puts rest above load.
    """
    load, idle, count = scenario.load_w, scenario.idle_w, scenario.owned_gpu_count
    if board_power_w is None:
        if load is None:
            raise InputError("the catalogue has no board power of this GPU: give load_w, the watts of the machine.")
        board_power_w = load / count / (GPU_LOAD_FRACTION.mid + HOST_LOAD_FRACTION.mid)
    load_w = exactly(load) if load is not None else machine_load_w(board_power_w=board_power_w, gpu_count=count)
    idle_w = exactly(idle) if idle is not None else machine_idle_w(board_power_w=board_power_w, gpu_count=count)
    if idle is None:
        idle_w = Band(**{end: min(getattr(idle_w, end), getattr(load_w, end)) for end in ENDS})
    elif load is None and idle <= load_w.mid:
        load_w = Band(low=max(load_w.low, idle), mid=load_w.mid, high=load_w.high)
    return load_w, idle_w


def owned_option(
    scenario: Scenario, *, gpu: Gpu, replicas: Sequence[Deployment]
) -> tuple[OwnedOption | None, str | None]:
    """Own machines with this GPU for the workload, or why there is no such option.

    replicas: the deployments of the model on this GPU, whatever renting them costs; the machine serves with those of
    which it holds the largest rate. Raises InputError for a machine that cannot be.
    """
    if scenario.purchase_usd is None:
        return None, "no purchase price in the data has a source: type yours in under “Own machine”"
    machine = own_machine(scenario, board_power_w=gpu.board_power_w)
    count = scenario.owned_gpu_count
    best = best_replica(replicas, gpu=gpu, gpu_count=count)
    if best is None:
        fewest = min((one.gpus_per_replica for one in replicas if one.gpu.gpu_id == gpu.gpu_id), default=None)
        on = f"{count} × {gpu.name}"
        return None, (
            f"no serving rate is known or predicted on {on}"
            if fewest is None
            else f"a known or predicted replica takes {fewest} of {gpu.name}, and the machine has {count}: give it more"
        )
    rate = scaled(best.requests_per_s, _held(best, count))
    staff_usd = scenario.staff_hours_per_month * scenario.staff_usd_per_hour
    return OwnedOption(
        gpu=gpu,
        gpu_count=count,
        served_by=best,
        machine=machine,
        requests_per_s=rate,
        staff_usd_per_month=staff_usd,
        curves=CurveBand(
            low=_curve(scenario, machine, end="low", requests_per_s=rate.high, staff_usd_per_month=staff_usd),
            mid=_curve(scenario, machine, end="mid", requests_per_s=rate.mid, staff_usd_per_month=staff_usd),
            high=_curve(scenario, machine, end="high", requests_per_s=rate.low, staff_usd_per_month=staff_usd),
        ),
        workload=scenario.workload,
    ), None


def best_replica(replicas: Sequence[Deployment], *, gpu: Gpu, gpu_count: int | None = None) -> Deployment | None:
    """The replica of which a machine with so many of this GPU serves most; without a count, the one per GPU."""
    fitting = [one for one in replicas if one.gpu.gpu_id == gpu.gpu_id and one.gpus_per_replica <= (gpu_count or inf)]

    def rate(one: Deployment) -> tuple[float, str]:
        held = 1 / one.gpus_per_replica if gpu_count is None else _held(one, gpu_count)
        return held * one.requests_per_s.mid, one.label

    return max(fitting, key=rate, default=None)


def _held(one: Deployment, gpu_count: int) -> int:
    return gpu_count // one.gpus_per_replica


def _curve(
    scenario: Scenario, machine: OwnMachine, *, end: End, requests_per_s: float, staff_usd_per_month: float
) -> CostCurve:
    load_w, idle_w = getattr(machine.load_w, end), getattr(machine.idle_w, end)
    idle_usd = machine.energy_usd(power_w=idle_w, hours=HOURS_PER_MONTH)
    planned_per_s = requests_per_s * scenario.target_utilisation_fraction
    return CostCurve(
        fixed_usd_per_month=staff_usd_per_month,
        usd_per_request=machine.energy_usd(power_w=load_w - idle_w, hours=_hours_of_one(requests_per_s)),
        groups=(
            ReplicaGroup(
                usd_per_replica_month=machine.capital_usd_per_month + machine.hosting_usd_per_month + idle_usd,
                # Machines that are bought stand there for the peak, all month.
                requests_per_replica_month=planned_per_s * SECONDS_PER_MONTH / scenario.spread.peak,
            ),
        ),
        # What is bought is there, however little it serves.
        min_replicas=max(1, scenario.min_replicas),
        spare_replicas=scenario.spare_replicas,
    )
