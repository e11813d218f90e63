"""Endpoints that answer as they should, and all the ways in which they do not."""

import json
import socket
import time
from contextlib import closing

import pytest

from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Started, Token
from llmcompare.engines.endpoints import PRESETS, Endpoint, key_for
from llmcompare.engines.remote import RemoteEngine
from llmcompare.errors import InputError
from tests.engines.endpoint_server import DONE, chunk, event, serving, usage
from tests.engines.events import text_of

KEY = "sk-secret-0123456789"


@pytest.fixture
def server():
    with serving() as script:
        script.say(chunk("Because "), chunk("of "), chunk("light."), chunk(finish="stop"), usage(9, 6, 4), DONE)
        yield script


def engine_at(base_url, preset_id="other", **options):
    return RemoteEngine(Endpoint(preset_id=preset_id, base_url=base_url, model="some-model"), **options)


def ask(text="Why is the sky blue?", **sampling):
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(**sampling))


def events_of(server, preset_id="other", request=None, **options):
    return list(engine_at(server.base_url, preset_id, **options).stream(request or ask()))


def failure(server, **options):
    failed = events_of(server, **options)[-1]
    assert isinstance(failed, Failed)
    assert not failed.crashed
    return failed.error


# --- replies ----------------------------------------------------------------------------------------------------------


def test_text_and_counts_come_from_the_server_and_unknown_figures_stay_unknown(server):
    events = events_of(server)
    measured = events[-1].measured
    assert text_of(events) == "Because of light."
    assert (measured.prompt_tokens, measured.reused_tokens, measured.generated_tokens) == (9, 4, 6)
    assert measured.peak_memory_bytes is measured.threads is measured.cold is measured.prompt_tokens_per_s is None
    assert server.asked[0]["path"] == "/v1/chat/completions"
    assert server.asked[0]["stream_options"] == {"include_usage": True}


def test_without_usage_no_count_and_no_speed_is_made_up(server):
    server.say(chunk("a"), 0.05, chunk("b"), chunk(finish="length"), DONE)
    done = events_of(server)[-1]
    assert done.reason == "length"
    assert done.measured.generated_tokens is done.measured.prompt_tokens is None
    assert done.measured.generation_tokens_per_s is None
    assert done.measured.ttft_ms > 0


def test_the_clock_stops_at_the_last_chunk_with_text(server):
    server.say(0.3, chunk("a"), 0.2, chunk("b"), chunk(finish="stop"), 0.8, usage(3, 21), DONE)
    events = events_of(server)
    measured = events[-1].measured
    assert measured.ttft_ms >= 300
    first_s, last_s = (event.time_s for event in events if isinstance(event, Token))
    # 20 tokens after the first one: until the last one, not until the counts came.
    assert measured.generation_tokens_per_s == pytest.approx(20 / (last_s - first_s))
    assert events[-1].time_s > last_s


def test_time_to_the_first_token_does_not_count_connecting(server):
    events = events_of(server)
    started = next(event for event in events if isinstance(event, Started))
    first = next(event for event in events if isinstance(event, Token))
    assert events[-1].measured.ttft_ms == pytest.approx((first.time_s - started.time_s) * 1000)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_that_comes_as_a_field_is_marked_like_thinking_in_the_text(server, field):
    server.say(
        chunk(delta={field: "Light "}), chunk(delta={field: "scatters."}), chunk("Blue."), chunk(finish="stop"), DONE
    )
    assert text_of(events_of(server)) == "<think>Light scatters.</think>Blue."


def test_a_server_that_names_the_stop_string_is_believed(server):
    server.say(chunk("a"), chunk(finish="stop", choice={"stop_reason": "END"}), DONE)
    assert events_of(server, request=ask(stop=("END",)))[-1].reason == "stop"


def test_a_stream_without_its_end_mark_is_complete_when_the_server_said_why_it_ended(server):
    server.say(": keep-alive\n\n", chunk("a"), chunk(finish="stop"))
    assert isinstance(events_of(server)[-1], Done)


def test_speed_of_the_prompt_is_what_llama_server_measured(server):
    server.say(chunk("a"), chunk(finish="stop", timings={"prompt_per_second": 812.5}), DONE)
    assert events_of(server, "llama-server")[-1].measured.prompt_tokens_per_s == 812.5


# --- what is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset_id", "name", "value"),
    [("vllm", "repetition_penalty", 1.2), ("llama-server", "repeat_penalty", 1.2), ("vllm", "top_k", -1)],
)
def test_settings_have_the_names_that_the_kind_of_server_knows(server, preset_id, name, value):
    events_of(server, preset_id, ask(repeat_penalty=1.2))
    assert server.asked[0][name] == value


def test_a_setting_that_the_server_is_not_known_to_take_is_refused_not_dropped(server):
    failed = events_of(server, "other", ask(min_p=0.1))[-1]
    assert "min-p" in failed.error
    assert server.asked == []


def test_a_json_schema_is_sent_in_the_form_that_the_server_knows(server):
    schema = {"type": "object"}
    for preset_id in ("vllm", "llama-cpp-python"):
        events_of(server, preset_id, ask(json_schema=json.dumps(schema)))
    first, second = (asked["response_format"] for asked in server.asked)
    assert first == {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}
    assert second == {"type": "json_object", "schema": schema}


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_stall_ends_after_the_limit_with_its_length(server):
    server.say(chunk("a"), 3.0, chunk("b"))
    began = time.monotonic()
    assert "nothing was heard for 0.5 s" in failure(server, silence_limit_s=0.5)
    assert time.monotonic() - began < 2


def test_a_server_that_takes_the_request_and_says_nothing_at_all_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        failed = list(engine_at(address, silence_limit_s=0.5).stream(ask()))[-1]
    assert isinstance(failed, Failed)
    assert "nothing was heard for 0.5 s: the reply was given up" in failed.error


def test_a_server_that_shakes_no_hands_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"https://127.0.0.1:{listening.getsockname()[1]}/v1"
        failed = list(engine_at(address, connect_limit_s=0.5).stream(ask()))[-1]
    assert isinstance(failed, Failed)
    assert f"{address.removesuffix('/v1').removeprefix('https://')} cannot be reached" in failed.error


def test_a_server_that_stops_in_the_middle_of_a_line_is_given_up(server):
    server.say(chunk("Because "), chunk("of")[:-30], 60.0)
    assert "nothing was heard for 0.5 s" in failure(server, silence_limit_s=0.5)


def test_a_server_that_only_says_that_it_lives_is_given_up_after_a_longer_while(server):
    server.say(*[part for _ in range(600) for part in (": keep-alive\n\n", 0.1)])
    assert "signs of life and no reply" in failure(server, silence_limit_s=0.2)
    assert server.disconnected.wait(60)


def test_a_server_that_never_stops_writing_is_cut_off_and_what_it_wrote_is_kept(server):
    server.say(*[part for _ in range(6_000) for part in (chunk("word " * 20), 0.01)])
    events = events_of(server, request=ask(max_tokens=2))
    assert "writes on after 2 tokens" in events[-1].error
    assert 512 < len(text_of(events)) < 1_000
    assert server.disconnected.wait(60)


def test_a_name_that_nobody_knows_is_a_sentence():
    # No resolver may know it (RFC 6761); one that does not answer has a limit.
    failed = list(engine_at("https://nowhere.invalid/v1", connect_limit_s=5.0).stream(ask()))[-1]
    assert isinstance(failed, Failed)
    assert "nowhere.invalid cannot be reached" in failed.error


def test_a_reply_that_is_cut_in_the_middle_is_a_failure(server):
    server.say(chunk("Because "), chunk("of")[:-30])
    assert "no JSON" in failure(server) or "broke off" in failure(server)
    server.say(chunk("Because "))
    assert "the connection broke off in the middle of the reply" in failure(server)


def test_an_error_event_inside_a_stream_that_began_well_is_a_failure_and_keeps_what_was_said(server):
    server.say(chunk("Because "), event({"error": {"message": "out of memory", "code": 500}}), DONE)
    events = events_of(server)
    assert text_of(events) == "Because "
    assert "broke the reply off with an error: out of memory" in events[-1].error
    server.say("event: error\n" + event({"message": "overloaded"}), DONE)
    assert "overloaded" in failure(server)


def test_numbers_that_cannot_be_are_no_figures(server):
    huge = 10**400
    timings = event({"choices": [], "timings": {"prompt_per_second": float("inf")}})
    server.say(chunk("a"), 0.05, chunk("b"), chunk(finish="stop"), timings, usage(huge, huge, huge), DONE)
    measured = events_of(server)[-1].measured
    assert measured.prompt_tokens is measured.reused_tokens is measured.generated_tokens is None
    assert measured.prompt_tokens_per_s is measured.generation_tokens_per_s is None


def test_half_a_character_is_a_mark_that_every_page_can_show(server):
    server.say(event({"choices": [{"delta": {"content": "a\ud800b"}, "finish_reason": "stop"}]}), DONE)
    assert text_of(events_of(server)) == "a\ufffdb"


def test_an_error_that_is_nested_too_deep_is_shown_as_the_text_that_it_is(server):
    server.status = 500
    server.say("[" * 15_000)
    assert "the server cannot answer now (500: [[[" in failure(server)


@pytest.mark.parametrize("schema", ["{not json", "[" * 100_000])
def test_a_schema_that_is_no_json_is_a_sentence_and_nothing_is_sent(server, schema):
    assert "the JSON schema is no JSON (" in failure(server, request=ask(json_schema=schema))
    assert server.asked == []


@pytest.mark.parametrize("line", ["data: {not json\n\n", "data: 5\n\n", "data: \n\n"])
def test_wrong_json_is_quoted_in_the_failure(server, line):
    server.say(chunk("a"), line, DONE)
    assert "the server sent what is no" in failure(server)


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (429, {"Retry-After": "7"}, "try again in 7 seconds"),
        (401, {}, "the server wants a key (401: no room), and none is set for it"),
        (404, {}, "no such address or model (404: no room)"),
        (503, {}, "cannot answer now (503: no room)"),
        (400, {}, "refuses the request (400: no room)"),
        (302, {"Location": "http://elsewhere.example/"}, "sends on to another address (302)"),
    ],
)
def test_a_refusal_is_a_sentence_with_the_status_and_what_the_server_says(server, status, headers, says):
    server.status, server.headers, server.kind = status, headers, "application/json"
    server.say(json.dumps({"error": {"message": "no room"}}))
    assert says in failure(server)


def test_a_page_of_html_is_no_reply(server):
    server.kind = "text/html"
    server.say("<html><script>alert(1)</script></html>")
    said = failure(server)
    assert "text/html instead of a stream" in said
    assert "script" not in said


def test_a_port_where_nobody_listens_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed = list(engine_at(f"http://127.0.0.1:{port}/v1").stream(ask()))[-1]
    assert f"http://127.0.0.1:{port} cannot be reached" in failed.error


def test_a_server_that_speaks_no_http_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = engine_at(f"http://127.0.0.1:{listening.getsockname()[1]}/v1").stream(ask())
        next(stream)
        next(stream)
        connection, _ = listening.accept()
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")
        assert "does not speak HTTP" in list(stream)[-1].error
        connection.close()


def test_closing_the_stream_ends_the_connection_while_the_server_writes(server):
    server.say(*[part for _ in range(200) for part in (chunk("word "), 0.05)])
    with closing(engine_at(server.base_url).stream(ask())) as events:
        assert any(isinstance(one, Token) for one in events)
    assert server.disconnected.wait(5)


def test_a_finished_reply_whose_connection_stays_open_is_complete(server):
    server.say(chunk("a"), chunk(finish="stop"), 3.0)
    assert isinstance(events_of(server, silence_limit_s=0.4)[-1], Done)


# --- keys and addresses -----------------------------------------------------------------------------------------------


def test_a_key_goes_to_its_own_host_and_to_no_other(server, monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    endpoint = Endpoint(preset_id="groq", base_url="https://api.groq.com/openai/v1", model="m")
    assert key_for(endpoint) == KEY
    events_of(server, "groq")
    assert server.authorization == [None]
    own = Endpoint(preset_id="other", base_url=server.base_url, model="m")
    monkeypatch.setenv(own.key_variable, KEY)
    events_of(server, "groq")
    assert server.authorization == [None, f"Bearer {KEY}"]


def test_a_key_may_stand_in_the_secrets_file_and_the_environment_comes_first(tmp_path, monkeypatch):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'MISTRAL_API_KEY = "{KEY}"\n')
    endpoint = Endpoint(preset_id="mistral", base_url="https://api.mistral.ai/v1", model="m")
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    assert key_for(endpoint, files=[tmp_path / "missing.toml", secrets]) == KEY
    monkeypatch.setenv("MISTRAL_API_KEY", "another")
    assert key_for(endpoint, files=[secrets]) == "another"


def test_a_secrets_file_that_is_no_toml_is_refused_without_quoting_it(tmp_path, monkeypatch):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f"MISTRAL_API_KEY = {KEY}")
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    endpoint = Endpoint(preset_id="mistral", base_url="https://api.mistral.ai/v1", model="m")
    with pytest.raises(InputError, match="cannot be read as TOML") as refusal:
        key_for(endpoint, files=[secrets])
    assert KEY not in str(refusal.value)


def test_a_server_that_quotes_the_key_does_not_bring_it_into_the_error(server, monkeypatch):
    monkeypatch.setenv(Endpoint(preset_id="other", base_url=server.base_url, model="m").key_variable, KEY)
    server.status, server.kind = 401, "application/json"
    server.say(json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    said = failure(server)
    assert "refuses the key" in said
    assert KEY not in said


def test_a_key_is_not_sent_in_the_clear_to_a_stranger(monkeypatch):
    endpoint = Endpoint(preset_id="other", base_url="http://llm.example.com/v1", model="m")
    monkeypatch.setenv(endpoint.key_variable, KEY)
    assert "use https://" in list(RemoteEngine(endpoint).stream(ask()))[-1].error


@pytest.mark.parametrize(
    "base_url",
    ["", "localhost:8000", "file:///etc/passwd", "https://user:hunter2@host/v1", "https://host/v1?api_key=hunter2",
     "http://host:99999/v1", "http://[::1/v1", "http://ho st/v1", "http://höst/v1"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_and_a_secret_in_it_is_not_repeated(base_url):
    with pytest.raises(InputError) as refusal:
        Endpoint(preset_id="other", base_url=base_url, model="m")
    assert "hunter2" not in str(refusal.value)


def test_every_preset_has_an_address_a_source_and_a_date():
    assert len({preset.preset_id for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.source
        assert preset.as_of
        if preset.preset_id != "other":
            assert Endpoint(preset_id=preset.preset_id, base_url=preset.base_url, model="m").kind is preset


# --- a real server ----------------------------------------------------------------------------------------------------


def test_the_model_behind_a_real_server_says_what_it_says_in_our_worker(remote_engine, shared_engine):
    request = ask("Name three colours of the rainbow", max_tokens=16)
    assert text_of(remote_engine.stream(request)) == text_of(shared_engine.stream(request)) != ""


def test_a_real_server_that_counts_nothing_while_it_streams_is_asked_for_the_counts_afterwards(
    remote_engine, shared_engine
):
    request = ask("Why is the sky blue?", max_tokens=12)
    here, there = (list(one.stream(request))[-1].measured for one in (shared_engine, remote_engine))
    assert (there.prompt_tokens, there.generated_tokens) == (here.prompt_tokens, here.generated_tokens)
    assert there.generated_tokens == 12
    assert there.generation_tokens_per_s > 0
    assert (here.recounted, there.recounted) == (None, True)


def test_a_real_server_that_would_begin_a_new_reply_is_not_asked_to_go_on(remote_engine):
    said = (*ask("Count to nine.").messages, Message(role="assistant", content="One, two, "))
    (failed,) = remote_engine.stream(Request(messages=said))
    assert "it would begin a new one" in failed.error


def test_a_server_that_cannot_be_asked_afterwards_leaves_the_counts_unknown(server):
    server.say(chunk("a"), chunk(finish="stop"), DONE)
    done = events_of(server, "llama-cpp-python")[-1]
    assert done.reason == "end"
    assert done.measured.prompt_tokens is done.measured.generated_tokens is done.measured.recounted is None


@pytest.mark.parametrize("after", ["[" * 15_000, 600.0])
def test_a_server_that_is_asked_afterwards_and_never_answers_right_leaves_the_counts_unknown(server, after):
    server.say(chunk("a"), chunk(finish="stop"), DONE, after)
    done = events_of(server, "llama-cpp-python", silence_limit_s=0.3)[-1]
    assert done.measured.generated_tokens is done.measured.prompt_tokens is None


def test_a_json_schema_binds_the_model_behind_a_real_server_and_in_our_worker(remote_engine, shared_engine):
    schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}
    for engine in (remote_engine, shared_engine):
        events = list(engine.stream(ask("Name a colour", json_schema=json.dumps(schema), max_tokens=40)))
        assert json.loads(text_of(events))["colour"] in ("red", "blue")


def test_a_prompt_too_long_for_a_real_server_is_a_failure_with_a_guess_at_the_reason(remote_engine):
    # It answers 200 and closes the stream without a word.
    failed = list(remote_engine.stream(ask("word " * 3000)))[-1]
    assert isinstance(failed, Failed)
    assert "closed the connection before any text" in failed.error
    assert text_of(remote_engine.stream(ask(max_tokens=4)))


def test_closing_the_stream_of_a_real_server_frees_it(remote_engine):
    with closing(remote_engine.stream(ask("Tell a long story about a ship", max_tokens=900))) as events:
        assert any(isinstance(one, Token) for one in events)
    began = time.monotonic()
    assert text_of(remote_engine.stream(ask(max_tokens=2)))
    assert time.monotonic() - began < 8
