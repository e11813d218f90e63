"""Writes a report as one HTML file that works without a network: plotly.js is inside, once."""

from decimal import Decimal
from pathlib import Path

import jinja2
import plotly.io
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from llmcompare.core.records import source_url
from llmcompare.core.tables import Cell
from llmcompare.core.units import rounded
from llmcompare.reports.report import Chart, Report

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(report: Report) -> str:
    """The report as text of an HTML file, about 5 MB of which 4.8 are plotly.js."""
    return _environment.get_template("report.html.j2").render(
        report=report,
        plotly_js=Markup(get_plotlyjs()),
        chart_html=_chart_html,
        cell_text=cell_text,
        link=source_url,
        zip=zip,
    )


def _chart_html(chart: Chart) -> Markup:
    # plotly writes the figure as JSON with "<" escaped, so text from data cannot close the script element.
    return Markup(
        plotly.io.to_html(
            chart.figure, full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
        )
    )


def cell_text(cell: Cell) -> str:
    """A cell for reading: unknown is a dash, numbers keep six significant digits."""
    if cell is None:
        return "—"
    if not isinstance(cell, float):
        return str(cell)
    text = f"{Decimal(repr(rounded(cell, 6))):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
