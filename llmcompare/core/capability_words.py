"""What a ranking says, in sentences."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from llmcompare.core.capability import CONFIDENCE
from llmcompare.core.capability_check import Check
from llmcompare.core.capability_ranking import OVERALL, Place, Ranking, equals
from llmcompare.core.capability_scores import Subject
from llmcompare.core.cost import Band
from llmcompare.core.phrases import listed, sentence_start
from llmcompare.core.units import counted

FEW_PUBLISHERS = 10
BOTH_MODES = " (hybrid thinking)"
"""Ending of names in the catalogue, said again by the mode."""
Names = Callable[[Subject], str]


def percent_text(band: Band) -> str:
    """An expected score with its interval."""
    return f"{band.mid:.0f}% ({band.low:.0f} to {band.high:.0f})"


def subject_name(display_name: str, subject: Subject, *, has_both: bool) -> str:
    """The model's name; of one with both modes, which.

    >>> subject_name("Qwen3 32B", Subject(model_id="qwen3-32b", thinks=True), has_both=True)
    'Qwen3 32B (thinking)'
    """
    if not has_both:
        return display_name
    return f"{display_name.removesuffix(BOTH_MODES)} ({'thinking' if subject.thinks else 'not thinking'})"


def about(category: str) -> str:
    """Start of a sentence on one category, or on all."""
    return "Over all categories" if category == OVERALL else f"On {category}"


def answer(category: str, ranking: Ranking | None, chosen: Sequence[Subject], names: Names) -> str:
    """Who of the chosen is ahead, and who cannot be told apart."""
    found = [] if ranking is None else [place for place in ranking.places if place.subject in chosen]
    start = about(category)
    if ranking is None or not found:
        return f"{start}, none of the chosen models has a score that can be compared with another model's."
    if len(found) == 1:
        one = found[0]
        return f"{start}, {names(one.subject)} alone of the chosen can be placed: {_standing(one, ranking)}."
    parts = equals(ranking, [place.subject for place in found])
    if len(parts) == 1:
        return f"{start}, {listed([names(place.subject) for place in found])} cannot be told apart."
    level = [listed([names(subject) for subject in part]) for part in parts if len(part) > 1]
    order = listed([names(place.subject) for place in found], last="then")
    if not level:
        return f"{start}, in this order, each ahead of the next: {order}."
    return f"{start}, the order is {order}, but these cannot be told apart: {'; '.join(level)}."


def _standing(place: Place, ranking: Ranking) -> str:
    return f"{rank_text(place)} of {len(ranking.places)}"


def rank_text(place: Place) -> str:
    """A place, or the range in which it lies."""
    if place.best_rank == place.worst_rank:
        return f"place {place.best_rank}"
    return f"place {place.best_rank} to {place.worst_rank}"


def standings(ranking: Ranking, chosen: Sequence[Subject], names: Names) -> Iterator[str]:
    """One sentence for each of the chosen in the group."""
    for place in ranking.places:
        if place.subject in chosen:
            yield (
                f"{names(place.subject)}: {percent_text(place.band)} expected in the middle test, "
                f"{_standing(place, ranking)}; {counted(place.score_count, 'score')} in {ranking.cell_count} cells "
                f"({ranking.coverage_fraction(place.subject):.0%}), {place.largest_publisher_fraction:.0%} of them by "
                f"{place.largest_publisher}."
            )


def evidence(ranking: Ranking) -> str:
    """Whose scores the ranking rests on, and how sure that makes it."""
    publisher, fraction = ranking.publisher_fractions[0]
    count = len(ranking.publisher_fractions)
    weak = (
        " So few publishers say little about the errors they make: the intervals are wider for it, and still weak."
        if count < FEW_PUBLISHERS
        else ""
    )
    return (
        f"{counted(len(ranking.places), 'model')} that chains of shared tests connect, "
        f"{counted(len(ranking.index.scores), 'score')} in {ranking.cell_count} cells by "
        f"{counted(count, 'publisher')}; {publisher} gave {fraction:.0%} of them.{weak}"
    )


def check_sentence(found: Check) -> str:
    """What hiding real scores showed."""
    if not found.hidden:
        return "Too few scores connect to hide some of them and predict them from the rest."
    return (
        f"Check: {counted(len(found.hidden), 'real score')} hidden, a tenth at a time, and predicted from the rest: "
        f"{found.mean_miss_points:.1f} points off on average, half within {found.median_miss_points:.1f}; the mean of "
        f"the cell would be {found.guess_miss_points:.1f} off. The 80% intervals held {found.held_80_fraction:.0%} of "
        f"the scores, the 95% intervals {found.held_95_fraction:.0%}."
    )


def other_modes(rankings: Iterable[Ranking], shown: Ranking, chosen: Sequence[Subject], names: Names) -> Iterator[str]:
    """Where the other mode of a model stands that is shown in one of its modes."""
    placed = {place.subject.model_id for place in shown.places}
    for ranking in rankings:
        if ranking is shown:
            continue
        here = [
            names(place.subject)
            for place in ranking.places
            if place.subject in chosen and place.subject.model_id in placed
        ]
        if here:
            yield sentence_start(
                f"{listed(here)} stand{'s' if len(here) == 1 else ''} in another group of "
                f"{counted(len(ranking.places), 'model')}: no shared test connects the two."
            )


HOW_SURE = f"Each pair is tested by itself at {CONFIDENCE:.0%}."
