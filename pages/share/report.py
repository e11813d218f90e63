"""Report: preview of the comparison, and the same as one HTML file."""

from datetime import date

import streamlit as st

from llmcompare.reports.report import cost_report
from llmcompare.services import costs, export
from llmcompare.ui import frame, show
from llmcompare.ui.safe import plain

comparison = costs.compare(frame.facts(), frame.scenario())
report = cost_report(comparison, made_on=date.today())

st.title("Report")
st.download_button(
    "Download as HTML",
    lambda: export.report_html(comparison, made_on=report.made_on),
    f"llmcompare-{comparison.model.model_id}-{report.made_on}.html",
    "text/html",
    key="report_html",
    on_click="ignore",
    type="primary",
    icon=":material/download:",
    help="One file of 5 MB. Its charts work without a network.",
)
with st.container(border=True):
    st.header(plain(report.title))
    st.markdown(f"**{plain(report.answer)}**")
    st.caption(plain(f"Made on {report.made_on} from catalogue {report.fingerprint}. {report.as_of}"))
    for number, section in enumerate(report.sections):
        if not (section.sentences or section.chart or section.tables):
            continue
        st.subheader(section.heading)
        if section.sentences:
            show.sentences(*section.sentences)
        if section.chart:
            show.chart(section.chart.figure, key=f"report_chart_{number}", description=section.chart.description)
        for table in section.tables:
            key = f"report_{table.name}"
            content = st.expander(f"{table.title}: {len(table.rows)} rows", key=f"{key}_open", on_change="rerun")
            if content.open:
                with content:
                    show.table(table, key=key)
    st.subheader("Assumptions")
    show.assumptions(report.assumptions)
    st.subheader("Get these figures again")
    st.code(report.command, language="bash", wrap_lines=True)
