"""Replies that grow on the page while models write them, without a run of the script for every few words.

A run of a fragment costs 0.03 s of a core here and 0.06 s in the browser, whatever it draws: Streamlit goes through the
whole page each time. So the words come by a route of their own, and the fragment brings the rest once a second.
"""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from llmcompare.services import live_replies

POLL_S = 1.0
"""How often the fragment beside it looks."""
SCRIPT = Path(__file__).with_name("live.js")
CSS = """
pre { height: HEIGHTpx; overflow-y: auto; margin: 0; padding: 1rem; box-sizing: border-box;
  white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 0.5rem;
  font-family: var(--st-code-font); font-size: var(--st-code-font-size, 0.875rem); line-height: 1.5;
  background: var(--st-code-background-color); color: var(--st-text-color); }
"""


def reply(run_id: str, slot: int, text: str, *, height_px: int) -> None:
    """The box of a reply that is being written; `text` is what it holds before the first word comes by the route."""
    box = st.components.v2.component(
        "live_reply",
        html='<pre class="live-reply" tabindex="0"></pre>',
        css=CSS.replace("HEIGHT", str(height_px)),
        js=SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )
    box(data={"run": run_id, "slot": slot, "text": text}, key=f"live_{run_id}_{slot}", on_ended_change=_see_end)


def _see_end() -> None:
    """The run of the script that follows draws the end."""


async def _news(request: Request) -> Response:
    known = request.query_params.get("known", "")
    counts = [int(part) if part.isdecimal() else 0 for part in known.split(",")]
    found = live_replies.news(request.path_params["run_id"], counts)
    if found is None:
        return JSONResponse({"error": "There is no run with this id here."}, status_code=404)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


route = Route("/live/{run_id}", _news)
"""Who knows the id of a run may read it, as on the page."""
