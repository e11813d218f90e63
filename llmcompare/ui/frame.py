"""The frame around every page: settings, navigation, the shared inputs, and what stands in the way."""

from datetime import date
from pathlib import Path

import streamlit as st

from llmcompare import __version__
from llmcompare.core.scenario import Scenario
from llmcompare.errors import DataError, InputError, LlmCompareError
from llmcompare.services import catalogue
from llmcompare.services.catalogue import Facts, State
from llmcompare.store.paths import PROJECT_FOLDER
from llmcompare.ui import inputs
from llmcompare.ui.safe import plain

PAGES = PROJECT_FOLDER / "pages"
CELLS_LISTED = 20
LOOK_AGAIN_S = 3
"""How often an open page looks whether a file of data/ changed."""


def run() -> None:
    """One run of the app."""
    # Without a menu item the minimal toolbar hides the menu, and with it the choice of light and dark.
    about = f"llmcompare {__version__}: every number has a source and a date, every estimate an error bar."
    # A file of our own: the browser would ask another host for a named icon.
    icon = Path(__file__).with_name("icon.png")
    st.set_page_config("llmcompare", icon, layout="wide", menu_items={"About": about})
    st.html(Path(__file__).with_name("touch.css"))
    page = st.navigation(
        {
            "Decide": [
                st.Page(
                    PAGES / "decide/overview.py", title="Overview", icon=":material/home:", default=True,
                    help="What this answers, quality against cost, age of the data.",
                ),
                st.Page(
                    PAGES / "decide/advisor.py", title="Advisor", icon=":material/assistant_direction:",
                    help="Which deployment fits your need best, how sure that is, and what would change it.",
                ),
                st.Page(
                    PAGES / "decide/costs.py", title="Costs", icon=":material/show_chart:",
                    help="What every way to serve the workload costs, over volume and part by part.",
                ),
                st.Page(
                    PAGES / "decide/workload.py", title="Workload", icon=":material/query_stats:",
                    help="Your request log or bill as a workload, and forecast against actual.",
                ),
                st.Page(
                    PAGES / "decide/breakeven.py", title="Breakeven", icon=":material/balance:",
                    help="Where two options cross, how sure that is, and what it hangs on.",
                ),
                st.Page(
                    PAGES / "decide/finetuning.py", title="Fine-tuning", icon=":material/tune:",
                    help="Memory, hours and cost of tuning, next to a longer prompt or a larger model.",
                ),
            ],
            "Explore": [
                st.Page(
                    PAGES / "explore/hardware.py", title="Hardware", icon=":material/memory:",
                    help="Which machines hold a model, how fast it is there, and how sure that is.",
                ),
                st.Page(
                    PAGES / "explore/capability.py", title="Capability", icon=":material/leaderboard:",
                    help="Which model is better at what, from published scores, and how sure that is.",
                ),
                st.Page(
                    PAGES / "explore/families.py", title="Families", icon=":material/account_tree:",
                    help="Who may be used for a need and which clause is against it; sizes, frameworks, communities.",
                ),
                st.Page(
                    PAGES / "explore/languages.py", title="Languages", icon=":material/translate:",
                    help="The same text in each family: tokens, price, and who names or tests the language.",
                ),
                st.Page(
                    PAGES / "explore/guide.py", title="Guide, checked", icon=":material/fact_check:",
                    help="What a popular buying guide says, statement by statement, against rows and arithmetic.",
                ),
            ],
            "Try": [
                st.Page(
                    PAGES / "try/models.py", title="Models", icon=":material/deployed_code:",
                    help="Model files for this machine: which fit, how fast, fetched and checked, and those at hand.",
                ),
                st.Page(
                    PAGES / "try/playground.py", title="Playground", icon=":material/forum:",
                    help="One prompt through models side by side, here or behind an endpoint.",
                ),
                st.Page(
                    PAGES / "try/arena.py", title="Arena", icon=":material/swords:",
                    help="Vote blind on two replies; ratings with intervals, and votes that would settle them.",
                ),
            ],
            "Share": [
                st.Page(
                    PAGES / "share/report.py", title="Report", icon=":material/description:",
                    help="The comparison as a file that works without a network.",
                ),
                st.Page(
                    PAGES / "share/moved.py", title="What moved", icon=":material/trending_up:",
                    help="Prices, models and scores that changed since a day.",
                ),
                st.Page(
                    PAGES / "share/data.py", title="Data", icon=":material/table:",
                    help="Every table with its sources, dates and gaps.",
                ),
            ],
        },
        # Folded, the pages to try a model and to report were out of sight behind "View 5 more".
        expanded=True,
    )  # fmt: skip
    # Taken before the look, so that an edit in between is seen by the next poll.
    signature = catalogue.data_signature()
    state = catalogue.current(date.today())
    _show_problem(state)
    _follow_data(signature)
    if state.facts is None:
        st.stop()
    st.session_state["state"] = state
    try:
        st.session_state["scenario"] = inputs.pick_scenario(state.facts)
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        st.stop()
    try:
        page.run()
    except LlmCompareError as problem:
        st.error(plain(str(problem)), icon=":material/error:")


def facts() -> Facts:
    """The catalogue's rows, for a page."""
    state: State = st.session_state["state"]
    return state.usable()


def scenario() -> Scenario:
    """What the shared inputs say, for a page."""
    found: Scenario = st.session_state["scenario"]
    return found


def _show_problem(state: State) -> None:
    if isinstance(state.problem, DataError):
        cells = state.problem.cells
        rest = len(cells) - CELLS_LISTED
        use = "There are no earlier figures to show" if state.facts is None else "The last good figures stay in use"
        st.error(
            f"**{state.problem.count_text}. {use} until corrected.**\n\n"
            + "\n".join(f"- {plain(str(cell))}" for cell in cells[:CELLS_LISTED])
            + (f"\n- and {rest} more: `python -m llmcompare seed` lists them all" if rest > 0 else ""),
            icon=":material/error:",
        )
    elif state.problem is not None:
        st.error(plain(str(state.problem)), icon=":material/error:")


@st.fragment(run_every=LOOK_AGAIN_S)
def _follow_data(signature: object) -> None:
    if catalogue.data_signature() != signature:
        st.rerun(scope="app")
