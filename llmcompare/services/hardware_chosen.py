"""The machine that is chosen in the sidebar, or was handed over by another page, among those of the Hardware page."""

from collections.abc import Sequence

from llmcompare.core.memory import GPU_COUNTS
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import BYTES_PER_GIB, rounded
from llmcompare.services.fit import Subject
from llmcompare.services.hardware import Place, Served, label, rate_in_words, short_name


def chosen_answer(scenario: Scenario, model: Subject, places: Sequence[Place], found: Sequence[Served]) -> str | None:
    """How the model does there, in a sentence; None where no GPU is chosen, or none of these."""
    gpu_id = scenario.owned_gpu if scenario.data_stays_here else scenario.gpu
    there = [place for place in places if place.gpu.gpu_id == gpu_id]
    here = [place for place in there if scenario.weight_format in (None, place.format_name)] or there
    if not here:
        return None
    holding = {place.format_name for place in here if place.gpu_count}
    if not holding:
        name = short_name(here[0].gpu)
        return f"{model.name} does not fit on the chosen {name}, not even on {max(GPU_COUNTS)} of them."
    fast = [one for one in found if one.place.gpu.gpu_id == gpu_id and one.place.format_name in holding]
    best = next((one for one in fast if scenario.engine in (None, one.engine)), fast[0] if fast else None)
    if best is None or best.speeds.decode_tokens_per_s is None:
        return f"{model.name} fits on the chosen {short_name(here[0].gpu)}; how fast it is there cannot be predicted."
    rate = rate_in_words(best.speeds.decode_tokens_per_s)
    room = f"{_room(best.place)}{_missing(scenario, best.place)}"
    return f"{model.name} on {label(best)}, as chosen: {rate} for one stream, {room}."


def _room(place: Place) -> str:
    longest = place.largest_context_tokens
    room = "" if longest is None else f", room for {longest:,} tokens of context"
    return f"{rounded(place.need.total_bytes / BYTES_PER_GIB):g} GiB of memory{room}"


def _missing(scenario: Scenario, place: Place) -> str:
    """That the machine at hand has too few."""
    if not scenario.data_stays_here or (place.gpu_count or 0) <= scenario.owned_gpu_count:
        return ""
    return f"; it takes {place.gpu_count} of them, and the machine has {scenario.owned_gpu_count}"
