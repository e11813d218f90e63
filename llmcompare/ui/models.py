"""The parts of the Models page that choose and fetch: the library, one model, a repository of the Hub, downloads."""

from collections.abc import Sequence

import streamlit as st

from llmcompare.core.licences import LicenceNeed
from llmcompare.core.memory import Use
from llmcompare.core.units import counted
from llmcompare.errors import LlmCompareError
from llmcompare.models import hub_cache, hub_files
from llmcompare.models.hub_files import HubHit, HubRepository
from llmcompare.services import downloads, models, models_out, plans
from llmcompare.services.catalogue import Facts
from llmcompare.services.here import Here, look_here, unused_gpu_text
from llmcompare.services.models import Entry, HubOffer
from llmcompare.ui import frame, show
from llmcompare.ui.downloads import show_beside, start
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

CHOOSE, SEARCH, AT_HAND = VIEWS = ("For this machine", "Search the Hub", "At hand")
CONTEXTS = [1_024 * 2**step for step in range(8)]
USUAL_MODEL = "qwen3-4b"
LISTING, HITS = "hub_listing", "hub_hits"
FROM_CACHE = "It is in the cache: nothing comes, its checksum is compared, and a link to it is put among the models."


def pick_view() -> str:
    """What the page is about now."""
    found: str = st.segmented_control(
        "Models", VIEWS, default=CHOOSE, key="models_view", bind=BOUND, required=True, label_visibility="collapsed"
    )
    return found


def pick_here() -> Here:
    """This machine, with the context that a model must hold."""
    context = st.select_slider(
        "Context, tokens", CONTEXTS, value=plans.DEFAULT_CONTEXT_TOKENS, key="library_context", bind=BOUND,
        help="Prompt and reply together, that must fit beside the weights.",
    )  # fmt: skip
    return look_here(Use(context_tokens=int(context)))


# --- choosing ---------------------------------------------------------------------------------------------------------


def choose(facts: Facts, here: Here) -> Entry:
    """The answer, the model that is looked at, and every model behind it."""
    answer = st.container()
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    commercial = right.toggle("For commercial use", value=True, key="library_commercial", bind=BOUND)
    found = models.entries(facts, here, LicenceNeed(commercial_use=commercial))
    by_id = {one.model.model_id: one for one in found}
    ids = list(by_id)
    picked = left.selectbox(
        "Model to look at", ids, index=ids.index(USUAL_MODEL) if USUAL_MODEL in by_id else 0, key="library_model",
        bind=BOUND, help="Those that run here first, the newest first; type to search.",
    )  # fmt: skip
    answer.caption(plain(models_out.answer(found, here)))
    with st.expander(f"All {len(found)} models on this machine"):
        show.table(models_out.library_table(found), key="model_library")
    return by_id[picked]


def show_answer(one: Entry, here: Here) -> None:
    """One model: whether it fits, as what and why, how fast, who may use it."""
    st.markdown(f"#### {plain(models_out.entry_answer(one, here))}")
    if why := models_out.why_text(one):
        st.markdown(plain(why))
    if said := unused_gpu_text(here):
        st.caption(plain(said))
    if not here.speeds_are_predicted:
        st.page_link(
            frame.PAGES / "explore/hardware.py", label="Measure this machine, a minute", icon=":material/speed:",
            query_params={"view": "This machine"},
        )  # fmt: skip
    url = one.licence.url
    link = f" [Read it]({url})" if url and url.startswith("https://") else ""
    st.markdown(f":material/gavel: {plain(models_out.licence_text(one))}{link}")


def show_formats(one: Entry) -> None:
    """One model in every format."""
    if one.offers:
        st.subheader("In every format")
        show.table(models_out.format_table(one), key="formats")
        st.caption("Sizes are computed from layers and formats until the Hub is asked, whose own figures count.")
        st.page_link(
            frame.PAGES / "explore/capability.py", label="What fewer bits cost in quality", icon=":material/balance:",
            query_params={"capability_view": "Weight formats"},
        )  # fmt: skip


# --- the Hub ----------------------------------------------------------------------------------------------------------


def show_search() -> None:
    """Repositories whose name holds some words."""
    with st.form("hub_search_form", border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        text = left.text_input("Part of a name", key="hub_search", placeholder="Qwen3-4B GGUF")
        is_asked = right.form_submit_button("Search", key="hub_search_start", icon=":material/search:", width="stretch")
    if is_asked:
        _search(text)
    _pick_hit()


def _search(text: str) -> None:
    try:
        st.session_state[HITS] = text, hub_files.search(text)
    except LlmCompareError as problem:
        st.session_state.pop(HITS, None)
        st.warning(plain(str(problem)), icon=":material/cloud_off:")


def _hits(text: str | None) -> list[HubHit] | None:
    """Of the last search; with a text, None where that was for another one."""
    searched, hits = st.session_state.get(HITS, (None, None))
    return hits if text in (None, searched) else None


def _pick_hit(text: str | None = None) -> None:
    hits = _hits(text)
    if hits is None:
        return
    if not hits:
        st.info("The Hub knows no repository with GGUF files of this name.", icon=":material/search_off:")
        return
    about = {hit.name: _hit_text(hit) for hit in hits}
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    name = left.selectbox("Found", list(about), key="hub_hit", format_func=lambda one: about[one])
    if right.button("Look at it", key="hub_hit_look", icon=":material/folder_open:", width="stretch"):
        _look_at(name)


def _hit_text(hit: HubHit) -> str:
    fetched = "" if hit.downloads is None else f", fetched {counted(hit.downloads, 'time')} last month"
    return f"{hit.name}{fetched}{', gated' if hit.gated else ''}"


def _look_at(name: str) -> None:
    try:
        st.session_state[LISTING] = hub_files.repository(name.strip())
    except LlmCompareError as problem:
        st.session_state[LISTING] = hub_cache.cached_repository(name.strip())
        st.warning(plain(str(problem)), icon=":material/cloud_off:")


def show_repository(facts: Facts, here: Here, one: Entry | None) -> None:
    """The files of a repository with true sizes and checksums, and the button that fetches one."""
    if one is not None:
        st.subheader("Files on the Hub")
        _ask_for(one)
    found: HubRepository | None = st.session_state.get(LISTING)
    if found is None or (one is not None and not _belongs_to(found, one)):
        return
    model_id = one.model.model_id if one is not None and one.model.gguf_repo == found.name else _model_of(facts, found)
    offers = models.hub_offers(found, facts.shapes.get(model_id or ""), here)
    changed = "" if found.changed_on is None else f", changed on {found.changed_on}"
    st.markdown(plain(f"{found.name} @ {found.commit[:7]}{changed}: {counted(len(offers), 'model')}, {_terms(found)}."))
    if not offers:
        st.info("It has no GGUF file that can be run.", icon=":material/info:")
        return
    show.table(models_out.hub_table(found, offers), key="hub_files")
    if model_id is None:
        st.caption("Whether it fits is not said: the catalogue does not know this repository. The file itself tells.")
    _fetch(found, offers, one)


def _belongs_to(found: HubRepository, one: Entry) -> bool:
    """What was looked at for another model, and fetched from there, would not be this one."""
    if one.model.gguf_repo is not None:
        return found.name == one.model.gguf_repo
    return found.name in {hit.name for hit in _hits(_search_words(one)) or ()}


def _terms(found: HubRepository) -> str:
    if found.is_cached:
        return "found in the cache of the Hub's client, where other programs put what they fetched"
    gate = "gated: its owner asks for an agreement first" if found.gated else "not gated"
    return f"licence {found.licence or 'not stated'}, {gate}"


def _ask_for(one: Entry) -> None:
    name = one.model.gguf_repo
    if name is None:
        st.caption("The catalogue names no repository with GGUF files of it: search for one.")
        if st.button("Search the Hub for it", key="hub_search_this", icon=":material/search:"):
            _search(_search_words(one))
        _pick_hit(_search_words(one))
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(plain(f"Repository: {name}. Files, sizes and checksums are asked for now, not kept."))
    if right.button("Look at the Hub", key="hub_look", icon=":material/cloud:", width="stretch"):
        _look_at(name)


def _search_words(one: Entry) -> str:
    """Names of repositories have no brackets."""
    return one.model.display_name.partition("(")[0].strip().replace(" ", "-")


def _model_of(facts: Facts, found: HubRepository) -> str | None:
    return next((model.model_id for model in facts.models.values() if model.gguf_repo == found.name), None)


def _fetch(found: HubRepository, offers: Sequence[HubOffer], entry: Entry | None) -> None:
    by_path = {one.listed.path: one for one in offers}
    best = models.first_choice(offers, entry)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    path = left.selectbox(
        "File", list(by_path), index=list(by_path).index(best.listed.path), key=f"hub_file_{found.name}",
        format_func=lambda name: _file_text(by_path[name]),
    )  # fmt: skip
    if right.button("Fetch", key="hub_fetch", type="primary", icon=":material/download:", width="stretch"):
        start(found.name, path)
    show_beside(found.name, path, FROM_CACHE if found.is_cached else _before(by_path[path]))


def _before(one: HubOffer) -> str:
    """What there is to know before it is fetched."""
    room = "" if one.listed.size_bytes is None else downloads.room_text(one.listed.size_bytes)
    return room if one.offer is None or one.offer.fits else f"{room} It does not fit the memory that is free now."


def _file_text(one: HubOffer) -> str:
    size = one.listed.size_bytes
    return f"{one.listed.path}, {'size not known' if size is None else models_out.gb_text(size)}"
