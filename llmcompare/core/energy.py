"""Energy of serving: modelled from the board power of the GPUs and the rate of tokens. Measured figures stand apart."""

from dataclasses import dataclass

from llmcompare.core.cost import Band, added, scaled
from llmcompare.core.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from llmcompare.errors import InputError

METHOD = "modelled v1"
"""Shown beside every modelled figure. Another rule gets another number."""
GPU_LOAD_FRACTION = Band(low=0.54, mid=0.75, high=0.95)
"""Power of GPUs that serve, over their board power: 10th, 50th and 90th percentile of the 393 measurements of
data/energy.csv that say it (vLLM 0.11.1 on H100 and B200). How many requests run at once moves it less than the spread
between models, so one band serves every load."""
HOST_LOAD_FRACTION = Band(low=0.3, mid=0.5, high=0.82)
"""Processors, memory, network and fans of a machine under load, over the board power of its GPUs. A node of eight H100
(5.6 kW) drew 8.4 kW at most and is rated 10.2 kW (Latif and others, IEEE Access 13, 2025): 0.5 and 0.82. The low end is
an assumption, for a machine built around few GPUs."""
GPU_IDLE_FRACTION = Band(low=0.1, mid=0.17, high=0.25)
"""The same of a GPU that holds a model and serves nobody. Assumption: the figure of an own machine is to be measured. A
loaded model adds 26 to 66 W to an H100, an A100 or an L40S at rest (arXiv 2605.23918)."""
HOST_IDLE_FRACTION = Band(low=0.2, mid=0.25, high=0.4)
"""Assumption."""
GRAMS_CO2E_PER_KWH = 445.0
"""The world's mean of 2024, carbon dioxide alone (IEA, Electricity 2025). A grid of one's own is another: 50 to 700."""
WATTS_PER_KW = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """Energy of one deployment at one load, modelled."""

    concurrency: float
    """Requests at once."""
    output_tokens_per_s: Band
    joules_per_output_token: Band
    """Of the GPUs alone, reading the prompts included."""

    @property
    def wh_per_mtok(self) -> Band:
        """Watt hours of the GPUs per million output tokens."""
        return scaled(self.joules_per_output_token, wh_per_mtok(1.0))


def gpu_load_w(*, board_power_w: float, gpu_count: int) -> Band:
    """Watts of GPUs that serve.

    >>> gpu_load_w(board_power_w=700, gpu_count=2)
    Band(low=756.0, mid=1050.0, high=1330.0)
    """
    return scaled(GPU_LOAD_FRACTION, board_power_w * gpu_count)


def machine_load_w(*, board_power_w: float, gpu_count: int) -> Band:
    """Watts of a whole machine whose GPUs serve.

    >>> machine_load_w(board_power_w=700, gpu_count=8).mid
    7000.0
    """
    return scaled(added(GPU_LOAD_FRACTION, HOST_LOAD_FRACTION), board_power_w * gpu_count)


def machine_idle_w(*, board_power_w: float, gpu_count: int) -> Band:
    """Watts of a whole machine that holds a model and serves nobody.

    >>> round(machine_idle_w(board_power_w=700, gpu_count=8).mid)
    2352
    """
    return scaled(added(GPU_IDLE_FRACTION, HOST_IDLE_FRACTION), board_power_w * gpu_count)


def modelled(*, concurrency: float, power_w: Band, output_tokens_per_s: Band) -> Modelled:
    """Energy per output token: power over rate, the least power with the highest rate and the other way round.

    >>> one = modelled(
    ...     concurrency=8,
    ...     power_w=Band(low=400, mid=500, high=600),
    ...     output_tokens_per_s=Band(low=800, mid=1000, high=1600),
    ... )
    >>> one.joules_per_output_token
    Band(low=0.25, mid=0.5, high=0.75)
    """
    rate = output_tokens_per_s
    if not 0 < rate.low <= rate.mid <= rate.high:
        raise InputError(f"output_tokens_per_s runs from {rate.low:g} to {rate.high:g}: give rates above 0, in order.")
    joules = Band(low=power_w.low / rate.high, mid=power_w.mid / rate.mid, high=power_w.high / rate.low)
    return Modelled(concurrency=concurrency, output_tokens_per_s=rate, joules_per_output_token=joules)


def wh_per_mtok(joules_per_token: float) -> float:
    """Watt hours per million tokens.

    >>> round(wh_per_mtok(0.4548), 1), round(wh_per_mtok(0.07019), 1)
    (126.3, 19.5)
    """
    return joules_per_token * TOKENS_PER_MTOK / SECONDS_PER_HOUR


def energy_kwh(*, power_w: float, hours: float) -> float:
    """Kilowatt hours.

    >>> energy_kwh(power_w=1_500, hours=730)
    1095.0
    """
    return power_w * hours / WATTS_PER_KW


def at_the_meter_kwh(*, it_kwh: float, pue: float) -> float:
    """Kilowatt hours that the building takes for what its machines take. Raises InputError for a PUE below 1.

    >>> at_the_meter_kwh(it_kwh=100, pue=1.54)
    154.0
    """
    if not pue >= 1:
        raise InputError(f"pue is {pue:g}: a building takes at least what its machines take, so give 1 or more.")
    return it_kwh * pue


def grams_co2e(*, kwh: float, grams_per_kwh: float) -> float:
    """Grams of carbon dioxide, or of what equals it, for electricity of a grid.

    >>> grams_co2e(kwh=0.2, grams_per_kwh=445)
    89.0
    """
    if not grams_per_kwh >= 0:
        raise InputError(f"the grid's intensity is {grams_per_kwh:g} g per kWh: give 0 or more.")
    return kwh * grams_per_kwh
