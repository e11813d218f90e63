"""The HTML report: complete, offline, harmless, and its command gives the same figures again."""

import json
import re
import resource
import shlex
from datetime import date
from html.parser import HTMLParser

import pytest

from llmcompare.core.scenario import Scenario
from llmcompare.errors import StoreError
from llmcompare.reports.html import cell_text
from llmcompare.services import catalogue, costs, export
from llmcompare.services.comparison_json import comparison_json
from llmcompare.store.paths import Folders

HOSTILE = "<script>alert(1)</script></script><img src=x onerror=alert(1)> $x$ [a](javascript:b) \"quoted\" 'too'"
LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "manifest", "ping", "xlink:href"}


class Page(HTMLParser):
    """What a browser makes of a file: elements, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        inside = self._open[-1] if self._open else None
        {"script": self.scripts, "style": self.styles}.get(inside, self.words).append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def comparison(real_facts):
    return costs.compare(real_facts, Scenario(requests_per_month=5e6, cached_input_fraction=0.3))


@pytest.fixture(scope="module")
def written(comparison, today) -> str:
    return export.report_html(comparison, made_on=today)


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page(written)


def test_nothing_in_the_report_is_loaded_from_anywhere(page):
    for tag, attributes in page.elements:
        loaded = {name: value for name, value in attributes.items() if name in LOADING and value}
        assert all(value.startswith("data:") for value in loaded.values()), (tag, loaded)
        if tag != "a":
            assert "href" not in attributes, tag
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "embed", "base", "img"}
    assert not re.search(r"url\(\s*['\"]?https?:|@import", " ".join(page.styles))


def test_a_browser_is_told_to_load_nothing(page):
    (policy,) = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "connect-src" not in policy


def test_plotly_is_inside_once(page, written):
    assert len(re.findall(r"plotly\.js v\d", written)) == 1
    assert len([script for script in page.scripts if len(script) > 1_000_000]) == 1
    assert 4_000_000 < len(written) < 7_000_000


def test_the_chart_in_the_report_holds_the_points_of_the_curves(page, comparison):
    chart, parts, strip = [script for script in page.scripts if "Plotly.newPlot" in script]
    assert "requests per month" in chart
    assert "USD per month at middle prices" in parts
    assert "tokens per month" in strip
    assert all(option.label.split(" ")[0] in chart for option in comparison.options)


def test_every_source_and_date_of_the_rows_used_is_named(page, comparison, real_catalog):
    listed = " ".join(page.text.split())
    assert len(comparison.rows_used) > 30
    for row in comparison.rows_used:
        _, found = real_catalog.table(
            f"SELECT source, as_of FROM {row.row_id.split(':')[0]} WHERE row_id = $id", id=row.row_id
        )
        ((source, as_of),) = found
        assert " ".join(source.split()) in listed
        assert (as_of or "undated") in listed


def test_every_price_leads_to_its_source(page, comparison):
    links = {attributes.get("href") for tag, attributes in page.elements if tag == "a"}
    assert links
    assert all(link.startswith(("https://", "http://")) for link in links)


def test_the_report_names_the_day_the_catalogue_and_every_assumption(page, comparison):
    assert "2026-11-23" in page.text
    assert comparison.fingerprint in page.text
    for name in ("workload", "month", "target utilisation"):
        assert name in page.text


def test_the_command_of_the_report_gives_its_figures_again(page, comparison, command):
    (line,) = [text for text in page.words if text.startswith("python -m llmcompare")]
    ran = command(*shlex.split(line)[3:])
    assert ran.exit_code == 0
    assert json.loads(ran.out) == json.loads(json.dumps(comparison_json(comparison, today=date.today())))


def scripts(page: Page) -> int:
    return [tag for tag, _ in page.elements].count("script")


def test_markup_in_names_is_shown_and_not_run(data, var, today, page):
    data.set("models", "display_name", HOSTILE)
    data.set("gpus", "name", HOSTILE)
    for row in (0, 1, 2, 3):
        data.set("api_prices", "provider", f"{HOSTILE}{row}", row=row)
        data.set("gpu_prices", "offer_name", HOSTILE, row=row)
        data.set("api_prices", "source", f'{HOSTILE} https://s.example/"onmouseover="alert(1)', row=row)
    facts = catalogue.current(today, Folders(data=data.path, var=var)).usable()
    scenario = Scenario(model="tiny-7b", today=f"{HOSTILE}3/gpt-4o")
    hostile = Page(export.report_html(costs.compare(facts, scenario), made_on=today))
    assert HOSTILE in hostile.text
    assert {tag for tag, _ in hostile.elements} == {tag for tag, _ in page.elements}
    assert scripts(hostile) == scripts(page)
    assert not any(name.startswith("on") for _, attributes in hostile.elements for name in attributes)
    assert all(a["href"].startswith("https://") for tag, a in hostile.elements if tag == "a")
    assert "alert(1)</script>" not in "".join(hostile.scripts)


def test_a_model_without_prices_still_has_a_report(data, var, today):
    facts = catalogue.current(today, Folders(data=data.path, var=var)).usable()
    page = Page(export.report_html(costs.compare(facts, Scenario(model="big-70b")), made_on=today))
    assert "no provider in the price table lists Big 70B" in page.text


@pytest.mark.parametrize(("cell", "text"), [(None, "—"), (0.0, "0"), (0.1 + 0.2, "0.3"), (713, "713"), ("a", "a")])
def test_a_cell_reads_as_text(cell, text):
    assert cell_text(cell) == text


@pytest.mark.parametrize("cell", [1234567.0, 27_500.0, 98_765_432.1, 0.00012345, 5e9])
def test_an_amount_is_written_out_and_keeps_six_digits(cell):
    assert re.fullmatch(r"[\d,]+(\.\d+)?", cell_text(cell))
    assert float(cell_text(cell).replace(",", "")) == pytest.approx(cell, rel=1e-5)


def test_the_report_command_writes_a_whole_file(command, tmp_path):
    out = tmp_path / "report.html"
    ran = command("report", "--out", out, "--json")
    assert ran.exit_code == 0
    assert json.loads(ran.out)["size_bytes"] == out.stat().st_size
    assert out.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_report_into_a_missing_folder_is_one_sentence_and_leaves_nothing(command, tmp_path):
    ran = command("report", "--out", tmp_path / "missing" / "report.html")
    assert ran.exit_code == 2
    assert str(tmp_path / "missing" / "report.html") in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_report_in_place_of_a_folder_is_one_sentence_and_the_folder_stays(command, tmp_path):
    ran = command("report", "--out", tmp_path)
    assert ran.exit_code == 2
    assert "Traceback" not in ran.err
    assert tmp_path.is_dir()


@pytest.fixture
def full_disk():
    """No file of this process can grow beyond 1 MB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_the_old_report_stays_whole(tmp_path, written, full_disk):
    out = tmp_path / "report.html"
    out.write_text("the old report")
    with pytest.raises(StoreError, match=r"report.html cannot be written \(File too large\)"):
        export.write_file(out, written)
    assert out.read_text() == "the old report"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
