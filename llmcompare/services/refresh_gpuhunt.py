"""Prices of rented machines from the optional package gpuhunt."""

import logging
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from llmcompare.core.refresh import Quote
from llmcompare.errors import InputError
from llmcompare.services.refresh_lists import GPUHUNT, PROVIDERS, PriceList, cell_text, version_of
from llmcompare.services.refresh_rows import Rows, gpu_offer

TIMEOUT_S = 30
NO_SUCH_MACHINE = "a machine that no row of the catalogue names"
BY_REGION = "no single price in the region that the row names"


def gpuhunt(rows: Rows, *, today: date) -> PriceList:
    """Prices of the machines that the catalogue names, from gpuhunt's collected catalogues. Raises InputError."""
    version = version_of(GPUHUNT)
    import gpuhunt as package

    catalog = package.Catalog(auto_reload=False)
    try:
        with _quiet(GPUHUNT), _impatient():
            catalog.load()
    except (package.GPUHuntError, OSError) as error:
        cause = error.__cause__ or error
        raise InputError(
            f"gpuhunt {version} cannot load its catalogues ({cause}), and there are no prices inside the package: "
            "connect and run the command again."
        ) from error
    quotes: list[Quote] = []
    left_out: Counter[str] = Counter()
    days = []
    # Nothing is known of the machines of a provider whose catalogue could not be loaded.
    loaded_names = {PROVIDERS.get(name, name) for name in catalog.catalog}
    listed = {row.offer for row in rows.known("gpu_prices") if row.offer[0] not in loaded_names}
    for name, loaded in sorted(catalog.catalog.items()):
        provider = PROVIDERS.get(name, name)
        day = _day_of(loaded.version, today)
        days.append(day)
        source = f"PyPI package gpuhunt {version}: catalogue {loaded.version} of {name}"
        machines: dict[tuple[str, str, str], list[Any]] = {}
        for item in loaded.items:
            if item.gpu_count:
                billing = "spot" if item.spot else "on-demand"
                machines.setdefault((item.instance_name, str(item.gpu_count), billing), []).append(item)
        for machine, items in sorted(machines.items()):
            found = list(rows.gpus(provider, *machine))
            if not found:
                left_out[NO_SUCH_MACHINE] += 1
            for row in found:
                listed.add(gpu_offer(row))
                price = _price_in(row["region"], items)
                if price is None:
                    left_out[BY_REGION] += 1
                else:
                    quotes.append(_gpu_quote(row, price, as_of=day, source=source))
    return PriceList(
        name=GPUHUNT,
        version=version,
        source=f"PyPI package gpuhunt {version}",
        as_of=max(days, default=today.isoformat()),
        how="fetched just now",
        quotes=tuple(quotes),
        unmatched=(),
        left_out=left_out,
        listed=frozenset(listed),
    )


def _price_in(region: str, items: list[Any]) -> float | None:
    """USD per hour in a region; in a row without one, the price if it is the same everywhere."""
    there = {round(item.price, 6) for item in items if region in ("global", item.location)}
    return there.pop() if len(there) == 1 else None


def _gpu_quote(row: dict[str, str], usd_per_hour: float, *, as_of: str, source: str) -> Quote:
    cells = row | {"usd_per_hour": cell_text(usd_per_hour), "as_of": as_of, "source": source}
    return Quote(
        kind="gpu",
        offer=gpu_offer(row),
        thing=f"{row['gpu_id']}, {row['billing']}",
        usd=(usd_per_hour / int(row["gpu_count"]),),
        as_of=as_of,
        cells=cells,
    )


def _day_of(version: str, today: date) -> str:
    """The day in the version of a collected catalogue (20261120-…), else the day on which it was read."""
    found = re.match(r"(20\d\d)-?(\d\d)-?(\d\d)", version)
    try:
        return date(*map(int, found.groups())).isoformat() if found else today.isoformat()
    except ValueError:
        return today.isoformat()


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Without the log of a package, which would print a traceback per provider."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _impatient() -> Iterator[None]:
    """With a limit on every connection: gpuhunt sets none of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
