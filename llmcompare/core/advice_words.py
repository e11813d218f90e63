"""What an advice says: the first place and how sure it is, when to choose which family, what would change it."""

from collections.abc import Iterator, Mapping
from math import ceil, floor, isfinite, log10

from llmcompare.core import advice
from llmcompare.core.advice_flips import Flip, Span
from llmcompare.core.advised import (
    API,
    AT_HAND,
    NOWHERE,
    OWNED,
    PUBLISHED_FORMATS,
    RENTED,
    SERVERLESS,
    Advice,
    LimitFlip,
    Line,
)
from llmcompare.core.capability_scores import Subject
from llmcompare.core.families import FAMILY_NAMES
from llmcompare.core.needs import Need
from llmcompare.core.phrases import listed, sentence_start
from llmcompare.core.serverless_words import share_text as cold_share
from llmcompare.core.units import count_text, counted, usd_text

LIMIT_WORDS = {
    "licence": "the licence", "answers": "base models, which were not taught to answer", "context": "the context",
    "languages": "the languages", "score": "scores that can be compared",
    "evidence": "scores in too few of the categories that count", "ability": "the least ability",
    "data stays here": "the data stays here", "hardware at hand": "what the hardware at hand serves",
    "weight format": "formats of which the loss was not measured", "latency": "the latency limit",
    "budget": "the budget", NOWHERE: "nobody serves it",
}  # fmt: skip
TIGHTENED = {
    "budget, USD a month": "under", "floor of ability, percent": "over", "context, tokens at least": "over",
}  # fmt: skip
"""Limits that put the first place out, and on which side of their figure."""
LEVEL_FRACTION = 0.02
"""Chances that differ by no more are the same: so much comes from which 2,000 draws were made."""
SHOWN_FROM = 0.05
"""Points below which a difference is not worth a word."""
STEP_WORDS = {
    "all": "all models", "licence": "the licence allows it", "answers": "taught to answer",
    "context": "the context is long enough", "languages": "the languages are named",
    "score": "a score can be compared",
    "evidence": "scores in enough categories", "ability": "able enough", "data stays here": "the data stays here",
    "hardware at hand": "the hardware carries the volume", "weight format": "in the published format",
    "latency": "quick enough", "budget": "within the budget",
}  # fmt: skip


def deployment_text(line: Line, gpu_name: str | None) -> str:
    """How a deployment serves, for a sentence and for a row."""
    if line.kind == API:
        return f"through an API ({counted(line.provider_count, 'provider')})"
    where = {AT_HAND: "at hand", OWNED: "bought", SERVERLESS: "serverless"}.get(line.kind, "rented")
    weights = line.weight_format or "a format that is not stated"
    return f"in {weights} on {line.gpu_count} × {gpu_name} {where}, {line.engine}"


def format_text(line: Line, need: Need) -> str:
    """What is known of the quality in this format: the score of the published weights is lent to no other format."""
    if line.kind == API:
        return "as published; which format a provider serves is not stated"
    if line.weight_format in PUBLISHED_FORMATS:
        return "as published"
    return f"not measured; taken as 0 to {need.format_loss_points or 0:g} points less"


def basis_text(line: Line) -> str:
    """Where the rate comes from, on which the cost hangs."""
    if line.kind == API:
        return f"list prices of {counted(line.provider_count, 'provider')}"
    return "measured rate" if line.measured else "predicted rate"


def headline(found: Advice, names: Mapping[str, str]) -> str:
    """The first place in one sentence, or that nothing is left."""
    best = found.winner
    if best is None:
        last = found.left[-1][0] if len(found.left) > 1 else None
        why = f": the last ones went with {LIMIT_WORDS[last]}" if last else ""
        return f"No deployment keeps every limit{why}."
    return (
        f"{best.model.display_name} {deployment_text(best, names.get(best.gpu_id or ''))}: "
        f"{usd_text(best.usd_per_month)} a month, {best.ability.mid:.0f}% expected in a test of middle difficulty."
        f"{_rivals(found.chance_by('display_name'), best.model.display_name)}"
    )


def _rivals(chance_of_model: Mapping[str, float], first: str) -> str:
    """Models that are the best more often than the first place, or as often: then there is no winner to speak of."""
    own = chance_of_model.get(first, 0.0)
    others = {name: chance for name, chance in chance_of_model.items() if name != first and chance >= LEVEL_FRACTION}
    oftener = [f"{name} ({share_text(chance)})" for name, chance in others.items() if chance > own + LEVEL_FRACTION]
    level = [name for name, chance in others.items() if abs(chance - own) <= LEVEL_FRACTION]
    return "".join(
        (
            f" More often the best when every uncertain figure is drawn: {listed(oftener)}." if oftener else "",
            f" As likely the best: {listed(level)}." if level else "",
        )
    )


def reasons(found: Advice, names: Mapping[str, str]) -> tuple[str, ...]:
    """Why, in three sentences: against the next model, how sure that is, and what it rests on."""
    best = found.winner
    if best is None:
        return ()
    return (_against_the_next(found, best), _how_sure(found, best), _rests_on(found, best))


def _against_the_next(found: Advice, best: Line) -> str:
    other = next((line for line in found.lines if line.model != best.model), None)
    if other is None:
        return "No other model keeps every limit."
    weights = found.need.weights
    gains = {name: getattr(weights, name) * (best.parts[name] - other.parts[name]) for name in advice.CRITERIA}
    largest_first = sorted(gains.items(), key=lambda one: -one[1])
    ahead = [f"{gain:.1f} points by {name}" for name, gain in largest_first if gain >= SHOWN_FROM]
    behind = [f"{-gain:.1f} points by {name}" for name, gain in reversed(largest_first) if gain <= -SHOWN_FROM]
    text = f"Against {other.model.display_name}, the next model, it gains {_joined(ahead) or 'nothing'}"
    loses = f" and loses {_joined(behind)}" if behind else ""
    return f"{text}{loses}: {best.points - other.points:.1f} points ahead at the middle of every figure."


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _how_sure(found: Advice, best: Line) -> str:
    models = found.chance_by("display_name")
    families = found.chance_by("family")
    chance = families[best.model.family]
    rival = next(((name, value) for name, value in families.items() if name != best.model.family), None)
    against = "" if rival is None else f", a {FAMILY_NAMES[rival[0]]} in {share_text(rival[1])}"
    of_family = f"a {FAMILY_NAMES[best.model.family]} in {share_text(chance)}{against}"
    return (
        f"When every uncertain figure is drawn {advice.DRAWS:,} times, this model is the best in "
        f"{share_text(models[best.model.display_name])} of the draws, and {of_family}{_nobody(families)}"
        f"{_best_more_often(models, best.model.display_name)}."
    )


def _best_more_often(chance_of_model: Mapping[str, float], first: str) -> str:
    """The model that wins more draws than the first place: wide figures that turn out well beat a better middle."""
    often, chance = next(iter(chance_of_model.items()))
    if chance <= chance_of_model[first]:
        return ""
    return f"; {often}, behind at the middle of the figures, is the best more often ({share_text(chance)})"


def _nobody(chance_of_family: Mapping[str, float]) -> str:
    """How often the hardware at hand turns out too slow for every model."""
    nobody = 1 - sum(chance_of_family.values())
    return "" if nobody < 1e-6 else f"; in {share_text(nobody)} nothing serves the volume"


def share_text(fraction: float) -> str:
    """A share of draws; none and all only where it is none and all.

    >>> share_text(0.364), share_text(0.0), share_text(0.0005), share_text(0.999), share_text(1.0)
    ('36%', '0%', 'under 1%', 'over 99%', '100%')
    """
    if 0 < fraction < 0.005:
        return "under 1%"
    # Sums of shares are off by rounding of the machine.
    return "over 99%" if 0.995 <= fraction < 1 - 1e-9 else f"{fraction:.0%}"


def _rests_on(found: Advice, best: Line) -> str:
    low, high = best.ability.low, best.ability.high
    ability = f"Its ability lies between {low:.0f} and {high:.0f}% (95%{_evidence(found, best)})"
    if best.kind == API:
        return f"{ability}; its price is that of the median provider; how fast it answers is an assumption."
    rate = "measured on this very deployment" if best.measured else "predicted"
    more = {
        AT_HAND: "; only power, hosting and staff are paid",
        OWNED: "; the machine is yours to buy, at the price you gave",
        SERVERLESS: _cold_text(best),
    }.get(best.kind, "")
    return f"{ability}; the rate it serves at is {rate}{more}."


def _cold_text(line: Line) -> str:
    return f"; {cold_share(line.cold_fraction or 0.0)} of its requests meet a cold start, which counts in its speed"


def _evidence(found: Advice, best: Line) -> str:
    """How many scores an ability rests on, and whose most of them are."""
    thinks = found.scenario.thinking_tokens > 0
    place = found.ranking and found.ranking.place(Subject(model_id=best.model.model_id, thinks=thinks))
    if not place:
        return ""
    return (
        f", from {counted(place.score_count, 'score')}, {place.largest_publisher_fraction:.0%} of them by "
        f"{place.largest_publisher}"
    )


KIND_WORDS = {
    API: "Token-priced API", SERVERLESS: "Serverless GPUs", RENTED: "Rented GPUs", AT_HAND: "Hardware at hand",
    OWNED: "Own machine",
}  # fmt: skip


def kind_sentences(found: Advice, names: Mapping[str, str]) -> Iterator[str]:
    """The best of each way to serve, how far behind the first place, and the ways of which nothing is left."""
    best = found.winner
    for line in found.best_of_kinds:
        behind = "" if best is None or line.place == best.place else f", {best.points - line.points:.1f} points behind"
        cold = "" if line.cold_fraction is None else f"; {cold_share(line.cold_fraction)} of requests meet a cold start"
        where = deployment_text(line, names.get(line.gpu_id or ""))
        yield (
            f"{KIND_WORDS[line.kind]}: {line.model.display_name} {where}, {usd_text(line.usd_per_month)} a month"
            f"{behind or ', the first place'}{cold}."
        )
    asked = [API, SERVERLESS, RENTED, *([AT_HAND] if found.need.hardware else [])]
    gone = [KIND_WORDS[kind] for kind in asked if kind not in {line.kind for line in found.best_of_kinds}]
    if gone and best is not None:
        yield f"Nothing within the limits: {', '.join(gone)}."


# --- the families -----------------------------------------------------------------------------------------------------


def family_sentence(found: Advice, family: str) -> str:
    """When to choose a family: it leads, it would with another weight or limit, or nothing of it is left."""
    name = FAMILY_NAMES[family]
    best, winner = found.best_of(family), found.winner
    if winner is not None and winner.model.family == family:
        return f"Choose {name} for what you said: {winner.model.display_name} is first."
    conditions = [_condition(span) for span in found.family_spans.get(family, ())]
    conditions += [f"the limit “{one.limit}” were not there" for one in found.limit_flips if _family(one) == family]
    if conditions:
        return f"Choose {name} if {'; or if '.join(conditions)}."
    if best is not None and winner is not None:
        behind = winner.points - best.points
        return (
            f"Choose {name} if other things than these speak for it: its best, {best.model.display_name}, is "
            f"{behind:.1f} points behind, and neither another weight nor one limit less brings it to the front."
        )
    return f"Choose {name} only with other limits: nothing of it is left after {_gone_with(found, family)}."


def family_label(found: Advice, family: str) -> str:
    """What a family comes to, in a few words for the end of its branch."""
    best, winner = found.best_of(family), found.winner
    if winner is not None and winner.model.family == family:
        return "first, as you said"
    if spans := found.family_spans.get(family):
        nearest = min(spans, key=lambda one: one.distance / (one.now or 1))
        return f"if {nearest.input} is {_weights_text(nearest)}"
    lifted = next((one.limit for one in found.limit_flips if _family(one) == family), None)
    if lifted is not None:
        return f"without a limit: {lifted}"
    return "nothing left" if best is None or winner is None else f"{winner.points - best.points:.1f} points behind"


def _family(one: LimitFlip) -> str:
    return one.line.model.family


def _gone_with(found: Advice, family: str) -> str:
    for limit, counts in found.left:
        if not counts.get(family):
            return LIMIT_WORDS.get(limit, limit)
    return "all limits together"


def _condition(span: Span) -> str:
    return f"the {span.input} is {_weights_text(span)}, now {span.now:g}"


def _weights_text(span: Span) -> str:
    """The weights at which a family leads, rounded to the inside."""
    low, high = ceil(100 * span.low) / 100, floor(100 * span.high) / 100
    if span.low <= 0:
        return f"{high:g} or less"
    return f"{low:g} or more" if span.high >= advice.GREATEST_WEIGHT else f"between {low:g} and {high:g}"


def _value(name: str, value: float) -> str:
    if "USD" in name:
        return usd_text(value)
    if name.startswith(("requests", "context")):
        return count_text(value)
    return f"{value:.3g}"


def _beyond(flip: Flip) -> str:
    """The figure at which the first place is surely another one's: three digits, rounded away from now."""
    assert flip.now is not None
    if not flip.then or "USD" in flip.input or flip.input.startswith("requests"):
        return _value(flip.input, flip.then)
    unit = 10.0 ** (floor(log10(flip.then)) - 2)
    return f"{(floor if flip.then < flip.now else ceil)(flip.then / unit) * unit:.3g}"


# --- what would change it ---------------------------------------------------------------------------------------------


def flip_sentence(flip: Flip, line: Line | None, names: Mapping[str, str]) -> str:
    """The smallest change of one input that gives the first place to another one."""
    then = "no deployment keeps every limit"
    if line is not None:
        then = f"{line.model.display_name} {deployment_text(line, names.get(line.gpu_id or ''))} is first"
    if flip.input in TIGHTENED:
        side, value = TIGHTENED[flip.input], _value(flip.input, flip.then)
        return f"{sentence_start(flip.input)}, {side} {value}: {then}."
    assert flip.now is not None
    word = "falls" if flip.then < flip.now else "rises"
    return f"{sentence_start(flip.input)} {word} from {_value(flip.input, flip.now)} to {_beyond(flip)}: {then}."


def limit_sentence(one: LimitFlip, names: Mapping[str, str]) -> str:
    """What would be first without one limit."""
    line = one.line
    name = f"{line.model.display_name} {deployment_text(line, names.get(line.gpu_id or ''))}"
    if one.limit == "weight format":
        if one.loss_points is None:
            return f"{name} would be first, whatever its format loses: ability counts nothing."
        return (
            f"{name} would be first if this format costs it less than {one.loss_points:.1f} points of ability; "
            "nobody measured that."
        )
    ahead = f", {one.gain_points:.1f} points ahead" if isfinite(one.gain_points) else ""
    return f"Without the limit “{one.limit}” {name} would be first{ahead}."


def left_text(limit: str, counts: Mapping[str, int]) -> str:
    """How many models of each family are left after a limit."""
    return ", ".join(f"{FAMILY_NAMES[name]} {count}" for name, count in counts.items())
