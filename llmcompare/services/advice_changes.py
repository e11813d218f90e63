"""The smallest change of each input that gives the first place of an advice to another one."""

from collections.abc import Iterator

import numpy as np

from llmcompare.core import advice, advice_flips
from llmcompare.core.advice import Floats, Places
from llmcompare.core.advice_flips import Flip, Span
from llmcompare.core.advised import API, HERE, LIMITS, LimitFlip, Line
from llmcompare.services.advice_limits import Limits
from llmcompare.services.compared import Compared

VOLUME_STEPS = 8
"""To a factor of ten; between the two steps where the first place changes, the volume is halved in."""
VOLUME_REACH = 100.0
"""The volume is moved by at most this factor to either side."""
HALVINGS = 7
"""So the volume is known to 0.3%."""
OF_VOLUME = ("hardware at hand", "latency", "budget")
"""Limits that another volume may break or keep."""

Change = tuple[Flip, Line | None]


def flips(limits: Limits, order: Places) -> Iterator[Change]:
    """The nearest changes that give the first place to another model, or to another kind of deployment.

    order: everything within the limits, by worth. All of it is looked at, not the best of each model alone: what is
    second on one card may be first when the card gets dearer.
    """
    if not len(order):
        return
    compared = limits.compared
    kinds = [(compared.ids[at], compared.kinds[at]) for at in order.tolist()]
    found = [
        *advice_flips.weight_flips(compared.parts, compared.need.weights, order, kinds),
        *_ability_flip(compared, order),
        *_price_flip(compared, order),
        *_speed_flip(compared, order),
        *_volume_flips(limits, int(order[0])),
        *_tightened(compared, order, kinds),
    ]
    for flip in found:
        yield flip, None if flip.winner is None else compared.line(flip.winner)


def family_spans(compared: Compared, order: Places) -> dict[str, tuple[Span, ...]]:
    """For each family, the nearest weights of each criterion at which it is first."""
    if not len(order):
        return {}
    families = [compared.facts.models[compared.ids[at]].family for at in order.tolist()]
    found = advice_flips.weights_of_groups(compared.parts, compared.need.weights, order, families)
    return {family: tuple(spans) for family, spans in found.items()}


def _rival(compared: Compared, order: Places, moved_by: Places) -> tuple[int, float] | None:
    """The best that is not moved along with the first place, and the points between them."""
    apart = np.nonzero(moved_by[order] != moved_by[order[0]])[0]
    if not len(apart):
        return None
    rival = int(order[apart[0]])
    return rival, float(compared.points[order[0]] - compared.points[rival])


def _ability_flip(compared: Compared, order: Places) -> Iterator[Flip]:
    if (found := _rival(compared, order, compared.found.subject)) is None:
        return
    rival, gap = found
    now, less = float(compared.parts["ability"][order[0]]), advice_flips.ability_to_lose(gap, compared.need.weights)
    if less is not None and less < now:
        yield Flip(input="ability of the first, percent", now=now, then=now - less, winner=rival)


def _price_flip(compared: Compared, order: Places) -> Iterator[Flip]:
    """The GPU of the first place or the APIs of its model get dearer, and all that hangs on the same price with it."""
    kind = compared.kinds[order[0]]
    found = _rival(compared, order, compared.found.price.cause)
    if found is None or kind in HERE:
        return
    factor = advice_flips.cost_factor_to_lose(found[1], compared.need.weights)
    if factor is not None:
        now = float(compared.usd(order[:1])[0])
        whose = "the price of its API" if kind == API else "the price of its GPU"
        yield Flip(input=f"USD a month of the first, by {whose}", now=now, then=now * factor, winner=found[0])


def _speed_flip(compared: Compared, order: Places) -> Iterator[Flip]:
    """The model of the first place answers slower, whatever engine it runs on."""
    found = _rival(compared, order, compared.found.subject)
    if found is None or compared.kinds[order[0]] == API:
        return
    factor = advice_flips.speed_factor_to_lose(found[1], compared.need.weights)
    if factor is not None:
        now = float(compared.found.tokens_per_s[order[0]])
        yield Flip(input="tokens/s of one request of the first model", now=now, then=now * factor, winner=found[0])


def _volume_flips(limits: Limits, first: int) -> Iterator[Flip]:
    """The nearest larger and smaller volume at which another model or kind is first, or nothing is left."""
    compared, need = limits.compared, limits.compared.need
    broken = [limits.broken[limit] for limit in LIMITS if limit not in OF_VOLUME]
    places = np.nonzero(~np.any(broken, axis=0))[0]
    has_limit = compared.scenario.has_latency_limit
    parts = {name: values[places] for name, values in compared.parts.items()}
    now = compared.scenario.requests_per_month

    def best(volume: float) -> int | None:
        usd: Floats = compared.usd(places, volume)
        if need.max_usd_per_month is not None:
            usd = np.where(usd > need.max_usd_per_month, np.inf, usd)
        if has_limit:
            usd = np.where(limits.too_late(places, compared.cold_fraction(places, volume)), np.inf, usd)
        at_volume = advice.parts(
            parts["ability"], usd, compared.tokens_per_s(places, volume), np.zeros(len(places))
        ) | {"ecosystem": parts["ecosystem"]}
        points = advice.worth(need.weights, at_volume)
        at = int(np.argmax(points))
        return int(places[at]) if np.isfinite(points[at]) else None

    def same(at: int | None) -> bool:
        return (
            at is not None and compared.ids[at] == compared.ids[first] and compared.kinds[at] == compared.kinds[first]
        )

    for direction in (1, -1):
        kept = now
        for step in range(1, round(VOLUME_STEPS * np.log10(VOLUME_REACH)) + 1):
            volume = now * 10 ** (direction * step / VOLUME_STEPS)
            if same(best(volume)):
                kept = volume
                continue
            for _ in range(HALVINGS):
                middle = float(np.sqrt(kept * volume))
                kept, volume = (middle, volume) if same(best(middle)) else (kept, middle)
            yield Flip(input="requests a month", now=now, then=volume, winner=best(volume))
            break


def _tightened(compared: Compared, order: Places, kinds: list[tuple[str, str]]) -> Iterator[Flip]:
    """The nearest budget, floor of ability and context at which another model or kind is first."""
    need, models = compared.need, compared.facts.models
    ability = compared.abilities[compared.found.subject[order]]
    context = np.array([models[name].context_tokens or 0 for name, _ in kinds], float)
    for name, now, figure, sign in (
        ("budget, USD a month", need.max_usd_per_month, compared.usd(order), 1),
        ("floor of ability, percent", need.min_ability_percent, ability, -1),
        ("context, tokens at least", need.context_tokens, context, -1),
    ):
        firsts = advice_flips.firsts_as_it_tightens(sign * figure).tolist()
        others = [number for number, at in enumerate(firsts) if kinds[at] != kinds[0]]
        if others:
            before, after = firsts[others[0] - 1], firsts[others[0]]
            yield Flip(input=name, now=now, then=float(figure[before]), winner=int(order[after]))


def limit_flips(limits: Limits, order: Places) -> Iterator[LimitFlip]:
    """For each limit, the best deployment that breaks it alone and would be first without it."""
    compared = limits.compared
    best = compared.points[order[0]] if len(order) else -np.inf
    better = limits.alone & np.isfinite(compared.points) & (compared.points > best)
    for limit in LIMITS:
        places = np.nonzero(better & limits.broken[limit])[0]
        if len(places):
            at = int(places[np.argmax(compared.points[places])])
            gain = float(compared.points[at] - best)
            loss = advice_flips.ability_to_lose(gain, compared.need.weights)
            yield LimitFlip(limit=limit, line=compared.line(at), gain_points=gain, loss_points=loss)
