"""Who is left for a need, which frameworks know a generation, and how long its context is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import families_words as words
from llmcompare.core.families import USEFUL_CONTEXT, assess, generations, grounds
from llmcompare.core.frameworks import FEATURES, frameworks_with, support_cells
from llmcompare.core.licence_matrix import POINTS, points
from llmcompare.core.licences import STATES, USABLE, LicenceNeed
from llmcompare.core.published import EcosystemFact, FrameworkSupport, Licence, MeasuredEngine, PublishedScore
from llmcompare.core.records import Model
from llmcompare.errors import InputError

OPEN = Licence(
    license_id="open", name="Open", text_read="yes", weights_published="yes", commercial_use="yes",
    redistribution="yes", giving_away="yes", modification="yes", changing="yes", may_train_other_models="yes",
    training_others="yes", training_condition_binds=None, monthly_active_user_cap="none", user_cap_count=None,
    user_cap_counted=None, revenue_cap_usd_per_month=None, separate_licence_for="none", attribution_required="a file",
    visible_notice="none", notice_above_users_count=None, notice_above_usd_per_month=None, field_of_use_limits="none",
    excluded_fields="none", eu_excluded="none", url="https://open.example", row_id="licenses:1", as_of=None,
    source="the text",
)  # fmt: skip
CLOSED = replace(
    OPEN, license_id="closed", name="Closed", training_others="no", user_cap_count=100, eu_excluded="multimodal",
    may_train_other_models="no: no other model may be improved (section 9)", monthly_active_user_cap="100 users",
)  # fmt: skip
LICENCES = {"open": OPEN, "closed": CLOSED}
TRAINS = LicenceNeed(commercial_use=True, monthly_active_users=10, trains_other_models=True)


def model(model_id: str, generation: str, license_id: str | None, **cells) -> Model:
    usual = {"family": "llama", "display_name": model_id.upper(), "params_total_billion": 8.0, "modalities": "text",
             "released_on": "2024-01-01", "context_native_tokens": 8192, "context_extended_tokens": None}  # fmt: skip
    return Model(
        model_id=model_id, generation=generation, license_id=license_id, row_id=f"models:{model_id}", as_of=None,
        source="card", **(usual | cells),
    )  # fmt: skip


MODELS = [
    model("new", "B", "closed", released_on="2025-01-01"),
    model("old", "A", "open", released_on="2023-05-01"),
    model("old-base", "A", "open", released_on="2023-05-01"),
    model("odd", "A", None, released_on="2023-06-01"),
    model("else", "Z", "open", family="other"),
    model("third", "C", "closed", family="qwen"),
]


# --- who is left ------------------------------------------------------------------------------------------------------


def test_models_stand_together_by_generation_licence_and_verdict_the_oldest_first():
    found = assess(MODELS, LICENCES, TRAINS)
    assert [(group.generation, group.state, len(group.models)) for group in found.groups] == [
        ("A", "allowed", 2), ("A", "unknown", 1), ("B", "forbidden", 1), ("C", "forbidden", 1),
    ]  # fmt: skip
    assert found.model_count == 5
    assert found.group_of("else") is None
    assert found.group_of("odd").reason == "It was not read which licence holds."


def test_models_that_take_pictures_part_from_those_that_do_not():
    two = [model("text", "B", "closed"), model("eye", "B", "closed", modalities="text+image")]
    found = assess(two, LICENCES, LicenceNeed(based_in_eu=True, monthly_active_users=1))
    assert {group.models[0].model_id: group.state for group in found.groups} == {"text": "allowed", "eye": "forbidden"}


def test_one_reason_is_said_once_for_all_generations_that_share_it():
    found = grounds(assess(MODELS, LICENCES, TRAINS).groups)
    assert [ground.state for ground in found] == ["allowed", "unknown", "forbidden"]
    assert [licence.name for licence in found[-1].licences] == ["Closed"]
    assert words.ground_sentence(found[-1]) == (
        "B and C are out. No training of other models: no other model may be improved (section 9)."
    )


def test_a_generation_that_is_parted_is_told_by_its_models_or_by_their_number():
    found = grounds(assess(MODELS, LICENCES, TRAINS).groups)
    assert words.ground_sentence(found[0]) == "OLD and OLD-BASE: no clause of the licence stands against it."
    assert words.ground_sentence(found[1]) == "ODD does not count as left. It was not read which licence holds."
    many = [model(f"m{number}", "A", "open") for number in range(6)] + [model("odd", "A", None)]
    assert words.names(assess(many, LICENCES, TRAINS).in_state("allowed")) == ["A (6 of 7 models)"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["old"], "1 of 1 model of the three families is left: none of them on a condition."),
        (["new"], "None of 1 model of the three families is left."),
        (["old", "new"], "1 of 2 models of the three families is left: none of them on a condition."),
    ],
)
def test_the_headline_counts_who_is_left(chosen, expected):
    found = assess([one for one in MODELS if one.model_id in chosen], LICENCES, TRAINS)
    assert words.headline(found) == expected


def test_unknown_is_said_and_never_counted_as_left():
    found = assess(MODELS, LICENCES, TRAINS)
    assert found.count(*USABLE) == 2
    assert "Of 1 model it is not known: they do not count as left." in words.answer(found)
    assert "2 of 4 Llama, 0 of 0 Mistral, 0 of 1 Qwen" in words.answer(found)


def test_a_number_of_users_that_is_none_is_refused():
    for users in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="users a month"):
            LicenceNeed(monthly_active_users=users)


needs = st.builds(
    LicenceNeed,
    commercial_use=st.booleans(), trains_other_models=st.booleans(), based_in_eu=st.booleans(),
    monthly_active_users=st.none() | st.floats(0, 1e10), accepts_attribution=st.booleans(),
)  # fmt: skip
texts = st.builds(
    lambda **cells: replace(OPEN, **cells),
    training_others=st.sampled_from(["yes", "no", "conditional", None]),
    commercial_use=st.sampled_from(["yes", "no", "conditional", None]),
    user_cap_count=st.none() | st.integers(1, 10**9),
    text_read=st.sampled_from(["yes", "partly", "no", None]),
    eu_excluded=st.sampled_from(["none", "multimodal", "all", None]),
)


@given(text=texts, need=needs, license_ids=st.lists(st.sampled_from(["text", "open", None]), min_size=1, max_size=6))
def test_every_model_stands_in_one_group_and_the_counts_add_up(text, need, license_ids):
    asked = [model(f"m{number}", "A", license_id) for number, license_id in enumerate(license_ids)]
    found = assess(asked, {"text": text, "open": OPEN}, need)
    assert sum(found.count(state) for state in STATES) == found.model_count == len(asked)
    assert [found.group_of(one.model_id) is not None for one in asked] == [True] * len(asked)
    left = {m.model_id for group in found.in_state(*USABLE) for m in group.models}
    assert left.isdisjoint(one.model_id for one in asked if one.license_id is None)
    assert sum(len(ground.groups) for ground in grounds(found.groups)) == len(found.groups)


# --- what texts say ---------------------------------------------------------------------------------------------------


def test_the_matrix_says_each_point_in_words_and_what_was_not_read_is_unknown():
    said = points(CLOSED)
    assert tuple(said) == POINTS
    assert (said["training other models"].word, said["training other models"].state) == ("no", "forbidden")
    assert (said["monthly users"].word, said["monthly users"].state) == ("up to 100", "conditional")
    unread = replace(OPEN, **dict.fromkeys(
        ("text_read", "commercial_use", "training_others", "changing", "giving_away", "monthly_active_user_cap",
         "visible_notice", "eu_excluded", "excluded_fields")
    ))  # fmt: skip
    assert {(one.word, one.state) for one in points(unread).values()} == {("unknown", "unknown")}


def test_a_limit_is_absent_only_from_a_text_that_was_read_as_a_whole():
    assert points(OPEN)["monthly revenue"].word == "no limit"
    assert points(replace(OPEN, text_read="partly"))["monthly revenue"].word == "unknown"
    assert points(replace(OPEN, text_read="partly", revenue_cap_usd_per_month=20e6))["monthly revenue"].word == (
        "up to 20M USD"
    )


# --- frameworks -------------------------------------------------------------------------------------------------------


def support(generation: str | None, answer: str, family: str = "llama", feature: str = "runs") -> FrameworkSupport:
    return FrameworkSupport(
        framework="vLLM", purpose="serving", feature=feature, family=family, generation=generation, support=answer,
        note=None, row_id="framework_support:1", as_of="2026-11-25", source="docs",
    )  # fmt: skip


MEASURED = MeasuredEngine(
    engine="vllm", family="llama", generation="A", measurement_count=1200, row_id="throughput:1", as_of=None,
    source="log",
)  # fmt: skip


def first_cell(rows, measured=(), feature="runs"):
    cells = support_cells(generations(MODELS[1:2]), rows, measured, feature)
    (cell,) = [cell for cell in cells if cell.framework == "vLLM"]
    return cell


def test_the_closest_row_answers_and_none_is_made_up():
    everywhere, family, generation = support(None, "partly", "all"), support(None, "no"), support("A", "yes")
    assert (first_cell([]).support, first_cell([]).row) == ("unknown", None)
    assert first_cell([everywhere]).said_of == "all models"
    assert first_cell([everywhere, family]).support == "no"
    assert first_cell([everywhere, family, generation]).support == "yes"
    assert first_cell([support("B", "yes"), support("A", "yes", "qwen")]).support == "unknown"


def test_published_speeds_answer_where_no_document_of_the_family_does():
    found = first_cell([support(None, "partly", "all")], [MEASURED])
    assert (found.support, found.note) == ("measured", "1,200 published speeds")
    assert first_cell([support("A", "no")], [MEASURED]).support == "no"
    assert first_cell([], [MEASURED], "tool calling").support == "unknown"
    assert first_cell([], [replace(MEASURED, engine="vllm-fork")]).support == "unknown"


def test_every_generation_meets_every_framework_of_the_feature_once():
    known = generations(MODELS)
    for feature in FEATURES:
        cells = support_cells(known, [], [], feature)
        assert len({(c.generation, c.framework) for c in cells}) == len(known) * len(frameworks_with(feature))


# --- contexts and communities -----------------------------------------------------------------------------------------


def useful(model_id: str, thousand: float, metric: str = "thousand tokens") -> PublishedScore:
    return PublishedScore(
        model_id=model_id, benchmark=USEFUL_CONTEXT, score=thousand, metric=metric, shots=None, setting="chat", run=1,
        published_by="NVIDIA", row_id="scores:1", as_of=None, source="table",
    )  # fmt: skip


def test_a_useful_context_is_shorter_than_stated_unless_it_is_a_lower_bound():
    (one,) = generations(MODELS[1:2], [useful("old", 4), useful("other", 4)])
    assert [(found.tokens, found.is_shorter) for found in one.useful] == [(4096, True)]
    assert words.useful_sentence([one]) == (
        "A useful context was measured for 1 model: in 1 it is shorter than what the vendor states, most of all in "
        "OLD, 4,096 of 8,192 tokens."
    )
    (bound,) = generations(MODELS[1:2], [useful("old", 4, "thousand tokens (at least)")])
    assert not bound.useful[0].is_shorter
    assert words.useful_sentence([bound]) == "A useful context was measured for 1 model."


def test_a_family_without_a_figure_is_unknown_and_not_zero():
    row = EcosystemFact(
        family="qwen", kind="size", metric="stars", figure=1500.0, unit="stars", statement="of its code",
        row_id="ecosystem:1", as_of="2026-08", source="page",
    )  # fmt: skip
    assert list(words.community_sentences([row])) == [
        "Stars. Qwen: 1.5K stars, of its code (2026-08). Llama and Mistral: unknown."
    ]
