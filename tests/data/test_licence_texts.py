"""What the real licence texts say, read again in the texts, and what follows for the models under them."""

import pytest

from llmcompare.core.licences import LicenceNeed, LicenceVerdict, verdict

PRODUCT = LicenceNeed(commercial_use=True, monthly_active_users=10e6)
TRAINS = LicenceNeed(commercial_use=True, monthly_active_users=10e6, trains_other_models=True)


def barred_by(found: LicenceVerdict, subject: str) -> bool:
    return any((clause.subject, clause.state) == (subject, "forbidden") for clause in found.clauses)


@pytest.fixture
def verdicts(real_facts):
    """The verdict on a model of the catalogue."""

    def of(model_id: str, need: LicenceNeed) -> LicenceVerdict:
        model = real_facts.models[model_id]
        return verdict(real_facts.licences.get(model.license_id or ""), need, model)

    return of


@pytest.mark.parametrize(
    ("model_id", "state"),
    [
        ("llama-2-70b-chat", "forbidden"), ("llama-3-70b-instruct", "forbidden"),
        ("llama-3.1-8b-instruct", "conditional"), ("llama-3.3-70b-instruct", "conditional"),
        ("llama-4-scout-instruct", "conditional"), ("mistral-large-2-2407", "forbidden"),
        ("codestral-22b-v0.1", "forbidden"), ("mistral-small-3.2-24b-instruct-2506", "allowed"),
        ("mistral-medium-3.5", "conditional"), ("mistral-medium-3-2505", "forbidden"), ("qwen-72b", "forbidden"),
        ("qwen2-72b-instruct", "forbidden"), ("qwen2.5-72b-instruct", "conditional"),
        ("qwen2.5-3b-instruct", "forbidden"), ("qwen3-32b", "allowed"), ("qwen3.8-flash-next", "conditional"),
    ],
)  # fmt: skip
def test_a_product_with_10_million_users_that_trains_other_models(verdicts, model_id, state):
    assert verdicts(model_id, TRAINS).state == state


def test_llama_3_forbids_training_others_and_allows_the_product_with_its_notice(verdicts):
    found = verdicts("llama-3-70b-instruct", TRAINS)
    assert [clause.subject for clause in found.deciding] == ["training other models"]
    assert "1.b.v" in found.reason
    assert found.url == "https://llama.meta.com/llama3/license/"
    without = verdicts("llama-3-70b-instruct", PRODUCT)
    assert without.state == "conditional"
    assert "Built with Meta Llama 3" in without.reason


def test_llama_3_1_asks_for_a_name_that_starts_with_llama(verdicts):
    assert 'name starting with "Llama"' in verdicts("llama-3.1-8b-instruct", TRAINS).reason


def test_the_research_licence_of_mistral_forbids_commercial_use_and_qwen_2_5_3b_too(verdicts):
    for model_id in ("mistral-large-2-2407", "qwen2.5-3b"):
        found = verdicts(model_id, PRODUCT)
        assert [clause.subject for clause in found.deciding] == ["commercial use"]
    assert verdicts("mistral-large-2-2407", LicenceNeed()).state == "conditional"


@pytest.mark.parametrize(
    ("model_id", "most_users"), [("llama-3.3-70b-instruct", 700e6), ("qwen-72b", 100e6), ("qwen2.5-72b", 100e6)]
)
def test_caps_of_users_are_those_of_the_texts(verdicts, model_id, most_users):
    states = [
        verdicts(model_id, LicenceNeed(monthly_active_users=users)).state for users in (most_users, most_users + 1)
    ]
    assert states[0] in ("allowed", "conditional")
    assert states[1] == "forbidden"


def test_only_models_that_take_pictures_are_closed_to_the_european_union(verdicts, real_facts):
    there = LicenceNeed(commercial_use=True, based_in_eu=True)
    closed = {model_id for model_id in real_facts.models if barred_by(verdicts(model_id, there), "European Union")}
    vision = {f"llama-3.2-{size}-vision{tuned}" for size in ("11b", "90b") for tuned in ("", "-instruct")}
    assert closed == vision | {name for name in real_facts.models if name.startswith("llama-4-")}


def test_mistrals_modified_mit_binds_a_revenue_of_20_million_usd_a_month(verdicts):
    states = {
        usd: verdicts("devstral-2-123b", LicenceNeed(commercial_use=True, revenue_usd_per_month=usd)).state
        for usd in (None, 20e6, 20.1e6)
    }
    assert states == {None: "conditional", 20e6: "allowed", 20.1e6: "forbidden"}


def test_military_use_is_excluded_by_every_llama_text_and_by_no_other(real_facts, verdicts):
    need = LicenceNeed(fields=frozenset({"military"}))
    closed = {m.family for name, m in real_facts.models.items() if barred_by(verdicts(name, need), "field of use")}
    assert closed == {"llama"}
    assert all(not verdicts(name, need).is_usable for name, m in real_facts.models.items() if m.family == "llama")


def test_a_model_whose_licence_nobody_read_is_never_usable(real_facts, verdicts):
    unread = [name for name, model in real_facts.models.items() if model.license_id is None]
    assert unread
    assert {verdicts(name, LicenceNeed()).state for name in unread} == {"unknown"}
