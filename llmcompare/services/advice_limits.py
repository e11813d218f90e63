"""Which deployments break which limit of a need, and why each model without a place in the ranking is out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.advice import Floats, Places
from llmcompare.core.advised import HERE, LIMITS, NOWHERE, SERVERLESS, OutModel, is_base
from llmcompare.core.fleet import Out
from llmcompare.core.licences import verdict
from llmcompare.core.records import Model
from llmcompare.core.serverless_words import share_text
from llmcompare.core.sweep_words import REASONS, WITHOUT_SHAPE
from llmcompare.core.units import count_text, usd_text
from llmcompare.services import languages
from llmcompare.services.cold_starts import SIMULATED_MOST
from llmcompare.services.compared import Compared
from llmcompare.services.contenders import kinds_of_out
from llmcompare.services.overview import FAMILIES

OF_MODELS = ("licence", "answers", "context", "languages", "score", "evidence", "ability")
"""Limits that a model breaks wherever it runs."""


class Broken(NamedTuple):
    """A limit that a model breaks, in words, and the address of the clause where there is one."""

    limit: str
    reason: str
    url: str | None = None


class Limits:
    """The limits of one question."""

    def __init__(self, compared: Compared) -> None:
        self.compared = compared
        self.of_models = {one.model_id: tuple(model_breaks(compared, one)) for one in compared.models}
        self.broken = self._broken()
        table = np.array([self.broken[limit] for limit in LIMITS])
        self.first: Places = np.where(table.any(axis=0), table.argmax(axis=0), len(LIMITS)).astype(np.intp)
        """Place in LIMITS of the first one that each deployment breaks; their number where it breaks none."""
        self.alone: NDArray[np.bool_] = table.sum(axis=0) == 1
        """Whether a deployment breaks one limit only."""

    def _broken(self) -> dict[str, NDArray[np.bool_]]:
        """Of each limit, which deployments break it."""
        compared, need = self.compared, self.compared.need
        count = compared.field.count
        kinds = np.array(compared.kinds)
        breakers = {
            limit: {name for name, found in self.of_models.items() if any(one.limit == limit for one in found)}
            for limit in OF_MODELS
        }
        broken = {limit: np.array([name in names for name in compared.ids]) for limit, names in breakers.items()}
        everyone = np.arange(count)
        usd = compared.usd(everyone)
        nobody = np.zeros(count, dtype=bool)
        most = need.max_usd_per_month
        broken |= {
            "data stays here": ~np.isin(kinds, HERE) if need.data_stays_here else nobody,
            "hardware at hand": np.isinf(usd),
            "weight format": compared.found.loss.cause >= 0 if need.format_loss_points is None else nobody,
            "budget": nobody if most is None else usd > most,
        }
        if not compared.scenario.has_latency_limit:
            return broken | {"latency": nobody}
        self._simulate_the_best(~np.any(list(broken.values()), axis=0))
        return broken | {"latency": self.too_late(everyone, compared.cold_now)}

    def _simulate_the_best(self, others_kept: NDArray[np.bool_]) -> None:
        """Of those that only the bound on cold starts puts out, the ones worth most: the bound is far too high."""
        compared = self.compared
        doubtful = (compared.cold_now > compared.need.max_cold_fraction) & ~compared.is_never_in_time
        places = np.nonzero(others_kept & doubtful)[0]
        compared.simulate_cold(places[np.argsort(-compared.points[places], kind="stable")][:SIMULATED_MOST])

    def too_late(self, places: Places, cold_fraction: Floats) -> NDArray[np.bool_]:
        """Which of these break a latency limit that is set, where so many of their requests meet a cold start."""
        compared = self.compared
        return compared.is_never_in_time[places] | (cold_fraction > compared.need.max_cold_fraction)

    def _late(self, at: int) -> str:
        compared, scenario = self.compared, self.compared.scenario
        if compared.kinds[at] != SERVERLESS:
            return "how fast APIs answer is not in the data, and a limit is set"
        if compared.is_slow_when_full[at]:
            return f"with {scenario.requests_per_worker} requests at once in a worker the median is over the limit"
        return (
            f"{share_text(float(compared.cold_now[at]))} of the requests may meet a cold start of "
            f"{scenario.cold_start_s:g} s, over the {share_text(compared.need.max_cold_fraction)} allowed"
        )

    def _reason(self, at: int, limit: str) -> tuple[str, str | None]:
        """Why a deployment breaks a limit, and where the clause stands."""
        block, here = self.compared.field.place(at)
        for one in self.of_models[block.model_ids[here]]:
            if one.limit == limit:
                return one.reason, one.url
        usd = float(self.compared.usd(np.array([at]))[0])
        volume = count_text(self.compared.scenario.requests_per_month)
        return {
            "data stays here": "it is served by others, and the data stays here",
            "hardware at hand": f"what is at hand does not serve {volume} requests a month at their peak",
            "weight format": f"what {block.weight_formats[here]} costs in ability was not measured",
            "latency": self._late(at) if limit == "latency" else "",
            "budget": f"{usd_text(usd)} a month, over the budget",
        }[limit], None

    def out_models(self) -> Iterator[OutModel]:
        """Every model without a deployment within all limits, and the limit that the last of them breaks."""
        compared, first = self.compared, self.first
        of_model: dict[str, list[int]] = {}
        for at, name in enumerate(compared.ids):
            of_model.setdefault(name, []).append(at)
        for model in compared.models:
            places = of_model.get(model.model_id)
            if places and (first[places] == len(LIMITS)).any():
                continue
            if limits := self.of_models[model.model_id]:
                limit, reason, url = min(limits, key=lambda one: LIMITS.index(one.limit))
            elif places:
                # The deployment that comes furthest says most: the others are out for less.
                at = max(places, key=lambda place: (first[place], np.nan_to_num(compared.points[place], nan=-1e9)))
                limit = LIMITS[first[at]]
                reason, url = self._reason(at, limit)
                reason = self._furthest(model, limit, reason)
            else:
                limit, reason, url = NOWHERE, self._nowhere(model), None
            yield OutModel(model=model, limit=limit, reason=reason, url=url)

    def out_rows(self) -> Iterator[tuple[str | int | None, ...]]:
        """Every deployment that is out, with the first limit that it breaks and why."""
        first = self.first
        for at in np.nonzero(first < len(LIMITS))[0].tolist():
            block, here = self.compared.field.place(at)
            limit = LIMITS[first[at]]
            yield (
                block.model_ids[here], block.kind, block.gpu_ids[here], block.gpu_counts[here], block.engines[here],
                block.weight_formats[here], limit, self._reason(at, limit)[0],
            )  # fmt: skip

    def _furthest(self, model: Model, limit: str, reason: str) -> str:
        """Where only hardware at hand may serve, why the model is not even tried there."""
        if limit != "data stays here" or self.compared.hand is None:
            return reason
        return self._not_at_hand(model)

    def _not_at_hand(self, model: Model) -> str:
        assert self.compared.hand is not None
        if model.model_id in self.compared.hand.without_shape:
            return WITHOUT_SHAPE
        need = self.compared.need
        held = f"{need.hardware_count} × {self.compared.facts.gpus[str(need.hardware)].name_without_vendor}"
        reasons = kinds_of_out(self.compared.hand).get(model.model_id, set())
        if Out.BEYOND_CONTEXT in reasons:
            return REASONS[Out.BEYOND_CONTEXT]
        return f"does not fit on {held} in any format above the quality floor, or not fast enough"

    def _nowhere(self, model: Model) -> str:
        why = self.compared.api_missing.get(model.model_id, "no API lists it")
        served = (
            WITHOUT_SHAPE
            if model.model_id in self.compared.rented.without_shape
            else "no GPU serves it within the limits"
        )
        return f"{why}; {served}"

    def left(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Models by family after each limit that takes one away."""
        ids = np.array(self.compared.ids, dtype=object)
        alive = np.ones(self.compared.field.count, dtype=bool)
        family = {one.model_id: one.family for one in self.compared.models}

        def count() -> dict[str, int]:
            found = Counter(family[str(name)] for name in set(ids[alive].tolist()))
            return {name: found[name] for name in FAMILIES}

        before = count()
        yield "all", before
        for limit in LIMITS:
            alive = alive & ~self.broken[limit]
            now = count()
            if now != before:
                yield limit, now
            before = now


def model_breaks(compared: Compared, model: Model) -> Iterator[Broken]:
    """The limits that a model breaks wherever it runs."""
    need, name = compared.need, model.display_name
    said = verdict(compared.facts.licences.get(model.license_id or ""), need.licence, model)
    if not said.is_usable:
        yield Broken("licence", said.reason, said.url)
    if is_base(model):
        yield Broken("answers", f"{name} is a base model: it continues a text and was not taught to answer")
    yield from _context(compared, model)
    for language in need.languages:
        if (problem := languages.not_named(compared.facts, model, language)) is not None:
            yield Broken("languages", problem)
    if model.model_id not in compared.subjects:
        yield Broken("score", _without_score(compared, model))
        return
    evidence = compared.evidence[model.model_id]
    if evidence < need.min_evidence_fraction:
        counted = f"{evidence:.0%} of what counts, under the {need.min_evidence_fraction:.0%} asked for"
        yield Broken("evidence", f"its scores are of categories that make {counted}")
    reached = float(compared.abilities[compared.subjects[model.model_id]])
    if need.min_ability_percent is not None and reached < need.min_ability_percent:
        yield Broken("ability", f"{reached:.1f}% expected, under the floor of {need.min_ability_percent:g}%")


def _context(compared: Compared, model: Model) -> Iterator[Broken]:
    wanted = compared.need.context_tokens
    if wanted is None:
        return
    if model.context_tokens is None:
        yield Broken("context", "no source was read that says how long its context is")
    elif model.context_tokens < wanted:
        yield Broken("context", f"takes {model.context_tokens:,} tokens, and {wanted:,.0f} are needed")


def _without_score(compared: Compared, model: Model) -> str:
    placed = set() if compared.ranking is None else {subject.model_id for subject in compared.ranking.index.subjects}
    if model.model_id in placed:
        mode = "without thinking" if compared.scenario.thinking_tokens == 0 else "with thinking"
        return f"its comparable scores are of the other mode, and the workload is {mode}"
    return "no published score that can be compared in these categories"
