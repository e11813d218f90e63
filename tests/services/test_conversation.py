"""Turns on real models: what a slot remembers, what takes the place of what, and what is continued."""

import json
import time
from dataclasses import replace

import pytest

from llmcompare.core.differences import differences
from llmcompare.engines.base import Message, Sampling
from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.services import conversation, playground, runs
from llmcompare.services.plans import Plan, Settings, plan_again, settings_of
from tests.engines.endpoint_server import DONE, chunk, serving, usage


@pytest.fixture(autouse=True)
def own_var(monkeypatch, var):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))


@pytest.fixture
def server():
    with serving() as script:
        script.say(chunk("Because."), chunk(finish="stop"), usage(9, 2), DONE)
        yield script


def endpoint(server):
    return Endpoint(preset_id="vllm", base_url=server.base_url, model="some-model")


def finished(plan):
    run_id = playground.start(plan, person="me")
    end = time.monotonic() + 60
    while playground.view(run_id).job is not None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return playground.view(run_id)


def ask(*models, prompt="Why is the sky blue?", **options):
    options = {"sampling": Sampling(max_tokens=6)} | options
    return finished(Plan(prompt=prompt, models=models, **options))


def test_local_and_remote_models_answer_in_one_run_and_the_log_says_where(server):
    (demo,) = runs.local_models()
    first, second = (slot.reply for slot in ask(demo, endpoint(server)).slots)
    assert first.error is second.error is None
    assert second.text == "Because."
    assert second.model == f"some-model @ {server.address}"
    assert (second.prompt_tokens, second.generated_tokens, second.peak_memory_bytes) == (9, 2, None)
    assert first.characters_per_s > 0
    assert first.wait_ms > 0 or not first.cold
    assert second.answer_ms == pytest.approx(second.ttft_ms)


def test_each_slot_remembers_its_own_replies_and_no_thinking(server):
    first = ask(endpoint(server), endpoint(server))
    server.say(chunk("<think>Hm.</think>It scatters."), chunk(finish="stop"), DONE)
    second = finished(conversation.follow_up(first.fact.run_id, "Why?", []))
    finished(conversation.follow_up(second.fact.run_id, "Really?", []))
    assert [message["content"] for message in server.asked[-1]["messages"]] == [
        "Why is the sky blue?", "Because.", "Why?", "It scatters.", "Really?",
    ]  # fmt: skip
    assert second.slots[0].reply.thinking_tokens is None
    name = f"some-model @ {server.address}"
    assert conversation.said_before(conversation.turns(second.fact.run_id)) == [
        ("Why is the sky blue?", [(name, "Because."), (name, "Because.")])
    ]
    assert [view.fact.prompt for view in conversation.turns(second.fact.run_id)] == ["Why is the sky blue?", "Why?"]


@pytest.mark.parametrize(
    ("pieces", "generated", "thinking"),
    [
        (("<think>", "It ", "scatters.", "</think>", "Blue."), 6, 4),
        (("<think>It ", "scatters.</think>", "Blue."), 30, None),
        (("Blue", "."), 3, 0),
    ],
    ids=["token by token", "in pieces of several tokens", "no thinking"],
)
def test_thinking_is_counted_where_a_server_sends_its_tokens_one_by_one(server, pieces, generated, thinking):
    server.say(*map(chunk, pieces), chunk(finish="stop"), usage(9, generated), DONE)
    reply = ask(endpoint(server)).slots[0].reply
    assert reply.thinking_tokens == thinking
    assert reply.answer_ms >= reply.ttft_ms


def test_thinking_that_comes_as_a_field_of_its_own_is_counted_alike(server):
    thoughts = [chunk(delta={"reasoning_content": word}) for word in ("It ", "scatters.")]
    server.say(*thoughts, chunk("Blue."), chunk(finish="stop"), usage(9, 5), DONE)
    reply = ask(endpoint(server)).slots[0].reply
    assert (reply.text, reply.thinking_tokens) == ("<think>It scatters.</think>Blue.", 2)


def test_a_turn_that_a_slot_failed_to_answer_is_not_remembered(server):
    server.status, server.kind = 503, "application/json"
    failed = ask(endpoint(server))
    assert "503" in failed.slots[0].reply.error
    server.status, server.kind = 200, "text/event-stream"
    finished(conversation.follow_up(failed.fact.run_id, "And now?", []))
    assert [message["content"] for message in server.asked[-1]["messages"]] == ["And now?"]


def test_an_edited_turn_takes_the_place_of_the_last_one(server):
    first = ask(endpoint(server))
    second = finished(conversation.follow_up(first.fact.run_id, "Why?", []))
    third = finished(conversation.edited(second.fact.run_id, "How?", []))
    assert [message["content"] for message in server.asked[-1]["messages"]][-1] == "How?"
    assert len(server.asked[-1]["messages"]) == 3
    assert third.fact.parent_run_id == first.fact.run_id


def test_regenerating_takes_the_next_seed_and_is_refused_where_it_would_change_nothing(server):
    first = ask(endpoint(server), sampling=Sampling(temperature=0.8, seed=7))
    finished(conversation.again(first.fact.run_id, []))
    assert [asked["seed"] for asked in server.asked] == [7, 8]
    greedy = ask(endpoint(server))
    with pytest.raises(InputError, match="at temperature 0"):
        conversation.again(greedy.fact.run_id, [])


def test_continuing_goes_on_where_the_reply_stopped():
    (demo,) = models = runs.local_models()
    whole = ask(demo, sampling=Sampling(max_tokens=24)).slots[0].reply.text
    first = ask(demo, sampling=Sampling(max_tokens=12))
    second = finished(conversation.go_on(first.fact.run_id, models))
    found = conversation.turns(second.fact.run_id)
    assert conversation.text_before(found, 0) + second.slots[0].reply.text == whole
    assert second.fact.goes_on
    assert conversation.said_before(found) == []
    third = conversation.follow_up(second.fact.run_id, "Why?", models)
    assert [message.content for message in third.before[0]] == ["Why is the sky blue?", whole]


def cut_off(server):
    """Its replies end at the token limit from now on."""
    server.say(chunk("Because."), chunk(finish="length"), usage(9, 2), DONE)


def test_a_complete_reply_stays_as_it_is_when_another_one_goes_on(server):
    models = runs.local_models()
    first = ask(models[0], endpoint(server), sampling=Sampling(max_tokens=4))
    count = len(server.asked)
    assert conversation.begin_anew(first) == []
    second = finished(conversation.go_on(first.fact.run_id, models))
    found = conversation.turns(second.fact.run_id)
    assert len(server.asked) == count
    assert conversation.text_before(found, 1) + second.slots[1].reply.text == "Because."
    assert [slot.reply.end for slot in second.slots] == ["length", "end"]
    assert second.slots[0].reply.text
    whole = ask(endpoint(server))
    with pytest.raises(InputError, match="every reply is complete"):
        conversation.go_on(whole.fact.run_id, models)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("vllm", {"continue_final_message": True, "add_generation_prompt": False}),
        ("sglang", {"continue_final_message": True}),
        ("llama-server", {}),
    ],
)
def test_continuing_behind_an_endpoint_is_asked_for_as_its_server_documents_it(server, kind, fields):
    cut_off(server)
    first = ask(Endpoint(preset_id=kind, base_url=server.base_url, model="m"))
    assert conversation.begin_anew(first) == []
    assert finished(conversation.go_on(first.fact.run_id, [])).slots[0].reply.error is None
    before, asked = server.asked[-2:]
    assert asked["messages"][-1] == {"role": "assistant", "content": "Because."}
    assert {name: value for name, value in asked.items() if name not in before} == fields


@pytest.mark.parametrize("kind", ["other", "llama-cpp-python", "ollama", "mistral"])
def test_a_server_that_is_not_known_to_go_on_is_not_asked_to_and_that_is_said(server, kind):
    cut_off(server)
    plain = ask(Endpoint(preset_id=kind, base_url=server.base_url, model="m"))
    count = len(server.asked)
    assert conversation.begin_anew(plain) == [f"m @ {server.address}"]
    assert "go on with a reply" in finished(conversation.go_on(plain.fact.run_id, [])).slots[0].reply.error
    assert len(server.asked) == count


def test_settings_of_each_slot_are_sent_kept_and_asked_again(server):
    own = Settings(system="Be brief.", sampling=Sampling(temperature=0.5, top_k=3, stop=("END",)), context_tokens=512)
    view = ask(endpoint(server), endpoint(server), own=(None, own))
    by_temperature = sorted(server.asked, key=lambda asked: asked["temperature"])
    assert [asked["temperature"] for asked in by_temperature] == [0, 0.5]
    assert by_temperature[1]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert by_temperature[1]["stop"] == ["END"]
    again = plan_again(runs.log().run(view.fact.run_id).run, [])
    assert again.settings(1) == own
    assert again.models == (endpoint(server), endpoint(server))


def test_a_run_whose_model_has_gone_cannot_be_followed_up_and_says_so(server, var):
    (demo,) = runs.local_models()
    view = ask(demo)
    with pytest.raises(InputError, match="no model file is called"):
        conversation.follow_up(view.fact.run_id, "Why?", [])
    with pytest.raises(InputError, match="there is no run 'nobody'"):
        conversation.follow_up("nobody", "Why?", [])


def test_a_json_schema_binds_the_reply_of_a_local_model():
    (demo,) = runs.local_models()
    schema = json.dumps({"type": "object", "properties": {"sky": {"enum": ["blue", "red"]}}, "required": ["sky"]})
    reply = ask(demo, sampling=Sampling(max_tokens=40, json_schema=schema)).slots[0].reply
    assert json.loads(reply.text)["sky"] in ("blue", "red")


def test_a_history_begins_after_the_system_prompt():
    (demo,) = runs.local_models()
    said = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    plan = Plan(prompt="c", models=(demo,), system="s", before=(said,))
    assert [message.content for message in plan.request(0).messages] == ["s", "a", "b", "c"]


def test_differences_of_texts_give_the_second_text_back():
    first, second = "The sky is blue.", "The evening sky is red, not blue!"
    pieces = differences(first, second)
    assert "".join(piece.text for piece in pieces) == second
    assert {piece.text.strip() for piece in pieces if piece.is_new} >= {"evening", "red, not", "!"}


def test_a_run_that_lost_its_model_can_still_be_asked_of_others_with_its_settings(server):
    own = Settings(system="Be brief.", sampling=Sampling(top_k=3, stop=("END",), json_schema='{"type": "object"}'))
    (demo,) = runs.local_models()
    gone = ask(replace(demo, path=demo.path.with_name("gone.gguf"), problem="it has gone"), own=(own,))
    assert settings_of(gone.fact) == own
    assert settings_of(replace(gone.fact, slots=None)).sampling == Sampling(max_tokens=6)
    with pytest.raises(InputError, match="cannot be read"):
        settings_of(replace(gone.fact, slots=("[]",)))


def test_the_newest_star_of_a_person_counts(server):
    run_id = ask(endpoint(server)).fact.run_id
    for person, is_starred in (("me", True), ("you", True), ("me", False)):
        playground.star(run_id, person, is_starred=is_starred)
    assert (playground.starred("me"), playground.starred("you")) == (set(), {run_id})
