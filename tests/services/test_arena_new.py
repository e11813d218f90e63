"""A new prompt of the Arena: who can be drawn, one question at a time, and what a reload or a restart leaves of it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.services import arena, arena_new, playground, runs
from llmcompare.services.jobs import registry
from llmcompare.store.results import ResultsLog
from tests.engines.endpoint_server import DONE, chunk, serving, usage
from tests.waiting import until

PAUSE_S = 0.2


@pytest.fixture(autouse=True)
def own_var(monkeypatch, var):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))


@pytest.fixture
def server():
    with serving() as script:
        script.say(chunk("Blue."), chunk(finish="stop"), usage(3, 2), DONE)
        yield script


@pytest.fixture
def endpoints(server):
    return [Endpoint(preset_id="other", base_url=server.base_url, model=name) for name in ("one", "other")]


def ask(endpoints, person="me", prompt="Which colour?"):
    return arena_new.ask(prompt, endpoints, max_tokens=8, person=person)


def ended(run_id):
    return playground.view(run_id).job is None


def asked_and_ended(endpoints, **changed):
    run_id = ask(endpoints, **changed)
    until(lambda: ended(run_id))
    return run_id


def test_endpoints_are_drawn_beside_local_models(endpoints):
    demo = runs.local_models()
    drawn = [arena_new.draw_models([*demo, *endpoints]) for _ in range(60)]
    names = {frozenset(map(library_name, pair)) for pair in drawn}
    assert len(names) == 3
    assert {endpoint.name for endpoint in endpoints} < frozenset.union(*names)
    with pytest.raises(InputError, match="let an endpoint take part"):
        arena_new.draw_models(endpoints[:1])


def library_name(model):
    return model.name if isinstance(model, Endpoint) else library.readable(model.path.name)


def test_replies_of_two_endpoints_are_a_blind_pair(endpoints, server):
    run_id = asked_and_ended(endpoints)
    assert {asked["model"] for asked in server.asked} == {"one", "other"}
    (pair,) = arena.waiting("me", run_id=run_id).pairs
    assert set(pair.models) == {endpoint.name for endpoint in endpoints}
    assert arena.vote("me", pair, "tie")
    assert {vote.left_model for vote in arena.kept_votes()} < set(pair.models)


def test_endpoints_that_were_asked_are_offered_to_the_same_person_again(endpoints):
    asked_and_ended(endpoints)
    assert set(arena_new.endpoints_asked("me")) == set(endpoints)
    assert arena_new.endpoints_asked("somebody else") == []


def test_an_endpoint_that_fails_leaves_no_pair_and_says_why(endpoints, server):
    server.status = 500
    run_id = asked_and_ended(endpoints)
    assert arena.waiting("me", run_id=run_id).pairs == ()
    assert all(reply.error for reply in playground.view(run_id).replies)


def test_two_clicks_are_one_question_and_another_prompt_waits_its_turn(endpoints, server):
    server.say(chunk("Blue."), *[PAUSE_S] * 600)
    with ThreadPoolExecutor(4) as clicks:
        ids = list(clicks.map(lambda _: ask(endpoints), range(4)))
    assert len(set(ids)) == 1
    with pytest.raises(InputError, match="still at work on your last prompt"):
        ask(endpoints, prompt="And another?")
    assert ask(endpoints, person="somebody else") != ids[0]
    for job in registry.titled("run"):
        job.stop()
    until(lambda: ended(ids[0]))
    assert arena_new.at_work("me") is None


def test_a_question_is_found_again_by_its_person_alone_and_after_a_restart(endpoints, var):
    assert arena_new.newest_question("me") is None
    run_id = asked_and_ended(endpoints)
    assert arena_new.newest_question("somebody else") is None
    assert arena_new.newest_question("me").fact.run_id == run_id
    found = ResultsLog(var / "results").run(run_id)
    assert found.run.blind
    assert len(found.replies) == 2


def test_a_question_of_the_playground_is_none_of_the_arena(endpoints):
    run_id = asked_and_ended(endpoints)
    logged = runs.log().run(run_id).run
    assert logged.blind
    plain = arena_new.Plan(prompt="Which colour?", models=tuple(endpoints))
    other = playground.start(plain, person="me")
    until(lambda: ended(other))
    assert arena_new.newest_question("me").fact.run_id == run_id


def test_the_last_vote_is_known_after_a_reload_with_the_sides_as_they_stood(endpoints):
    assert arena.last_vote("me") is None
    (pair,) = arena.waiting("me", run_id=asked_and_ended(endpoints)).pairs
    assert arena.vote("me", pair, "right")
    last = arena.last_vote("me")
    assert (last.pair, last.vote) == (pair, "right")
    assert arena.last_vote("somebody else") is None


def test_votes_of_two_tabs_at_once_count_once(endpoints):
    (pair,) = arena.waiting("me", run_id=asked_and_ended(endpoints)).pairs
    together = threading.Barrier(8)

    def press(number):
        together.wait(60)
        return arena.vote("me", pair, ("left", "right")[number % 2])

    with ThreadPoolExecutor(8) as tabs:
        counted = list(tabs.map(press, range(8)))
    assert counted.count(True) == 1
    assert len(arena.kept_votes()) == 1
