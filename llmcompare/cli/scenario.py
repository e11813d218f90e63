"""One option of the command line per field of a scenario."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from llmcompare.core.scenario import Scenario, from_query, is_number
from llmcompare.errors import InputError
from llmcompare.services import scenario_file

DEFAULTS = Scenario()

SCENARIO_HELP = {
    "model": "Model id or alias.",
    "requests_per_month": "Requests per month.",
    "input_tokens": "Input tokens per request.",
    "output_tokens": "Output tokens per request, without thinking.",
    "cached_input_fraction": "Share of the input read from the provider's cache, 0 to 1.",
    "thinking_tokens": "Thinking tokens per request, billed as output.",
    "api_variant": "Variant of the API listings: standard, turbo, fp8, …",
    "today": "API in use today, as provider/model name.",
    "today_usd_per_month": "Today's bill in USD a month; overrides --today.",
    "billing": "on-demand, community, spot, reserved-1y or reserved-3y.",
    "throughput_record": "Id of the throughput row that says what a replica serves.",
    "target_utilisation_fraction": "Share of the measured capacity that is planned for, above 0 to 1.",
    "own_output_tokens_per_s": "Your measured output tokens/s of one replica; name the GPU too.",
    "own_usd_per_gpu_hour": "Your price in USD per GPU-hour; name the GPU too.",
    "gpu": "Only deployments on this GPU.",
    "gpus_per_replica": "GPUs per replica, with your own rate and no chosen throughput record.",
    "traffic": "How requests spread over the week: flat, business-hours, or own with --hourly-profile.",
    "hourly_profile": "24 or 168 relative rates after commas, Monday 0 h first.",
    "peak_to_mean": "Busiest minutes of an hour over that hour's mean, from 1.",
    "growth_fraction_per_month": "Growth of the requests, 0.1 for 10% a month.",
    "ttft_limit_ms": "Most that the median time to first token may be.",
    "tpot_limit_ms": "Most that the median time per output token may be.",
    "concurrency": "Requests at once on one replica.",
    "api_provider": "Only this provider's API listings.",
    "own_input_usd_per_mtok": "Your API price for input; give the output price too.",
    "own_cached_input_usd_per_mtok": "Your API price for cached input.",
    "own_output_usd_per_mtok": "Your API price for output; give the input price too.",
    "batch_fraction": "Share of requests that can wait for a batch price, 0 to 1.",
    "capacity_basis": "measured-first, or predicted for every deployment.",
    "engine": "Only deployments with this engine.",
    "weight_format": "Only deployments in this weight format.",
    "running": "always-on, scheduled (busy hours and others), or profile (each hour).",
    "min_replicas": "Replicas at least.",
    "spare_replicas": "Replicas beyond the need.",
    "spot_allowance_fraction": "Hours paid beyond those used on spot machines.",
    "serverless_provider": "Only this provider's serverless GPUs.",
    "cold_start_s": "Seconds until a new serverless worker answers.",
    "idle_timeout_s": "Seconds a serverless worker stays after its last request.",
    "requests_per_worker": "Requests at once in one serverless worker.",
    "purchase_usd": "Price of one machine of your own; 0 if it is paid.",
    "owned_gpu": "GPU in your own machine.",
    "owned_gpu_count": "GPUs in your own machine.",
    "owned_months": "Months from purchase to resale.",
    "resale_usd": "What your machine sells for at the end.",
    "load_w": "Watts of your machine under load.",
    "idle_w": "Watts of your machine at rest.",
    "pue": "Power of the building over power of its machines, from 1.",
    "usd_per_kwh": "Price of electricity.",
    "hosting_usd_per_month": "Rack, network, space, per machine.",
    "staff_hours_per_month": "Hours of staff for your machines.",
    "staff_usd_per_hour": "What an hour of staff costs.",
    "min_bits_per_weight": "Formats with fewer bits per weight are out.",
    "language": "Language of the requests, as a code (en, zh, de, …): another model counts the same text.",
    "tokens_of": "Model whose tokenizer counted the tokens; counts with a language.",
    "data_place": "anywhere, or here: then APIs, serverless and rented GPUs are out.",
}


def takes_scenario(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command one option per field of a scenario, and hands it the scenario as its first argument."""

    def with_options(**given: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        file, tokens = given.pop("scenario_file"), given.pop("tokens_per_month")
        texts = {} if file is None else scenario_file.read(file)
        flags = {name: given.pop(name) for name in SCENARIO_HELP}
        # The reader of links reads the options too, so both say the same of a value that cannot be used.
        scenario = from_query(texts | {name: text for name, text in flags.items() if text is not None})
        command(scenario if tokens is None else _with_tokens(scenario, tokens), **given)

    defaults = DEFAULTS.query(every_field=True)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    help=text, show_default=defaults.get(name, False), metavar="NUMBER" if is_number(name) else "TEXT"
                ),
            ],
        )
        for name, text in SCENARIO_HELP.items()
    ]
    options.append(
        inspect.Parameter(
            "scenario_file",
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                Path | None, typer.Option("--scenario", help="YAML file with these options; flags come before it.")
            ],
        )
    )
    options.append(
        inspect.Parameter(
            "tokens_per_month",
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                float | None,
                typer.Option(help="In place of the requests: tokens per month, in and out together.", metavar="NUMBER"),
            ],
        )
    )
    own = list(inspect.signature(command).parameters.values())[1:]
    with_options.__signature__ = inspect.Signature(options + own)  # type: ignore[attr-defined]
    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    return with_options


def _with_tokens(scenario: Scenario, tokens_per_month: float) -> Scenario:
    """As many requests of the scenario's shape as make so many tokens. Raises InputError."""
    if not tokens_per_month > 0:
        raise InputError(f"tokens_per_month is {tokens_per_month:g}: give a number above 0.")
    return replace(scenario, requests_per_month=tokens_per_month / scenario.workload.tokens_per_request)
