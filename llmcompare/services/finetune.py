"""Fine-tuning on the GPUs of the price list, next to a longer prompt and a larger model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llmcompare.core import finetune
from llmcompare.core.calibration_traits import shares_memory
from llmcompare.core.cost import Band, scaled
from llmcompare.core.finetune import METHODS, PaidBack, Tuning, TuningMemory
from llmcompare.core.memory import GPU_COUNTS
from llmcompare.core.options import api_option
from llmcompare.core.phrases import Assumption, band_text
from llmcompare.core.records import Billing, Gpu, GpuOffer
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table, band_cells
from llmcompare.core.units import BYTES_PER_GIB, counted, rounded
from llmcompare.services import fit, hardware
from llmcompare.services.books import book
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_model
from llmcompare.services.fit import Subject

FEW_SHOTS = 5
"""Examples in a longer prompt. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A run on some equal GPUs of the price list."""

    gpu: Gpu
    gpu_count: int
    memory: TuningMemory
    """On each GPU."""
    gpu_hours: Band
    hours: Band
    """On the clock."""
    usd: Band
    usd_per_gpu_hour: Band
    offers: tuple[GpuOffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One method: what it needs, and where it can run."""

    run: Tuning
    memory: TuningMemory
    """On a single GPU that holds all of it."""
    sites: tuple[Site, ...]
    """Cheapest first."""
    too_small: tuple[str, ...]
    """GPUs of which not even eight hold it."""


def plans(facts: Facts, model: Subject, run: Tuning, *, billing: Billing) -> list[Plan]:
    """Full tuning, LoRA and QLoRA with the same examples."""
    return [plan(facts, model, replace(run, method=method), billing=billing) for method in METHODS]


def plan(facts: Facts, model: Subject, run: Tuning, *, billing: Billing) -> Plan:
    """One method on every GPU of a billing class, each with the fewest of 1, 2, 4 and 8 that hold it."""
    needed = {count: finetune.memory(model.shape, run, gpu_count=count) for count in GPU_COUNTS}
    sites, too_small = [], []
    for gpu in hardware.priced_gpus(facts, billing):
        if gpu.matmul_tflop_per_s is None or gpu.vendor not in ("NVIDIA", "AMD"):
            continue
        usable = fit.usable_bytes(gpu)
        counts = (1,) if shares_memory(gpu) else GPU_COUNTS
        holding = [count for count in counts if needed[count].total_bytes <= usable]
        if not holding:
            too_small.append(gpu.name)
        sites += [site for count in holding[:1] if (site := _site(facts, model, run, gpu, count, needed, billing))]
    return Plan(
        run=run,
        memory=needed[1],
        sites=tuple(sorted(sites, key=lambda site: (site.usd.mid, site.gpu.gpu_id))),
        too_small=tuple(too_small),
    )


def _site(
    facts: Facts, model: Subject, run: Tuning, gpu: Gpu, count: int, needed: dict[int, TuningMemory], billing: Billing
) -> Site | None:
    price = hardware.price(facts, gpu.gpu_id, billing=billing, gpu_count=count)
    if price is None or gpu.matmul_tflop_per_s is None:
        return None
    hours = finetune.gpu_hours(model.shape, run, flop_per_s=gpu.matmul_tflop_per_s * 1e12)
    return Site(
        gpu=gpu,
        gpu_count=count,
        memory=needed[count],
        gpu_hours=hours,
        hours=scaled(hours, 1 / count),
        usd=finetune.tuning_usd(hours, usd_per_gpu_hour=price.usd_per_gpu_hour),
        usd_per_gpu_hour=price.usd_per_gpu_hour,
        offers=price.offers,
    )


# --- what else would do it --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another way to the same quality, at API list prices, and when a tuning has paid itself against it."""

    name: str
    usd_per_month: Band | None
    missing: str | None
    paid_back: PaidBack | None
    """None where a price is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternatives:
    """The tuned model with the short prompt, and what it is set against."""

    tuned_usd_per_month: Band | None
    missing: str | None
    others: tuple[Alternative, ...]


def larger_models(facts: Facts, model_id: str) -> list[str]:
    """Priced models of the same family with more parameters, the next larger first."""
    own = facts.model(model_id)
    priced = {offer.model_id for offer in facts.api_offers}
    size = own.params_total_billion or 0.0
    found = [
        one
        for one in facts.models.values()
        if one.family == own.family and one.model_id in priced and (one.params_total_billion or 0.0) > size * 1.1
    ]
    return [one.model_id for one in sorted(found, key=lambda one: (one.params_total_billion or 0.0, one.model_id))]


def alternatives(
    facts: Facts, scenario: Scenario, *, once: Band, example_tokens: int, few_shots: int, larger: str | None
) -> Alternatives:
    """A longer prompt of the same model, and a larger model with the short prompt."""
    tuned, missing = _monthly(facts, scenario)
    longer = replace(scenario, input_tokens=scenario.input_tokens + few_shots * example_tokens)
    asked = [(f"{counted(few_shots, 'example')} in each prompt instead of tuning", longer)]
    if larger is not None:
        asked.append((f"{facts.model(larger).display_name} with the short prompt", for_model(facts, scenario, larger)))
    others = []
    for name, other in asked:
        usd, why = _monthly(facts, other)
        paid = (
            finetune.paid_back(once, tuned_usd_per_month=tuned, other_usd_per_month=usd)
            if usd is not None and tuned is not None
            else None
        )
        others.append(Alternative(name=name, usd_per_month=usd, missing=why, paid_back=paid))
    return Alternatives(tuned_usd_per_month=tuned, missing=missing, others=tuple(others))


def _monthly(facts: Facts, scenario: Scenario) -> tuple[Band | None, str | None]:
    option, missing = api_option(book(facts, scenario.model), for_model(facts, scenario))
    return (None, missing) if option is None else (option.usd_per_month, None)


# --- words and tables -------------------------------------------------------------------------------------------------


def site_text(site: Site) -> str:
    """GPUs in a few words."""
    return f"{site.gpu_count} × {hardware.short_name(site.gpu)}"


def answer(model: Subject, found: Sequence[Plan]) -> str:
    """The three methods on their cheapest GPUs, the cheapest method first."""
    return " ".join(answer_sentences(model, found))


def answer_sentences(model: Subject, found: Sequence[Plan]) -> list[str]:
    """The same, one sentence per method."""
    fitting = [one for one in found if one.sites]
    if not fitting:
        return [f"{model.name} cannot be tuned on any GPU of this billing class, not even on eight of one kind."]
    best = min(fitting, key=lambda one: one.sites[0].usd.mid)
    return [_sentence(model, best), *(_sentence(model, one, short=True) for one in found if one is not best)]


def _sentence(model: Subject, one: Plan, *, short: bool = False) -> str:
    if not one.sites:
        return f"{'Full tuning' if one.run.method == 'full' else one.run.method} fits on no GPU of this billing class."
    site = one.sites[0]
    method = "Full tuning" if one.run.method == "full" else one.run.method
    start = method if short else f"{method} of {model.name}"
    memory = f"{one.memory.total_bytes / BYTES_PER_GIB:,.0f} GiB"
    return f"{start} costs {band_text(site.usd)} on {site_text(site)}: {memory}, {hours_text(site.hours)}."


def hours_text(hours: Band) -> str:
    """A time with its spread, in minutes below two hours.

    >>> hours_text(Band(low=0.3, mid=0.4, high=0.7)), hours_text(Band(low=3, mid=4, high=7))
    ('24 minutes (18 to 42)', '4 hours (3 to 7)')
    """
    unit, times = ("minutes", 60) if hours.mid < 2 else ("hours", 1)
    low, mid, high = (rounded(value * times, 2) for value in (hours.low, hours.mid, hours.high))
    return f"{mid:g} {unit} ({low:g} to {high:g})"


def alternative_sentences(found: Alternatives) -> Iterator[str]:
    """What the tuned model costs a month, and when the run has paid itself against each other way."""
    if found.tuned_usd_per_month is None:
        yield f"No monthly cost of the tuned model: {found.missing}."
    else:
        yield (
            f"Tuned, with the short prompt: {band_text(found.tuned_usd_per_month)} a month at the API prices of the "
            "untuned model. Many APIs serve weights of your own at another price, or not at all."
        )
    for one in found.others:
        if one.usd_per_month is None:
            yield f"{one.name}: no figure, {one.missing}."
            continue
        text = f"{one.name}: {band_text(one.usd_per_month)} a month."
        yield text if one.paid_back is None else f"{text} {_paid_text(one.paid_back)}"


def _paid_text(paid: PaidBack) -> str:
    if paid.months is None:
        best = "" if paid.earliest is None else f" (at the best ends of all prices after {_months(paid.earliest)})"
        return f"Tuning never pays against it at middle prices: the tuned model is not cheaper to run{best}."
    late = "never" if paid.latest is None else f"after {_months(paid.latest)}"
    return f"Tuning has paid itself after {_months(paid.months)} ({_months(paid.earliest)} at best, {late} at worst)."


def _months(months: float | None) -> str:
    if months is None:
        return "never"
    if months < 1 / 30:
        return "less than a day"
    return f"{rounded(months * 30, 2):g} days" if months < 1 else f"{rounded(months, 2):g} months"


def assumptions(run: Tuning) -> Iterator[Assumption]:
    """Everything behind the figures that no source backs."""
    share = finetune.UTILISATION
    yield Assumption(
        name="examples",
        value=f"{run.examples:,} of {run.tokens_per_example:,} tokens, {run.epochs:g} times",
        meaning="how many are needed for which quality is not in the data: try and measure",
        editable_as="ft_examples",
    )
    yield Assumption(
        name="utilisation",
        value=f"{share.mid:.0%} ({share.low:.0%} to {share.high:.0%})",
        meaning="of the dense 16-bit rate; Llama 3.1 405B reached 38 to 43% in pre-training (arXiv 2407.21783)",
        editable_as=None,
    )
    yield Assumption(
        name="speed of QLoRA",
        value=f"{finetune.QLORA_SPEED_FRACTION:.0%} of LoRA's",
        meaning="every use of a weight unpacks it first",
        editable_as=None,
    )
    yield Assumption(
        name="activations",
        value=f"{finetune.LAYER_BYTES_PER_HIDDEN} bytes per layer, token and hidden element",
        meaning="16 bits, attention scores not kept (after arXiv 2205.05198)",
        editable_as="ft_recomputes",
    )
    yield Assumption(
        name="several GPUs",
        value="share weights, gradients and optimiser evenly",
        meaning="ZeRO 3 or FSDP; the time that passing them around takes is within the utilisation",
        editable_as=None,
    )
    yield Assumption(
        name="what is billed",
        value="the hours of the run alone",
        meaning="no set-up, no failed runs, no evaluation, no people",
        editable_as=None,
    )


def arithmetic(model: Subject, one: Plan) -> list[str]:
    """The steps with their numbers, to redo by hand."""
    if not one.sites:
        return []
    site, run, shape = one.sites[0], one.run, model.shape
    base = finetune.FLOP_FULL if run.method == "full" else finetune.FLOP_FROZEN
    per_token = base + finetune.FLOP_RECOMPUTED * run.recomputes
    rate = (site.gpu.matmul_tflop_per_s or 0.0) * 1e12
    slowed = finetune.QLORA_SPEED_FRACTION if run.method == "QLoRA" else 1.0
    share, trained = finetune.UTILISATION.mid, finetune.trained_params(shape, run)
    state = finetune.GRADIENT_BYTES + finetune.OPTIMISER_BYTES
    return [
        f"tokens = {run.examples:,} × {run.tokens_per_example:,} × {run.epochs:g} = {run.tokens:,.0f}",
        f"operations = {per_token:g} × {shape.params_active:.4g} × {run.tokens:,.0f} = {finetune.flop(shape, run):.4g}",
        f"GPU hours = {finetune.flop(shape, run):.4g} ÷ ({rate:.4g} × {share:g}"
        + (f" × {slowed:g}" if slowed != 1 else "")
        + f" × 3,600) = {site.gpu_hours.mid:.4g}",
        f"USD = {site.gpu_hours.mid:.4g} × {site.usd_per_gpu_hour.mid:.4g} = {site.usd.mid:.4g}",
        f"trained parameters = {trained:,.0f}; gradients and optimiser = {state} bytes × {trained:,.0f} = "
        f"{state * trained / BYTES_PER_GIB:.3g} GiB",
    ]


def plan_table(found: Sequence[Plan]) -> Table:
    """Every GPU that holds a method, cheapest first."""
    return Table(
        name="finetuning",
        title="Where it can be tuned",
        columns=(
            "method", "gpu", "gpu_count", "gib_per_gpu", "hours_low", "hours_mid", "hours_high", "usd_low", "usd_mid",
            "usd_high", "usd_per_gpu_hour_median", "providers", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                one.run.method, site.gpu.name, site.gpu_count, rounded(site.memory.total_bytes / BYTES_PER_GIB),
                *band_cells(site.hours), *band_cells(site.usd), site.usd_per_gpu_hour.mid, len(site.offers),
                site.gpu.as_of, site.gpu.source, site.gpu.row_id,
            )
            for one in found
            for site in one.sites
        ),
    )  # fmt: skip


def method_table(found: Sequence[Plan]) -> Table:
    """One row per method, on its cheapest GPUs."""
    rows = []
    for one in found:
        site = one.sites[0] if one.sites else None
        rows.append(
            (
                one.run.method, rounded(one.memory.total_bytes / BYTES_PER_GIB), site_text(site) if site else None,
                hours_text(site.hours) if site else None, band_text(site.usd) if site else None,
                len(one.sites), len(one.too_small),
            )
        )  # fmt: skip
    return Table(
        name="finetuning-methods",
        title="The three methods",
        columns=(
            "method", "memory_gib", "cheapest_gpus", "time", "cost", "gpus_that_hold_it", "gpus_too_small",
        ),
        rows=tuple(rows),
    )  # fmt: skip
