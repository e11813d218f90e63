"""Which models of the families are left for a need, grouped by generation and licence, and what each generation is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from llmcompare.core.licences import STATES, LicenceNeed, LicenceVerdict, State, verdict
from llmcompare.core.published import Licence, PublishedScore
from llmcompare.core.records import Model

FAMILY_NAMES = {"llama": "Llama", "mistral": "Mistral", "qwen": "Qwen", "other": "Other"}
FAMILIES = ("llama", "mistral", "qwen")
USEFUL_CONTEXT = "ruler-effective-length-k"
"""The benchmark whose score is the longest prompt, in thousand tokens, that a test of NVIDIA counts as good."""
UNDATED = "9999"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Models of one generation under one licence with the same verdict."""

    family: str
    generation: str
    licence: Licence | None
    """None where it is not known which one holds."""
    models: tuple[Model, ...]
    verdict: LicenceVerdict
    generation_count: int
    """Models of the whole generation."""

    @property
    def state(self) -> State:
        """The verdict in a word."""
        return self.verdict.state

    @property
    def reason(self) -> str:
        """The clauses that decide, said of all models of the group."""
        return self.verdict.reason if self.licence else "It was not read which licence holds."


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Every model of the families against a need."""

    need: LicenceNeed
    groups: tuple[Group, ...]
    """Family by family, the oldest generation first."""

    @cached_property
    def model_count(self) -> int:
        """All models that were looked at."""
        return sum(len(group.models) for group in self.groups)

    def in_state(self, *states: State) -> tuple[Group, ...]:
        """Groups with one of these verdicts."""
        return tuple(group for group in self.groups if group.state in states)

    def count(self, *states: State, family: str | None = None) -> int:
        """Models with one of these verdicts, of one family or of all."""
        return sum(len(group.models) for group in self.in_state(*states) if family in (None, group.family))

    def group_of(self, model_id: str) -> Group | None:
        """The group that holds a model; None where it belongs to no family that was looked at."""
        return next((group for group in self.groups if any(m.model_id == model_id for m in group.models)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One reason, and all groups it holds for."""

    state: State
    reason: str
    groups: tuple[Group, ...]

    @property
    def licences(self) -> tuple[Licence, ...]:
        """Each licence once."""
        return tuple(dict.fromkeys(group.licence for group in self.groups if group.licence))


@dataclass(frozen=True, slots=True, kw_only=True)
class UsefulContext:
    """How long a prompt a test found useful to one model."""

    model: Model
    row: PublishedScore

    @property
    def tokens(self) -> int:
        """The lengths of the test are powers of two: its 32K are 32,768."""
        return round(self.row.score * 1024)

    @property
    def is_lower_bound(self) -> bool:
        """Whether the model was still good at the longest prompt of the test."""
        return "at least" in self.row.metric

    @property
    def is_shorter(self) -> bool:
        """Whether the vendor states a longer context."""
        return not self.is_lower_bound and self.tokens < (self.model.context_tokens or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Models of one generation, and how much of their contexts a test found useful."""

    family: str
    name: str
    models: tuple[Model, ...]
    useful: tuple[UsefulContext, ...]

    @property
    def released_on(self) -> str | None:
        """The day of its first model."""
        return min((model.released_on for model in self.models if model.released_on), default=None)

    @property
    def gguf_count(self) -> int:
        """Models with a known repository of files for llama.cpp."""
        return sum(model.gguf_repo is not None for model in self.models)


def generations(models: Iterable[Model], scores: Iterable[PublishedScore] = ()) -> list[Generation]:
    """The generations of the families, the oldest first within each."""
    useful: dict[str, list[PublishedScore]] = {}
    for score in scores:
        if score.benchmark == USEFUL_CONTEXT:
            useful.setdefault(score.model_id, []).append(score)
    found = []
    ordered = sorted(models, key=lambda model: (model.family, model.generation, model.released_on or UNDATED))
    for (family, name), members in groupby(ordered, key=lambda model: (model.family, model.generation)):
        if family in FAMILIES:
            of = tuple(members)
            rows = tuple(
                UsefulContext(model=model, row=score) for model in of for score in useful.get(model.model_id, ())
            )
            found.append(Generation(family=family, name=name, models=of, useful=rows))
    return sorted(found, key=lambda one: (one.family, one.released_on or UNDATED, one.name))


def assess(models: Iterable[Model], licences: Mapping[str, Licence], need: LicenceNeed) -> Assessment:
    """Every model of the families against a need. One whose licence is not known is never left."""
    groups = []
    for generation in generations(models):
        alike: dict[tuple[str, State], list[tuple[Model, LicenceVerdict]]] = {}
        for model in generation.models:
            found = verdict(licences.get(model.license_id or ""), need, model)
            alike.setdefault((model.license_id or "", found.state), []).append((model, found))
        for (license_id, _), members in alike.items():
            groups.append(
                Group(
                    family=generation.family,
                    generation=generation.name,
                    licence=licences.get(license_id),
                    models=tuple(model for model, _ in members),
                    verdict=members[0][1],
                    generation_count=len(generation.models),
                )
            )
    return Assessment(need=need, groups=tuple(groups))


def grounds(groups: Iterable[Group]) -> list[Ground]:
    """Reasons with the groups that share each, from the best verdict to the worst."""
    alike: dict[tuple[State, str], list[Group]] = {}
    for group in groups:
        alike.setdefault((group.state, group.reason), []).append(group)
    return sorted(
        (Ground(state=state, reason=reason, groups=tuple(of)) for (state, reason), of in alike.items()),
        key=lambda ground: STATES.index(ground.state),
    )


def span_text(values: Sequence[float | None]) -> str | None:
    """Smallest and largest of what is known, with how many are not; None where nothing is.

    >>> span_text([8.03, 70.55, None]), span_text([131072, 131072]), span_text([None])
    ('8.03 to 70.55, 1 unknown', '131,072', None)
    """
    known = sorted({value for value in values if value is not None})
    if not known:
        return None
    missing = sum(value is None for value in values)
    span = " to ".join(f"{value:,.10g}" for value in dict.fromkeys((known[0], known[-1])))
    return span + (f", {missing} unknown" if missing else "")
