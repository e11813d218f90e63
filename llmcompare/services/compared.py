"""What an advice compares: the deployments of all models with what each is worth, in arrays that its parts share."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from llmcompare.core import advice
from llmcompare.core.advice import Contenders, Floats, Places, Uncertain
from llmcompare.core.advised import API, PUBLISHED_FORMATS, Line
from llmcompare.core.capability_ranking import OVERALL
from llmcompare.core.capability_scores import CATEGORIES, Subject
from llmcompare.core.cost import Band
from llmcompare.core.frameworks import SupportCell
from llmcompare.core.needs import Need
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_field import is_over_limit
from llmcompare.errors import InputError
from llmcompare.services import capability, families
from llmcompare.services.advice_serverless import serverless_block
from llmcompare.services.catalogue import Facts
from llmcompare.services.contenders import Block, Field, api_block, at_hand_block, cause, owned_block, rented_block
from llmcompare.services.overview import FAMILIES

ANY_VOLUME = 1.0
"""Stands for the volume where nothing hangs on it."""


def asked_of(need: Need) -> capability.Asked:
    """Which index the need is about: of one category where no other counts, else of all with its weights."""
    counted = [(name, weight) for name, weight in need.categories if weight > 0]
    if len(counted) == 1:
        return capability.Asked(category=counted[0][0])
    return capability.Asked(category=OVERALL, weights=tuple(sorted(need.categories)))


def _is_paid_at_hand(scenario: Scenario, need: Need) -> bool:
    """Whether the machine of the scenario is the hardware at hand: one deployment, not also one that could be bought
    as often as wanted for nothing."""
    owned = scenario.owned_gpu or scenario.gpu
    return scenario.purchase_usd == 0 and owned is not None and owned == need.hardware


class Compared:
    """One question with all its deployments."""

    def __init__(self, facts: Facts, scenario: Scenario, need: Need) -> None:
        self.facts, self.scenario, self.need = facts, scenario, need
        self.models = [one for one in facts.models.values() if one.family in FAMILIES]
        ids = tuple(one.model_id for one in self.models)
        self.ranking = next(iter(capability.ranked(facts, asked_of(need))), None)
        self.subjects = self._subjects()
        # Both give costs as functions of the volume: kept, whatever it is.
        anywhere = replace(scenario, requests_per_month=ANY_VOLUME)
        api, self.api_missing = api_block(facts, anywhere, ids)
        rented, self.rented = rented_block(facts, anywhere, ids)
        hand, self.hand = at_hand_block(facts, scenario, ids, need)
        bought, self.bought = (None, None) if _is_paid_at_hand(scenario, need) else owned_block(facts, scenario, ids)
        if need.data_stays_here and hand is None and bought is None:
            raise InputError(
                "the data stays here, and no hardware is at hand: name its GPU, for example rtx-4090-24gb, give the "
                "purchase price and the GPU of an own machine, or let the data leave."
            )
        serverless = serverless_block(facts, scenario, ids)
        blocks = (hand, bought, api, serverless, rented)
        self.field = Field(blocks=tuple(block for block in blocks if block is not None))
        self.ids = [str(name) for name in self.field.each("model_ids")]
        self._cold_factor = np.ones(self.field.count)
        self.kinds = [block.kind for block in self.field.blocks for _ in range(block.count)]
        self.found = self._contenders()
        self.bands = () if self.ranking is None else _bands(facts, asked_of(need))
        self.abilities = np.array([band.mid for band in self.bands])
        self.parts = advice.middle_parts(self.found, self.abilities)
        self.points = advice.worth(need.weights, self.parts)

    def _subjects(self) -> dict[str, int]:
        """Place in the index of each model, in the mode of the workload."""
        if self.ranking is None:
            return {}
        thinks = self.scenario.thinking_tokens > 0
        return {
            subject.model_id: at
            for at, subject in enumerate(self.ranking.index.subjects)
            if subject == Subject(model_id=subject.model_id, thinks=thinks)
        }

    @cached_property
    def evidence(self) -> dict[str, float]:
        """Of each model in the index, the share of the weights of the categories in which it has a score."""
        if self.ranking is None:
            return {}
        weight = dict(self.need.categories) or dict.fromkeys(CATEGORIES, 1.0)
        scores = self.ranking.index.scores
        asked = {score.category for score in scores}
        total = sum(weight.get(category, 1.0) for category in asked)
        seen = {(score.subject, score.category) for score in scores}
        found: dict[str, float] = {}
        for subject, category in seen:
            if (
                subject.model_id in self.subjects
                and self.ranking.index.subjects[self.subjects[subject.model_id]] == subject
            ):
                found[subject.model_id] = found.get(subject.model_id, 0.0) + weight.get(category, 1.0) / total
        return found

    def _contenders(self) -> Contenders:
        ids = self.ids
        speed = np.concatenate([block.tokens_per_s for block in self.field.blocks])
        low, high = self.need.api_tokens_per_s_low, self.need.api_tokens_per_s_high
        unknown, middle = np.isnan(speed), np.sqrt(low * high)
        rate = self.field.uncertain("rate")
        support = support_fractions(self.facts)
        of_model = [support.get(self.facts.models[name].generation, (0.0, 1.0)) for name in ids]
        formats = self.field.each("weight_formats")
        measured_format = np.array(
            [kind == API or name in PUBLISHED_FORMATS for kind, name in zip(self.kinds, formats, strict=True)]
        )
        losses = [cause("format", str(name)) for name in formats]
        none = np.full(len(ids), -1)
        return Contenders(
            subject=np.array([self.subjects.get(name, -1) for name in ids], dtype=np.intp),
            price=self.field.uncertain("price"),
            rate=rate,
            speed=Uncertain(
                cause=np.where(unknown, cause("speed", API), rate.cause),
                low=np.where(unknown, low / middle, rate.low),
                high=np.where(unknown, high / middle, rate.high),
            ),
            tokens_per_s=np.where(unknown, middle, speed),
            support=Uncertain(
                cause=np.array([cause("support", self.facts.models[name].generation) for name in ids], dtype=np.intp),
                low=np.array([one[0] for one in of_model]),
                high=np.array([one[1] for one in of_model]),
            ),
            loss=Uncertain(
                cause=np.where(measured_format, none, np.array(losses, dtype=np.intp)),
                low=np.zeros(len(ids)),
                high=np.where(measured_format, 0.0, self.need.format_loss_points or 0.0),
            ),
            usd_per_month=self.field.usd_per_month(self.scenario.requests_per_month),
        )

    def usd(self, places: Places, requests_per_month: float | None = None) -> Floats:
        """Monthly cost of these deployments at the middle of everything."""
        ones = np.ones((1, len(places)))
        cost = self.field.usd_per_month(requests_per_month or self.scenario.requests_per_month)
        return np.asarray(cost(places, ones, ones)[0])

    def tokens_per_s(self, places: Places, requests_per_month: float) -> Floats:
        """Of a single request of these deployments at another volume, on which the cold starts hang."""
        found = self.found.tokens_per_s[places]
        for block, here, within in self._blocks_of(places):
            if block.speed_at is not None:
                found[within] = block.speed_at(here, requests_per_month)
        return found

    def cold_fraction(self, places: Places, requests_per_month: float) -> Floats:
        """Share of the requests that meet a cold start, of these deployments; 0 where there is none."""
        found = np.zeros(len(places))
        for block, here, within in self._blocks_of(places):
            if block.cold_at is not None:
                found[within] = block.cold_at(here, requests_per_month)
        return np.asarray(found * self._cold_factor[places])

    def simulate_cold(self, places: Places) -> None:
        """Put what a simulation shows of these in the place of the bound; at other volumes the bound moves with it."""
        volume = self.scenario.requests_per_month
        bound = self.cold_fraction(places, volume)
        for block, here, within in self._blocks_of(places):
            if block.cold_simulated is not None:
                seen = np.array([block.cold_simulated(place) for place in here.tolist()])
                self._cold_factor[places[within]] *= np.minimum(1.0, seen / np.maximum(bound[within], 1e-12))
        self.__dict__.pop("cold_now", None)

    def _blocks_of(self, places: Places) -> Iterator[tuple[Block, Places, Places]]:
        """Each block with its own of these deployments: their places in it, and among these."""
        for block, start in zip(self.field.blocks, self.field.starts, strict=False):
            within = np.nonzero((places >= start) & (places < start + block.count))[0]
            if len(within):
                yield block, places[within] - start, within

    @cached_property
    def cold_now(self) -> Floats:
        """The same at the scenario's volume."""
        return self.cold_fraction(np.arange(self.field.count), self.scenario.requests_per_month)

    @cached_property
    def is_slow_when_full(self) -> NDArray[np.bool_]:
        """Which deployments break the latency limits where a worker has all its slots taken."""
        found = np.zeros(self.field.count, dtype=bool)
        for block, start in zip(self.field.blocks, self.field.starts, strict=False):
            if block.full_ttft_ms is not None and block.full_tpot_ms is not None:
                found[start : start + block.count] = is_over_limit(
                    self.scenario, ttft_ms=block.full_ttft_ms, tpot_ms=block.full_tpot_ms
                )
        return found

    @cached_property
    def is_never_in_time(self) -> NDArray[np.bool_]:
        """Which deployments break a latency limit at every volume: APIs, whose speed is not known, and slow workers."""
        return np.asarray((np.array(self.kinds) == API) | self.is_slow_when_full)

    def heads(self, order: Places) -> list[int]:
        """The best deployment of each model and kind, in the order given."""
        found: dict[tuple[str, str], int] = {}
        for at in order.tolist():
            found.setdefault((self.ids[at], self.kinds[at]), at)
        return list(found.values())

    def chances(self, places: Places, draws: int) -> Floats:
        """Share of the draws in which each of these deployments is the best."""
        if self.ranking is None or not len(places):
            return np.zeros(len(places))
        abilities = _ability_draws(self.facts, asked_of(self.need), draws)
        return advice.chances(self.found, places, self.need.weights, abilities)

    def line(self, at: int, *, usd: float | None = None, chance: float | None = None) -> Line:
        """One deployment, at the scenario's volume."""
        block, here = self.field.place(at)
        model = self.facts.models[block.model_ids[here]]
        ability = Band(low=np.nan, mid=np.nan, high=np.nan)
        if self.ranking is not None and model.model_id in self.subjects:
            ability = self.bands[self.subjects[model.model_id]]
        known = float(block.tokens_per_s[here])
        support = self.found.support
        low, high = float(support.low[at]), float(support.high[at])
        return Line(
            place=at,
            kind=block.kind,
            model=model,
            gpu_id=block.gpu_ids[here],
            gpu_count=block.gpu_counts[here],
            engine=block.engines[here],
            weight_format=block.weight_formats[here],
            provider_count=block.provider_counts[here],
            measured=block.measured[here],
            points=float(self.points[at]),
            parts={name: float(values[at]) for name, values in self.parts.items()},
            ability=ability,
            usd_per_month=float(self.usd(np.array([at]))[0]) if usd is None else usd,
            tokens_per_s=None if np.isnan(known) else known,
            support_fraction=Band(low=low, mid=(low + high) / 2, high=high),
            chance=chance,
            cold_fraction=None if block.cold_at is None else float(self.cold_now[at]),
        )


@lru_cache(maxsize=8)
def _ability_draws(facts: Facts, question: capability.Asked, draws: int) -> Floats:
    index = capability.ranked(facts, question)[0].index
    return advice.ability_draws(index, draws=draws, rng=np.random.default_rng(0))


@lru_cache(maxsize=8)
def _bands(facts: Facts, question: capability.Asked) -> tuple[Band, ...]:
    return tuple(capability.ranked(facts, question)[0].index.bands())


@lru_cache(maxsize=4)
def support_fractions(facts: Facts) -> dict[str, tuple[float, float]]:
    """Of each generation, the share of the frameworks that are known to run or train it, and with those not known."""
    cells: dict[str, list[SupportCell]] = {}
    for feature in ("runs", "trains"):
        for cell in families.cells(facts, feature):
            cells.setdefault(cell.generation, []).append(cell)
    found = {}
    for generation, listed in cells.items():
        known = sum({"yes": 1.0, "measured": 1.0, "partly": 0.5}.get(cell.support, 0.0) for cell in listed)
        unknown = sum(cell.support == "unknown" for cell in listed)
        found[generation] = known / len(listed), (known + unknown) / len(listed)
    return found
