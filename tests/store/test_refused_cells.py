"""Cells that the catalogue refuses: each with file, line, column, value and rule, all of them in one run."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmcompare.errors import BadCell, DataError
from llmcompare.store.csv_files import MAX_CELL_CHARACTERS
from llmcompare.store.seed import seed


def refusals(data, var: Path, day: date) -> tuple[BadCell, ...]:
    try:
        seed(data.path, var, today=day)
    except DataError as error:
        return error.cells
    return ()


@pytest.fixture
def refused(data, var, today):
    """Builds the small facts and returns the cells that are refused."""
    return lambda day=today: refusals(data, var, day)


def places(cells: tuple[BadCell, ...]) -> list[tuple[str, int, str, str]]:
    return [(cell.file, cell.line, cell.column, cell.value) for cell in cells]


def test_the_small_facts_build(refused):
    assert refused() == ()


NO_NUMBERS = ["$0.71", "0,71", "nan", "inf", "-inf", "1e999", "0.71 USD", "1_000", "½", "٣", "--1", "0x1F"]


def test_prices_that_are_no_numbers_are_refused_where_they_stand(data, refused):
    lines = {value: data.add("gpu_prices", provider=value, usd_per_hour=value) for value in NO_NUMBERS}
    cells = refused()
    assert set(places(cells)) == {("data/gpu_prices.csv", line, "usd_per_hour", v) for v, line in lines.items()}
    first = cells[0]
    assert first.rule.startswith("is not a number (USD per hour for the whole offer")
    assert first.rule.endswith("write 0.71, not $0.71 or 0,71")
    assert str(first) == f"data/gpu_prices.csv line 7, column usd_per_hour: '$0.71' is refused: {first.rule}"


def test_gpu_counts_that_are_no_whole_numbers_are_refused(data, refused):
    values = ["8.0", "8x", "1e1", "99999999999999999999", ""]
    lines = {value: data.add("gpu_prices", provider=f"p{value}", gpu_count=value) for value in values}
    assert set(places(refused())) == {("data/gpu_prices.csv", line, "gpu_count", v) for v, line in lines.items()}


def test_prices_that_are_not_above_0_are_refused(data, refused):
    lines = {value: data.add("gpu_prices", provider=value, usd_per_hour=value) for value in ["0", "-3", "0.0"]}
    cells = refused()
    assert set(places(cells)) == {("data/gpu_prices.csv", line, "usd_per_hour", v) for v, line in lines.items()}
    assert all("usd_per_hour > 0" in cell.rule for cell in cells)


def test_numbers_may_be_written_with_an_exponent_or_a_sign_and_with_blanks_around(data, refused):
    data.set("gpu_prices", "usd_per_hour", " +2.5e0 ", row=0)
    assert refused() == ()


def test_rows_without_a_source_are_refused(data, refused):
    lines = [data.add("scores", benchmark=f"exam {number}", source=text) for number, text in enumerate(["", " ", "\t"])]
    cells = refused()
    assert places(cells) == [("data/scores.csv", line, "source", "") for line in lines]
    assert {cell.rule for cell in cells} == {"a value is required here"}


def test_a_key_that_stands_twice_is_refused_with_the_line_of_the_first(data, refused):
    line = data.add("models", display_name="Again")
    (cell,) = refused()
    assert places((cell,)) == [("data/models.csv", line, "model_id", "tiny-7b")]
    assert cell.rule == "the same model_id stand on line 2"


def test_a_key_of_several_cells_of_which_one_is_empty_may_not_stand_twice_either(data, refused):
    data.set("api_prices", "as_of", "", row=0)
    line = data.add("api_prices", input_usd_per_mtok="0.11")
    (cell,) = refused()
    assert (cell.file, cell.line) == ("data/api_prices.csv", line)
    assert "provider, api_model_name, as_of" in cell.rule
    assert "line 2" in cell.rule


def test_a_key_is_the_same_however_its_number_is_written(data, refused):
    lines = [data.add("gpu_prices", gpu_count=written) for written in ("01", "+1")]
    assert [(cell.file, cell.line) for cell in refused()] == [("data/gpu_prices.csv", line) for line in lines]


def test_an_alias_that_is_the_id_of_another_model_is_refused(data, refused):
    line = data.add("model_aliases", alias="big-70b", model_id="tiny-7b")
    assert [(cell.file, cell.line, cell.value) for cell in refused()] == [("data/model_aliases.csv", line, "big-70b")]


def test_a_tokenizer_that_cannot_be_that_of_a_model_is_refused(data, refused):
    data.set("tokenizers", "vocabulary_size", "32000")
    (cell,) = refused()
    assert (cell.file, cell.line, cell.column, cell.value) == ("data/model_tokenizers.csv", 2, "tokenizer_id", "tiny")
    assert "no vocabulary of 152064 as tiny-7b has it" in cell.rule


def test_tokens_that_do_not_add_up_are_refused(data, refused):
    for column, value in (("article_tokens", "30;71"), ("tokens_per_1000_characters", "251"), ("bytes", "399")):
        was = data.rows["tokenizer_rates"][0][column]
        data.set("tokenizer_rates", column, value)
        assert [(cell.file, cell.line) for cell in refused()] == [("data/tokenizer_rates.csv", 2)], column
        data.set("tokenizer_rates", column, was)
    assert refused() == ()


def test_two_texts_in_one_language_are_refused(data, refused):
    line = data.add("tokenizer_rates", tokenizer_id="other", article_characters="150;250")
    (cell,) = refused()
    assert (cell.line, cell.column) == (line, "article_characters")
    assert "line 2" in cell.rule


def test_dates_in_the_future_are_refused_to_the_precision_they_are_written_in(data, refused):
    values = ["2026-11-26", "2026-12", "2027", "9999-12-31"]
    lines = [data.add("gpu_prices", as_of=value) for value in values]
    cells = refused()
    assert places(cells) == [
        ("data/gpu_prices.csv", line, "as_of", value) for line, value in zip(lines, values, strict=True)
    ]
    assert {cell.rule for cell in cells} == {"lies in the future (today is 2026-11-25)"}


def test_today_this_month_this_year_and_no_date_are_accepted(data, refused):
    for value in ["2026-11-25", "2026-11", "2026", "2024-02-29", ""]:
        data.add("gpu_prices", as_of=value)
    assert refused() == ()


def test_tomorrow_the_same_date_is_accepted(data, refused):
    data.set("gpu_prices", "as_of", "2026-11-24", row=0)
    assert len(refused(date(2026, 11, 23))) == 1
    assert refused(date(2026, 11, 24)) == ()


def test_a_release_date_in_the_future_is_refused_too(data, refused):
    line = data.set("models", "released_on", "2027-01", row=0)
    assert places(refused()) == [("data/models.csv", line, "released_on", "2027-01")]


NO_DATES = ["yesterday", "23.11.2026", "2026-13", "2026-02-30", "2025-02-29", "26", "2026-1-1", "2026-11-", "0000"]


def test_what_is_no_date_is_refused(data, refused):
    lines = {value: data.add("gpu_prices", as_of=value) for value in NO_DATES}
    cells = refused()
    assert set(places(cells)) == {("data/gpu_prices.csv", line, "as_of", value) for value, line in lines.items()}
    assert "is not a date; write 2026-11-23, 2026-11 or 2026" in {cell.rule for cell in cells}


def test_a_cell_is_refused_once_however_many_rules_it_breaks(data, refused):
    data.add("gpu_prices", provider="delta", usd_per_hour="-inf")
    data.add("gpu_prices", as_of="2026-13")
    assert [cell.rule.split(";")[0].split(" (")[0] for cell in refused()] == ["is not a number", "is not a date"]


def test_gpu_prices_outside_the_plausible_range_of_their_kind_are_refused(data, refused):
    expected = [
        data.set("gpu_prices", "usd_per_hour", "61", row=0),  # a data-centre GPU on demand
        data.set("gpu_prices", "usd_per_hour", "0.019", row=1),
        data.set("gpu_prices", "usd_per_hour", "0.1", row=2),  # eight GPUs: 0.0125 each
        data.set("gpu_prices", "usd_per_hour", "5.5", row=4),  # a consumer GPU at the price of a data-centre one
    ]
    cells = refused()
    assert [(cell.line, cell.column, cell.file) for cell in cells] == [
        (line, "usd_per_hour", "data/gpu_prices.csv") for line in expected
    ]
    assert [float(cell.value) for cell in cells] == [61, 0.019, 0.1, 5.5]
    assert all("plausible range" in cell.rule for cell in cells)


def test_the_same_price_is_plausible_for_a_data_centre_gpu(data, refused):
    data.set("gpu_prices", "usd_per_hour", "5.5", row=0)
    assert refused() == ()


def test_token_prices_outside_the_plausible_range_are_refused(data, refused):
    wrong = [("input_usd_per_mtok", "0.0001"), ("input_usd_per_mtok", "201"), ("output_usd_per_mtok", "801")]
    lines = [data.add("api_prices", provider=f"{value}", **{column: value}) for column, value in wrong]
    cells = refused()
    assert places(cells) == [
        ("data/api_prices.csv", line, column, value) for line, (column, value) in zip(lines, wrong, strict=True)
    ]
    assert all("BETWEEN" in cell.rule for cell in cells)


def test_cached_input_that_costs_more_than_input_is_refused(data, refused):
    line = data.set("api_prices", "cached_input_usd_per_mtok", "0.21", row=1)
    assert places(refused()) == [("data/api_prices.csv", line, "cached_input_usd_per_mtok", "0.21")]


def test_all_errors_of_all_files_come_at_once_in_order(data, refused):
    expected = [
        ("data/api_prices.csv", data.set("api_prices", "input_usd_per_mtok", "0,1", row=0), "input_usd_per_mtok"),
        ("data/api_prices.csv", data.set("api_prices", "source", "", row=2), "source"),
        ("data/gpu_prices.csv", data.set("gpu_prices", "usd_per_hour", "$2", row=0), "usd_per_hour"),
        ("data/gpu_prices.csv", data.set("gpu_prices", "as_of", "2027", row=1), "as_of"),
        ("data/models.csv", data.add("models", display_name="Again"), "model_id"),
        ("data/scores.csv", data.set("scores", "score", "161.5"), "score"),
    ]
    assert [(cell.file, cell.line, cell.column) for cell in refused()] == expected


def test_an_implausible_price_is_named_together_with_errors_of_other_kinds(data, refused):
    expected = [
        ("data/gpu_prices.csv", data.set("gpu_prices", "usd_per_hour", "5.5", row=4), "usd_per_hour"),
        ("data/scores.csv", data.set("scores", "source", ""), "source"),
    ]
    assert [(cell.file, cell.line, cell.column) for cell in refused()] == expected


def test_the_message_counts_the_cells_and_lists_each(data, today, var):
    data.set("scores", "source", "")
    data.set("gpu_prices", "usd_per_hour", "$2", row=0)
    with pytest.raises(DataError) as error:
        seed(data.path, var, today=today)
    first, *listed = str(error.value).splitlines()
    assert first == "2 cells in data/ cannot be used:"
    assert listed == [f"  {cell}" for cell in error.value.cells]


def test_rows_with_the_wrong_number_of_cells_are_refused(data, refused):
    data.write("quantizations", data.file("quantizations").read_bytes() + b"Q4,4.9,4.6\nQ4" + b"," * 20 + b"\n")
    few, many = refused()
    assert places((few,)) == [("data/quantizations.csv", 3, "(row)", "Q4,4.9,4.6")]
    assert (many.line, many.column) == (4, "(row)")
    assert (few.rule, many.rule) == tuple(
        f"has {count} cells, the header has 11; quote a cell that holds a comma" for count in (3, 21)
    )


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        (lambda text: text.replace(b"size_gib", b"size_gb", 1), "size_gib", "missing"),
        (lambda text: text.replace(b"size_gib", b"size_gb", 1), "size_gb", "no such column"),
        (lambda text: text.replace(b"note", b"source", 1), "source", "twice"),
        (lambda text: b"", "source", "missing"),
        (lambda text: b"\n\n\n", "source", "missing"),
    ],
)
def test_a_header_that_is_not_the_tables_is_refused_by_column(data, refused, change, column, rule):
    data.write("quantizations", change(data.file("quantizations").read_bytes()))
    found = {cell.column: cell.rule for cell in refused() if cell.file == "data/quantizations.csv" and cell.line == 1}
    assert rule in found[column]


def test_columns_may_stand_in_any_order(data, refused):
    columns = data.columns["quantizations"]
    data.columns["quantizations"] = columns[::-1]
    data.save("quantizations")
    assert refused() == ()


def test_a_file_that_is_not_utf_8_is_refused_on_the_line_where_it_stops_to_be(data, refused):
    data.write("licenses", data.file("licenses").read_bytes() + "ä,b\n".encode("latin-1"))
    (cell,) = refused()
    assert (cell.file, cell.line, cell.rule) == ("data/licenses.csv", 3, "save the file as UTF-8")
    assert "\\xe4" in cell.value


def test_an_unclosed_quote_is_refused_on_the_line_where_it_opens(data, refused):
    data.write("gpu_prices", data.file("gpu_prices").read_bytes() + b'alpha,"open and never closed\nnext,row\n')
    (cell,) = refused()
    assert (cell.file, cell.line) == ("data/gpu_prices.csv", 7)
    assert "close every quote" in cell.rule


def test_text_behind_a_closing_quote_is_refused_on_its_line(data, refused):
    data.write("gpu_prices", data.file("gpu_prices").read_bytes() + b'"alpha"beta,1\n')
    (cell,) = refused()
    assert (cell.file, cell.line) == ("data/gpu_prices.csv", 7)


def test_a_cell_of_absurd_length_is_refused_on_its_line(data, refused):
    line = data.set("gpu_prices", "region", "x" * (MAX_CELL_CHARACTERS + 1), row=3)
    (cell,) = refused()
    assert (cell.file, cell.line) == ("data/gpu_prices.csv", line)
    assert "field limit" in cell.rule


def test_line_numbers_stay_right_behind_cells_of_several_lines_and_empty_lines(data, refused):
    table = data.columns["quantizations"]
    good = {"quantization": "Q4", "bits_per_weight": "4.9", "size_gib": "4.6", "source": "them"}
    bad = good | {"quantization": "Q5", "bits_per_weight": "many"}

    def line(row: dict[str, str]) -> str:
        stream = io.StringIO()
        csv.DictWriter(stream, table, lineterminator="\n").writerow(row)
        return stream.getvalue()

    text = ",".join(table) + "\n" + line(good | {"note": "one\ntwo\n\nthree"}) + "\n\n" + line(bad)
    data.write("quantizations", text.encode())
    (cell,) = refused()
    assert places((cell,)) == [("data/quantizations.csv", 8, "bits_per_weight", "many")]
    assert text.splitlines()[7].startswith("Q5,")


def test_a_byte_order_mark_and_windows_line_ends_are_accepted_and_counted_right(data, refused):
    data.set("gpu_prices", "usd_per_hour", "$3", row=1)
    text = data.file("gpu_prices").read_bytes()
    data.write("gpu_prices", b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert places(refused()) == [("data/gpu_prices.csv", 3, "usd_per_hour", "$3")]
    data.set("gpu_prices", "usd_per_hour", "3", row=1)
    data.write("gpu_prices", b"\xef\xbb\xbf" + data.file("gpu_prices").read_bytes().replace(b"\n", b"\r\n"))
    assert refused() == ()


def test_the_last_line_needs_no_line_end(data, refused):
    data.write("gpu_prices", data.file("gpu_prices").read_bytes().rstrip(b"\n"))
    assert refused() == ()


READ = {
    "text_read": "yes", "commercial_use": "yes", "redistribution": "yes, with the text", "giving_away": "yes",
    "modification": "yes", "changing": "yes", "may_train_other_models": "no: neither", "training_others": "no",
    "monthly_active_user_cap": "none", "separate_licence_for": "none", "visible_notice": "none",
    "excluded_fields": "none", "eu_excluded": "none",
}  # fmt: skip


def test_a_licence_that_was_read_is_accepted(data, refused):
    data.add("licenses", license_id="read", **READ)
    assert refused() == ()


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"training_others": "maybe"}, "training_others"),
        ({"training_others": "yes"}, "training_others"),
        ({"training_others": ""}, "may_train_other_models"),
        ({"training_others": "conditional", "may_train_other_models": "conditional: X"}, "training_condition_binds"),
        ({"giving_away": "no"}, "giving_away"),
        ({"user_cap_count": "700000000", "user_cap_counted": "any month"}, "user_cap_count"),
        ({"monthly_active_user_cap": "700 million"}, "user_cap_count"),
        ({"monthly_active_user_cap": "many", "user_cap_count": "7", "user_cap_counted": "any month"}, "user_cap_count"),
        ({"visible_notice": "above a size"}, "visible_notice"),
        ({"eu_excluded": ""}, "text_read"),
        ({"commercial_use": "no"}, "commercial_use"),
        ({"excluded_fields": "Military; nuclear"}, "excluded_fields"),
    ],
)
def test_clauses_of_a_licence_that_do_not_fit_each_other_are_refused(data, refused, cells, column):
    line = data.add("licenses", license_id="read", **READ | cells)
    assert (line, column) in {(cell.line, cell.column) for cell in refused()}


@pytest.mark.parametrize(
    ("table", "cells", "column"),
    [
        ("framework_support", {"support": "maybe"}, "support"),
        ("framework_support", {"feature": "flies"}, "feature"),
        ("framework_support", {"feature": "trains"}, "feature"),
        ("framework_support", {"family": "all"}, "generation"),
        ("framework_support", {"family": "llama"}, "generation"),
        ("framework_support", {"generation": "Tinier"}, "generation"),
        ("framework_support", {"support": "partly"}, "support"),
        ("framework_support", {"framework": ""}, "framework"),
        ("ecosystem", {"figure": "-1"}, "figure"),
        ("ecosystem", {"unit": ""}, "figure"),
        ("ecosystem", {"kind": "support"}, "kind"),
        ("ecosystem", {"family": "other"}, "family"),
    ],
)
def test_cells_on_frameworks_and_communities_that_cannot_be_are_refused(data, refused, table, cells, column):
    line = data.add(table, **{"as_of": "2026-10-01"} | cells)
    assert (line, column) in {(cell.line, cell.column) for cell in refused()}


JUNK = st.one_of(
    st.text(max_size=40),
    st.text("\x00\r\n\t\"',;\\ \ufeff\u2028$%{}<>=-+0123456789eE.naif", max_size=12),
    st.sampled_from(["", "NULL", "null", "None", "NaN", "true", "1e400", "-0", "0x1F", "'; DROP TABLE models; --"]),
)
EDITABLE = [
    (table, column)
    for table, columns in (
        ("gpu_prices", ["provider", "gpu_count", "billing", "usd_per_hour", "ram_gb", "as_of", "source"]),
        ("models", ["display_name", "released_on", "layer_count", "license_id", "architecture_source"]),
        ("api_prices", ["provider", "input_usd_per_mtok", "cached_input_usd_per_mtok", "context_tokens"]),
        ("throughput", ["record_id", "model_id", "concurrency", "output_tokens", "note"]),
    )
    for column in columns
]


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(junk=st.dictionaries(st.sampled_from(EDITABLE), JUNK, min_size=3, max_size=9))
def test_any_text_in_any_cell_builds_or_is_refused_on_its_own_line(tmp_path_factory, data_folder, today, junk):
    folder = tmp_path_factory.mktemp("junk")
    data = data_folder(folder / "data")
    lines = {(f"data/{table}.csv", data.set(table, column, text)) for (table, column), text in junk.items()}
    assert {(cell.file, cell.line) for cell in refusals(data, folder / "var", today)} <= lines


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.one_of(st.binary(max_size=200), st.text('"\n\r,ab\x00', max_size=60).map(str.encode)))
def test_any_bytes_behind_a_table_build_or_are_refused_behind_it(tmp_path_factory, data_folder, today, content):
    folder = tmp_path_factory.mktemp("bytes")
    data = data_folder(folder / "data")
    data.write("quantizations", data.file("quantizations").read_bytes() + content)
    cells = refusals(data, folder / "var", today)
    assert all(cell.file == "data/quantizations.csv" and cell.line >= 2 for cell in cells)
