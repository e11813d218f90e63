"""The smallest change of each input that gives the first place of an advice to another one."""

from collections.abc import Iterator, Sequence

import numpy as np

from llmcompare.core import advice
from llmcompare.core.advice import Flip, Places
from llmcompare.core.advised import API, AT_HAND, LIMITS, LimitFlip, Line
from llmcompare.services.advice_limits import Limits
from llmcompare.services.compared import Compared

VOLUME_STEPS = 8
"""To a factor of ten."""
VOLUME_REACH = 100.0
"""The volume is moved by at most this factor to either side."""


def flips(compared: Compared, order: Places) -> Iterator[tuple[Flip, Line]]:
    """The nearest changes that give the first place to another model, or to another way to serve it."""
    if not len(order):
        return
    heads = compared.heads(order)
    weights, first = compared.need.weights, heads[0]
    for flip in advice.weight_flips(compared.parts, weights, heads):
        yield flip, compared.line(flip.winner)
    others = [at for at in heads if compared.found.subject[at] != compared.found.subject[first]]
    if others:
        gap = float(compared.points[first] - compared.points[others[0]])
        now, less = compared.parts["ability"][first], advice.ability_to_lose(gap, weights)
        if less is not None and less < now:
            flip = Flip(input="ability of the first, percent", now=now, then=now - less, winner=others[0])
            yield flip, compared.line(others[0])
    yield from _price_flip(compared, heads)
    yield from _speed_flip(compared, heads)
    yield from _volume_flips(compared, order)
    yield from _tightened(compared, heads)


def family_flips(compared: Compared, order: Places) -> dict[str, tuple[Flip, ...]]:
    heads = compared.heads(order)
    if not heads:
        return {}
    ids = compared.field.each("model_ids")
    families = [compared.facts.models[str(ids[at])].family for at in heads]
    found = advice.weights_of_groups(compared.parts, compared.need.weights, heads, families)
    return {family: tuple(flips) for family, flips in found.items()}


def _price_flip(compared: Compared, heads: Sequence[int]) -> Iterator[tuple[Flip, Line]]:
    first, price = heads[0], compared.found.price
    others = [at for at in heads if price.cause[at] != price.cause[first]]
    if not others or compared.field.place(first)[0].kind == AT_HAND:
        return
    gap = float(compared.points[first] - compared.points[others[0]])
    factor = advice.cost_factor_to_lose(gap, compared.need.weights)
    if factor is not None:
        now = float(compared.usd(np.array([first]))[0])
        flip = Flip(input="USD a month of the first", now=now, then=now * factor, winner=others[0])
        yield flip, compared.line(others[0])


def _speed_flip(compared: Compared, heads: Sequence[int]) -> Iterator[tuple[Flip, Line]]:
    first, speed = heads[0], compared.found.speed
    others = [at for at in heads if speed.cause[at] != speed.cause[first]]
    if not others or compared.field.place(first)[0].kind == API:
        return
    gap = float(compared.points[first] - compared.points[others[0]])
    factor = advice.speed_factor_to_lose(gap, compared.need.weights)
    if factor is not None:
        now = float(compared.found.tokens_per_s[first])
        flip = Flip(input="tokens/s of one request of the first", now=now, then=now * factor, winner=others[0])
        yield flip, compared.line(others[0])


def _volume_flips(compared: Compared, order: Places) -> Iterator[tuple[Flip, Line]]:
    """The nearest larger and smaller volume at which another model or way to serve is first."""
    kinds = np.array([block.kind for block in compared.field.blocks for _ in range(block.count)])[order]
    subject, now = compared.found.subject[order], compared.scenario.requests_per_month
    rest = advice.worth(compared.need.weights, compared.parts | {"cost": np.zeros(compared.field.count)})[order]
    steps = round(VOLUME_STEPS * np.log10(VOLUME_REACH))
    for direction in (1, -1):
        for step in range(1, steps + 1):
            volume = now * 10 ** (direction * step / VOLUME_STEPS)
            cost = -advice.POINTS_FOR_HALF_THE_COST * np.log2(compared.usd(order, volume))
            best = int(np.argmax(rest + compared.need.weights.cost * cost))
            if (subject[best], kinds[best]) != (subject[0], kinds[0]):
                flip = Flip(input="requests a month", now=now, then=volume, winner=int(order[best]))
                yield flip, compared.line(int(order[best]))
                break


def _tightened(compared: Compared, heads: Sequence[int]) -> Iterator[tuple[Flip, Line]]:
    """The nearest budget, floor of ability and context at which the first place is out, and who is first then."""
    need, models = compared.need, compared.facts.models
    usd, ability = compared.usd(np.array(heads)), compared.parts["ability"][heads]
    context = np.array([models[compared.ids[at]].context_tokens or 0 for at in heads], float)
    for name, now, figure, is_most in (
        ("budget, USD a month", need.max_usd_per_month, usd, True),
        ("floor of ability, percent", need.min_ability_percent, ability, False),
        ("context, tokens at least", need.context_tokens, context, False),
    ):
        kept = np.nonzero(figure < figure[0] if is_most else figure > figure[0])[0]
        if len(kept):
            flip = Flip(input=name, now=now, then=float(figure[0]), winner=heads[int(kept[0])])
            yield flip, compared.line(heads[int(kept[0])])


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
            loss = advice.ability_to_lose(gain, compared.need.weights)
            yield LimitFlip(limit=limit, line=compared.line(at), gain_points=gain, loss_points=loss)
