"""Token prices of hosted APIs from the optional package genai-prices."""

import os
import re
from collections import Counter
from datetime import UTC, date, datetime, time
from typing import Any

from llmcompare.core.records import Model
from llmcompare.core.refresh import Quote
from llmcompare.errors import InputError
from llmcompare.services.catalogue import Facts
from llmcompare.services.refresh_lists import GENAI_PRICES, PROVIDERS, PriceList, cell_text, version_of
from llmcompare.services.refresh_rows import Rows

ADDRESS_VARIABLE = "LLMCOMPARE_GENAI_PRICES_URL"
"""Where the newest prices are fetched from, for a mirror; the package's own address by default."""
OF_THE_FAMILIES = re.compile(r"llama|mistral|mixtral|ministral|codestral|magistral|devstral|pixtral|qwen|qwq", re.I)
FAMILIES = ("llama", "mistral", "qwen")
HOURLY = "the price depends on the hour"
NOT_BY_TOKEN = "free, or not sold by token"
ANOTHER_FAMILY = "no model of the three families"
RETIRED = "not in the catalogue, and marked as deprecated"
NO_SLUG = "under a name without its vendor, which OpenRouter does not sell"
"""The package keeps such entries beside the real ones: github.com/pydantic/genai-prices/issues/144."""


def genai_prices(facts: Facts, rows: Rows, *, today: date, as_of: date | None = None) -> PriceList:
    """Token prices of hosted APIs: the newest ones where the network is there, else those in the package.

    Raises InputError.
    """
    version = version_of(GENAI_PRICES)
    providers, problem = _fetched()
    if problem is None:
        source = (
            f"PyPI package genai-prices {version}: update read {today} "
            "(github.com/pydantic/genai-prices: prices/new_data/v2/data.json)"
        )
        day, how = today.isoformat(), "fetched just now"
    else:
        source = (
            f"PyPI package genai-prices {version}: genai_prices/data.py (upstream github.com/pydantic/genai-prices)"
        )
        day = as_of.isoformat() if as_of else _published_on(rows, version, problem)
        how = f"{problem}; these are the prices inside the installed package, of {day}"
    reader = _TokenReader(facts, rows, source=source, as_of=day)
    for provider in providers:
        for model in provider.models:
            reader.take(provider.id, model)
    return PriceList(
        name=GENAI_PRICES,
        version=version,
        source=source,
        as_of=day,
        how=how,
        quotes=tuple(reader.quotes),
        unmatched=tuple(sorted(reader.unmatched)),
        left_out=reader.left_out,
        listed=frozenset((PROVIDERS.get(one.id, one.id), model.id) for one in providers for model in one.models),
    )


def _fetched() -> tuple[list[Any], str | None]:
    """Its providers, and why they are those of the package where nothing newer could be fetched."""
    import httpx2
    from genai_prices import UpdatePrices
    from genai_prices.data import providers

    address = os.environ.get(ADDRESS_VARIABLE)
    try:
        found = (UpdatePrices(url=address) if address else UpdatePrices()).fetch()
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return list(providers), f"it cannot be updated here ({reason})"
    return list(found.providers if found else providers), None


def _published_on(rows: Rows, version: str, problem: str) -> str:
    """The day of the package's own prices, where rows of this version say it."""
    days = [row["as_of"] for row in rows.of("api_prices") if f"genai-prices {version}:" in row["source"]]
    if days:
        return max(days)
    raise InputError(
        f"genai-prices {version}: {problem}, and nothing here says on which day this version was published: connect, "
        "or give the day with --as-of."
    )


class _TokenReader:
    """Turns the entries of genai-prices into quotes, and keeps account of those that are none."""

    def __init__(self, facts: Facts, rows: Rows, *, source: str, as_of: str) -> None:
        self._rows, self._source, self._as_of = rows, source, as_of
        self._models = facts.models
        self._names = {name.lower(): model_id for name, model_id in facts.names.items()}
        self.quotes: list[Quote] = []
        self.unmatched: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def take(self, provider_id: str, model: Any) -> None:  # noqa: ANN401 - a class of an optional package
        """One entry."""
        provider = PROVIDERS.get(provider_id, provider_id)
        row = self._rows.api(provider, model.id)
        if row is None and provider == "openrouter" and "/" not in model.id:
            self.left_out[NO_SLUG] += 1
            return
        found = None if row else self._model(model.id)
        if row is None and found is None:
            if OF_THE_FAMILIES.search(model.id):
                self.unmatched.add(f"{provider}/{model.id}")
            else:
                self.left_out[ANOTHER_FAMILY] += 1
            return
        if row is None and model.deprecated:
            self.left_out[RETIRED] += 1
            return
        prices, reason = self._prices(model)
        if prices is None:
            self.left_out[reason] += 1
            return
        identity = row or _identity(provider, model.id, found)
        step = prices.pop("base_price_max_input_tokens")
        context = model.context_window or identity.get("context_tokens") or ""
        cells = identity | prices | {
            "context_tokens": str(context),
            "base_price_max_input_tokens": step,
            "as_of": self._as_of,
            "source": self._source,
        }  # fmt: skip
        self.quotes.append(
            Quote(
                kind="api",
                offer=(provider, model.id),
                thing=self._rows.thing(cells["model_id"]),
                usd=(float(cells["input_usd_per_mtok"]), float(cells["output_usd_per_mtok"])),
                as_of=self._as_of,
                cells=cells,
            )
        )

    def _model(self, name: str) -> Model | None:
        """The model of the catalogue that has exactly this name, or its last part, as id, alias or repository."""
        for text in (name.lower(), name.lower().rsplit("/", 1)[-1]):
            model_id = self._names.get(text)
            if model_id and self._models[model_id].family in FAMILIES:
                return self._models[model_id]
        return None

    def _prices(self, model: Any) -> tuple[dict[str, str] | None, str]:  # noqa: ANN401
        """Cells of the standard prices on the day, or why there are none."""
        if not model.prices:
            return None, NOT_BY_TOKEN
        if isinstance(model.prices, list) and any(hasattr(one.constraint, "start_time") for one in model.prices):
            return None, HOURLY
        noon = datetime.combine(date.fromisoformat(self._as_of), time(12), tzinfo=UTC)
        price = model.get_prices(noon)
        parts = {name: getattr(price, f"{name}_mtok", None) for name in ("input", "cache_read", "output")}
        if not _base(parts["input"]) or not _base(parts["output"]):
            return None, NOT_BY_TOKEN
        steps = [tier.start for part in parts.values() for tier in getattr(part, "tiers", ())]
        return {
            "input_usd_per_mtok": cell_text(_base(parts["input"])),
            "cached_input_usd_per_mtok": cell_text(_base(parts["cache_read"])),
            "output_usd_per_mtok": cell_text(_base(parts["output"])),
            "base_price_max_input_tokens": str(min(steps)) if steps else "",
        }, ""


def _identity(provider: str, name: str, model: Model | None) -> dict[str, str]:
    """Cells of an offer that is new here."""
    assert model is not None
    return {
        "provider": provider,
        "api_model_name": name,
        "model_id": model.model_id,
        "family": model.family,
        "variant": "standard",
    }


def _base(price: Any) -> float | None:  # noqa: ANN401
    """USD per million tokens up to the first step."""
    return None if price is None else float(getattr(price, "base", price))
