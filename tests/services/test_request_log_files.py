"""Request logs as people have them: the forms that are read, the lines that are left out, and what is no log at all."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core.request_log import scenario_fields, summary
from llmcompare.errors import InputError
from llmcompare.services.request_log import read, read_file
from llmcompare.services.request_log_json import SAMPLE_NAME, flags, log_json, sample_csv

HEADER = "timestamp,input_tokens,output_tokens\n"
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp()


def lines(*rows, header=HEADER):
    return (header + "".join(f"{row}\n" for row in rows)).encode()


def read_lines(*rows, header=HEADER):
    return read(lines(*rows, header=header), name="log.csv")


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T09:00:00Z", "2026-11-02T09:00:00.000Z", "2026-11-02 09:00:00+00:00", "2026-11-02T10:00:00+0100",
        "2026-11-02T14:30:00.000000+05:30", "2026-11-02 09:00:00 UTC", "2026-11-02T09:00Z", "20261102T090000Z",
        "1793610000", "1793610000.000", "1793610000000", "1793610000000000", " 2026-11-02T09:00:00Z ",
        "2026-11-02T09:00:00.000000000Z",
    ],
)  # fmt: skip
def test_times_are_read_in_every_usual_form(text):
    found = read_lines(f"{text},100,10")
    assert found.log.seconds.tolist() == [NINE]
    assert found.log.has_zone
    as_json = read(json.dumps({"time": text, "input_tokens": 1, "output_tokens": 1}).encode(), name="log.jsonl")
    assert as_json.log.seconds.tolist() == [NINE]


@pytest.mark.parametrize("number", [1793610000, 1793610000.0, 1793610000000])
def test_times_of_json_may_be_numbers(number):
    found = read(json.dumps({"created": number, "input_tokens": 1, "output_tokens": 1}).encode(), name="log.jsonl")
    assert found.log.seconds.tolist() == [NINE]


def test_times_without_a_zone_are_the_log_s_own_clock_and_beside_others_they_are_utc():
    found = read_lines("2026-11-02T09:00:00,100,10", "2026-11-02 09:30,100,10")
    assert not found.log.has_zone
    assert found.log.seconds.tolist() == [NINE, NINE + 1_800]
    mixed = read_lines("2026-11-02T09:00:00,100,10", "2026-11-02T09:30:00Z,100,10")
    assert mixed.log.has_zone
    assert "1 time without a zone: taken as UTC" in mixed.notes[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_line_ends_aliases_quotes_and_a_byte_order_mark(delimiter, ending):
    rows = [
        ["Created At", "model", "Prompt-Tokens", "completion_tokens", "prompt"],
        ["2026-11-02T09:00:00Z", "gpt-4o", "100", "10", f'"a {delimiter} b, ""c""\nnext line"'],
        ["2026-11-02T09:00:01Z", "gpt-4o", "300", "30", "x"],
    ]
    text = ending.join(delimiter.join(row) for row in rows) + ending
    found = read(b"\xef\xbb\xbf" + text.encode(), name="log.csv")
    assert found.log.input_tokens.tolist() == [100, 300]
    assert found.columns == {"time": "Created At", "input_tokens": "Prompt-Tokens",
                             "output_tokens": "completion_tokens"}  # fmt: skip
    assert found.bad_count == 0
    assert read(text.encode("utf-16"), name="log.csv").log.output_tokens.tolist() == [10, 30]


def test_openai_usage_has_cached_tokens_within_the_input_and_reasoning_within_the_output():
    usage = {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
             "prompt_tokens_details": {"cached_tokens": 1920},
             "completion_tokens_details": {"reasoning_tokens": 200}}  # fmt: skip
    records = [{"created": 1793610000, "model": "x", "usage": usage},
               {"created": 1793610060, "usage": {"prompt_tokens": 94, "completion_tokens": 100}}]  # fmt: skip
    found = read("\n".join(map(json.dumps, records)).encode(), name="log.jsonl")
    assert found.columns["cached_tokens"] == "usage.prompt_tokens_details.cached_tokens"
    told = summary(found.log)
    assert (told.input.mean, told.output.mean, told.thinking.mean) == (1_050, 100, 100)
    assert told.cached_input_fraction == pytest.approx(1920 / 2100)
    assert any("as OpenAI counts" in note for note in found.notes)


def test_anthropic_counts_cached_tokens_beside_the_input():
    found = read_lines("2026-11-02T09:00:00Z,100,50,30,20", header="timestamp,input_tokens,output_tokens,"
                       "cache_read_input_tokens,cache_creation_input_tokens\n")  # fmt: skip
    assert found.log.input_tokens.tolist() == [150]
    assert found.log.cached_tokens.tolist() == [30]
    assert "leaves them out" in found.notes[0]
    # The same name beside prompt_tokens, as LiteLLM has it, is part of them.
    within = read_lines("2026-11-02T09:00:00Z,100,50,30", header="timestamp,prompt_tokens,completion_tokens,"
                        "cache_read_input_tokens\n")  # fmt: skip
    assert within.log.input_tokens.tolist() == [100]


def test_thinking_that_is_no_part_of_the_output_is_added():
    apart = read_lines("2026-11-02T09:00:00Z,100,50,400", header="timestamp,input_tokens,output_tokens,"
                       "thinking_tokens\n")  # fmt: skip
    assert apart.log.output_tokens.tolist() == [450]
    assert summary(apart.log).output.mean == 50
    assert "are added to the output" in apart.notes[0]


def test_characters_and_durations_are_read_in_their_units():
    header = "timestamp,input_characters,output_characters,latency_ms\n"
    found = read_lines("2026-11-02T09:00:00Z,4000,400,2500", "2026-11-02T09:00:09Z,4000,400,", header=header)
    assert found.log.has_characters
    assert summary(found.log).input.mean == 1_000
    assert found.log.duration_s[0] == 2.5
    assert np.isnan(found.log.duration_s[1])


def test_a_log_is_the_same_as_csv_and_as_json_lines():
    sample = read(sample_csv(), name=SAMPLE_NAME)
    header, *rows = sample_csv().decode().splitlines()
    names = header.split(",")
    records = [dict(zip(names, row.split(","), strict=True)) for row in rows]
    for record in records:
        for name in names[1:5]:
            record[name] = int(record[name])
    as_json = read("\n".join(map(json.dumps, records)).encode(), name="log.jsonl")
    for field in ("seconds", "input_tokens", "output_tokens", "cached_tokens", "duration_s"):
        assert getattr(as_json.log, field).tolist() == getattr(sample.log, field).tolist()
    assert sample.bad_count == as_json.bad_count == 0
    assert len(sample.log.seconds) > 2_000


# --- bad lines --------------------------------------------------------------------------------------------------------

NO_TIME = "is no time: write 2026-11-25T10:30:00Z, or seconds since 1970"
BAD = {
    "yesterday,1,1": ("yesterday", NO_TIME),
    "2026-02-31T09:00:00Z,1,1": ("2026-02-31T09:00:00Z", NO_TIME),
    "2026-11-02,1,1": ("2026-11-02", NO_TIME),
    "1970-01-02T00:00:00Z,1,1": ("1970-01-02T00:00:00Z", "the time is not between 2000 and 2100"),
    "12,1,1": ("12", "the time is not between 2000 and 2100"),
    ",1,1": ("", "the time is empty"),
    "2026-11-02T09:00:00Z,,1": ("", "input_tokens is empty"),
    "2026-11-02T09:00:00Z,-5,1": ("-5", "input_tokens is no number of 0 or more"),
    "2026-11-02T09:00:00Z,1,nan": ("nan", "output_tokens is no number of 0 or more"),
    "2026-11-02T09:00:00Z,1,1e99": ("1e99", "output_tokens is above 10,000,000"),
    "2026-11-02T09:00:00Z,0,0": ("0", "a request without any token, perhaps one that failed"),
    "2026-11-02T09:00:00Z,1": ("2026-11-02T09:00:00Z,1", "it has 2 cells, the header 3"),
    "2026-11-02T09:00:00Z,1,1,1": ("2026-11-02T09:00:00Z,1,1,1", "it has 4 cells, the header 3"),
}  # fmt: skip
GOOD = "2026-11-02T09:00:00Z,100,10"


def test_each_bad_line_has_its_number_its_value_and_the_reason():
    for number, (row, (value, why)) in enumerate(BAD.items(), start=1):
        found = read_lines(*[GOOD] * number, row, GOOD, "")
        assert found.bad_count == 1, row
        assert (found.bad_lines[0].line, found.bad_lines[0].value, found.bad_lines[0].why) == (number + 2, value, why)
        assert len(found.log.seconds) == number + 1


def test_of_many_bad_lines_all_are_counted_and_the_first_ten_shown_in_order():
    rows = [GOOD, *BAD, "", *BAD, GOOD, "abc"]
    found = read_lines(*rows)
    assert found.bad_count == 2 * len(BAD) + 1
    assert [bad.line for bad in found.bad_lines] == list(range(3, 13))
    assert len(found.log.seconds) == 2


def test_bad_lines_of_json_are_found_among_good_ones():
    good = {"timestamp": "2026-11-02T09:00:00Z", "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    rows = [json.dumps(good), "{broken", json.dumps(good | {"usage": None}), "[1]", "",
            json.dumps(good | {"timestamp": 5}),
            json.dumps(good | {"usage": {"prompt_tokens": "7", "completion_tokens": 1}}),
            json.dumps(good | {"usage": {"prompt_tokens": True, "completion_tokens": 1}})]  # fmt: skip
    found = read("\n".join(rows).encode(), name="log.jsonl")
    assert found.log.input_tokens.tolist() == [5, 7]
    assert [(bad.line, bad.why) for bad in found.bad_lines] == [
        (2, "it is no JSON object"), (3, "usage.prompt_tokens is empty"), (4, "it is no JSON object"),
        (6, "the time is not between 2000 and 2100"), (8, "usage.prompt_tokens is no number of 0 or more"),
    ]  # fmt: skip


def test_more_cached_than_input_tokens_is_a_bad_line():
    found = read_lines(f"{GOOD},50", f"{GOOD},500", header="timestamp,input_tokens,output_tokens,cached_tokens\n")
    assert found.bad_lines[0].why == "more cached than input tokens"


def test_bytes_that_are_no_text_are_a_bad_line_not_a_crash():
    found = read(lines(GOOD) + b"\xff\xfe\x80,1,1\n" + GOOD.encode(), name="log.csv")
    assert found.bad_count == 1
    assert len(found.log.seconds) == 2


# --- what is no log ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "log.csv is empty"),
        (b" \n\n", "log.csv is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is no text"),
        (b"\x1f\x8b\x08", "is a packed file"),
        (b"PK\x03\x04", "is a packed file"),
        (b"2026-11-02T09:00:00Z,100,10\n", "which is no header"),
        (b"<html><body>\n", "which is no header"),
        (b"timestamp,input_tokens\n1,2\n", "no column for output tokens"),
        (b"timestamp,model\n1,2\n", "no column for input tokens (input_tokens) nor for output tokens"),
        (HEADER.encode(), "holds a header and no request"),
        (HEADER.encode() + b"\n\n", "holds a header and no request"),
        (HEADER.encode() + b"a,b,c\nd,e,f\n", "holds no usable line: all 2 lines are refused. Line 2 is 'a'"),
        (HEADER.encode() + b"a\n", "its only line is refused"),
        (b'{"a": 1}\n', "its columns are a."),
        (b"{broken\n", "begins with '{broken'"),
        (b"[1, 2]", "begins with '[1, 2]'"),
    ],
)
def test_what_is_no_log_is_one_sentence(content, said):
    with pytest.raises(InputError) as refused:
        read(content, name="log.csv")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.csv")


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_whatever_the_bytes_are_it_is_a_log_or_a_sentence(content):
    for start in (
        b"",
        HEADER.encode(),
        b'{"timestamp": "2026-11-02T09:00:00Z", "input_tokens": 1, "output_tokens": 1}\n',
    ):
        try:
            found = read(start + content, name="log")
        except InputError:
            continue
        assert len(found.log.seconds) > 0
        assert np.isfinite(found.log.seconds).all()


CELLS = st.sampled_from(
    ["", "5", "-1", "nan", "1e3", " 7 ", "x", "2026-11-02T09:00:00Z", "2026-11-03 10:00", "0", "9e9"]
)


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=30))
def test_every_line_is_used_or_blank_or_counted(rows):
    content = lines(*(",".join(row) for row in rows))
    blank = sum(not "".join(row).strip() and len(row) in (1, 3) for row in rows)
    try:
        found = read(content, name="log")
    except InputError:
        return
    assert len(found.log.seconds) + found.bad_count + blank == len(rows)
    assert len(found.bad_lines) == min(10, found.bad_count)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_the_summary_and_flags_that_other_commands_take(command, tmp_path):
    path = tmp_path / SAMPLE_NAME
    path.write_bytes(sample_csv() + b"broken\n")
    ran = command("workload", path)
    assert ran.exit_code == 0
    assert ran.out.startswith("About 7.8K requests a month, 1,491 tokens in and 291 out at the mean.")
    assert "1 line left out" in ran.out
    given_flags = ran.out.strip().splitlines()[-1].split()
    found = json.loads(command("workload", path, "--json").out)
    assert found["flags"].split() == given_flags
    costs = json.loads(command("costs", *given_flags, "--json").out)
    assert costs["scenario"]["requests_per_month"] == found["scenario"]["requests_per_month"] == 7802
    assert costs["scenario"]["traffic"] == "own"
    assert found["bad_line_count"] == 1
    assert len(found["hourly_weights"]) == 168


def test_the_command_refuses_what_cannot_be_used(command, tmp_path):
    path = tmp_path / SAMPLE_NAME
    path.write_bytes(sample_csv())
    for arguments, said in (
        ([tmp_path / "none.csv"], "cannot be read"),
        ([path, "--time-zone", "Mars"], "time zone 'Mars' is not known"),
    ):
        ran = command("workload", *arguments)
        assert ran.exit_code == 2
        assert said in ran.err
        assert ran.out == ""


def test_the_figures_of_a_log_fit_every_field_of_a_scenario():
    read_sample = read(sample_csv(), name=SAMPLE_NAME)
    found = summary(read_sample.log)
    assert set(scenario_fields(found)) == {
        "input_tokens", "output_tokens", "cached_input_fraction", "requests_per_month", "traffic", "hourly_profile",
        "peak_to_mean",
    }  # fmt: skip
    assert flags(found).count("--") == 7
    assert json.loads(json.dumps(log_json(read_sample, found), allow_nan=False))["request_count"] == found.requests
