"""Real months: typed in, uploaded or counted from a log, kept in the results log, and set against a forecast."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace

from llmcompare.core.actuals import Actual, Difference, Forecast, GpuForecast, TokenForecast, difference
from llmcompare.core.comparison import Comparison
from llmcompare.core.facts import ActualMonthFact
from llmcompare.core.options import proprietary_offers, token_prices
from llmcompare.core.records import ApiOffer
from llmcompare.core.rented import Deployment
from llmcompare.core.request_log import MonthCounts
from llmcompare.core.stack import median_offer
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services.catalogue import Facts
from llmcompare.services.jobs import new_id
from llmcompare.services.log_columns import plain_name
from llmcompare.services.plans import now
from llmcompare.services.runs import log
from llmcompare.store.paths import Folders

MAX_UPLOAD_MB = 1
COLUMNS = tuple(field.name for field in fields(Actual))
ALIASES = {
    "bill": "usd", "cost": "usd", "cost_usd": "usd", "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens", "cached_input_tokens": "cached_tokens",
}  # fmt: skip


# --- forecasts --------------------------------------------------------------------------------------------------------


def forecasts(facts: Facts, comparison: Comparison, *, requests_per_month: float | None = None) -> list[Forecast]:
    """What a month was to cost at today's API, at each provider of the model, and on what is rented.

    requests_per_month: another volume than the scenario's, for a month to which it has grown.
    """
    volume = requests_per_month or comparison.scenario.requests_per_month
    found: list[Forecast] = [_today(facts, comparison, volume)]
    if comparison.api is not None:
        # The provider in the middle first: the curve of the API option goes through it.
        middle = median_offer(comparison.api)
        for priced in (middle, *(one for one in comparison.api.offers if one is not middle)):
            label = f"{comparison.model.display_name} at {priced.offer.provider}"
            found.append(_tokens(label, comparison, priced.offer, priced.usd_per_request, volume))
    found += [_rented(comparison, one, volume) for one in (comparison.rented, comparison.rented_at_scale) if one]
    return found


def _today(facts: Facts, comparison: Comparison, volume: float) -> TokenForecast:
    """A bill that was typed in has no prices of its own: those of the API in use divide it into its parts."""
    today, listed = comparison.today, proprietary_offers(facts.api_offers)
    if comparison.scenario.today not in listed:
        raise UnknownIdError("API offer", comparison.scenario.today, listed)
    offer = today.offer or listed[comparison.scenario.today]
    label = "today's API" if today.offer is None else f"today's API, {today.label}"
    found = _tokens(label, comparison, offer, today.curve.usd_per_request, volume)
    return replace(found, workload=replace(comparison.scenario.as_typed.workload, requests_per_month=volume))


def _tokens(
    label: str, comparison: Comparison, offer: ApiOffer, usd_per_request: float, volume: float
) -> TokenForecast:
    return TokenForecast(
        label=label,
        usd=usd_per_request * volume,
        workload=replace(comparison.workload, requests_per_month=volume),
        prices=token_prices(offer),
        batch_fraction=comparison.scenario.batch_fraction,
    )


def _rented(comparison: Comparison, deployment: Deployment, volume: float) -> GpuForecast:
    usd = deployment.curves.mid.usd_per_month(volume)
    return GpuForecast(
        label=f"renting {deployment.label}",
        usd=usd,
        workload=replace(comparison.workload, requests_per_month=volume),
        gpu_hours=usd / deployment.usd_per_gpu_hour.mid,
    )


def differences(
    facts: Facts, comparison: Comparison, months: Sequence[Actual], *, label: str, from_month: str | None = None
) -> list[Difference]:
    """Each month against its forecast, the newest first.

    from_month: when the scenario's volume holds; from it on it grows as the scenario says. None for the first month.
    """
    scenario = comparison.scenario
    start = from_month or min((one.month for one in months), default="")
    found = []
    for actual in sorted(months, key=lambda one: one.month, reverse=True):
        grown = (1 + scenario.growth_fraction_per_month) ** _months_between(start, actual.month)
        listed = forecasts(facts, comparison, requests_per_month=scenario.requests_per_month * grown)
        forecast = next((one for one in listed if one.label == label), listed[0])
        found.append(difference(forecast, actual))
    return found


def _months_between(first: str, last: str) -> int:
    (year, month), (last_year, last_month) = (map(int, text.split("-")) for text in (first, last))
    return (last_year - year) * 12 + last_month - month


# --- months that are kept ---------------------------------------------------------------------------------------------


def kept(person: str, where: Folders | None = None) -> list[Actual]:
    """The months of a person, oldest first; of a month typed in twice the later entry."""
    newest = {fact.month: fact for fact in log(where).actual_months(person)}
    return [
        Actual(**{name: getattr(fact, name) for name in COLUMNS})
        for _, fact in sorted(newest.items())
        if not fact.is_withdrawn
    ]


def keep(person: str, months: Iterable[Actual], where: Folders | None = None) -> None:
    """Adds months; one that is there already is replaced."""
    for one in months:
        _append(person, one, where, is_withdrawn=False)


def withdraw(person: str, months: Iterable[Actual], where: Folders | None = None) -> None:
    """Takes months back."""
    for one in months:
        _append(person, one, where, is_withdrawn=True)


def _append(person: str, one: Actual, where: Folders | None, *, is_withdrawn: bool) -> None:
    cells = {name: getattr(one, name) for name in COLUMNS}
    log(where).append(
        ActualMonthFact(
            month_fact_id=new_id(),
            person=person,
            typed_at=now(),
            is_withdrawn=is_withdrawn,
            **cells,
        )
    )


def of_log(counts: MonthCounts, *, usd: float, gpu_hours: float | None = None) -> Actual:
    """A month whose counts come from a request log."""
    return Actual(
        month=counts.month,
        usd=usd,
        requests=counts.requests,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        cached_tokens=counts.cached_tokens,
        gpu_hours=gpu_hours,
    )


# --- as a file --------------------------------------------------------------------------------------------------------


def months_csv(months: Iterable[Actual]) -> bytes:
    """A file with a row per month; without months a form to fill in."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(one, name)) for name in COLUMNS] for one in months)
    return stream.getvalue().encode()


def _cell(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.15g}"


def read_months(content: bytes, *, name: str) -> list[Actual]:
    """The months of a file. Raises InputError with the line at fault; nothing of the file is used then."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is no text in UTF-8: save it as CSV.") from None
    lines = text.splitlines()
    delimiter = max(",;\t", key=lambda one: lines[0].count(one)) if lines else ","
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as problem:
        raise InputError(f"{name} cannot be read as CSV: {problem}.") from None
    header = [ALIASES.get(plain_name(cell), plain_name(cell)) for cell in rows[0]] if rows else []
    if not {"month", "usd"} <= set(header):
        raise InputError(
            f"{name} has the columns {', '.join(header)[:80] or 'of an empty file'}: it needs month and usd, and takes "
            f"{', '.join(COLUMNS[2:])}."
        )
    found = list(_months(rows, header, name=name))
    if not found:
        raise InputError(f"{name} holds a header and no month: give a line for each.")
    return found


def _months(rows: Sequence[Sequence[str]], header: Sequence[str], *, name: str) -> Iterator[Actual]:
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {column: cell.strip() for column, cell in zip(header, row, strict=False) if column in COLUMNS}
        try:
            yield Actual(**{column: _value(column, cell) for column, cell in cells.items() if cell})  # type: ignore[arg-type]
        except InputError as problem:
            raise InputError(f"{name} line {number}: {problem}") from None
        except TypeError:
            raise InputError(f"{name} line {number} has no month or no usd: give both.") from None


def _value(column: str, text: str) -> float | str:
    if column == "month":
        return text[:7] if len(text) == len("2026-11-01") else text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{column} is {text[:40]!r}: give a number, without separators.") from None
