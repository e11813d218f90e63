"""The Models page without a browser: what fits, a download from a server that speaks the Hub's protocol, the files."""

import hashlib

import pytest

from llmcompare.services import downloads, runs
from tests.models.hub_server import COMMIT, PIECE_BYTES, serving
from tests.tiny_models import write_tiny

PAGE = "try/models"
REPOSITORY = "unsloth/Qwen3-4B-GGUF"
CHOOSE, SEARCH, AT_HAND = "For this machine", "Search the Hub", "At hand"


@pytest.fixture(autouse=True)
def own_var(monkeypatch, tmp_path):
    var = tmp_path / "var"
    (var / "models").mkdir(parents=True)
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", "")
    # Nobody listens there, unless a test starts a server.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return var


@pytest.fixture
def hub(monkeypatch):
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


@pytest.fixture
def tiny(hub, tmp_path, request):
    path = write_tiny(tmp_path / f"{request.node.name[:30]}-Q8_0.gguf", "qwen3")
    hub.files[REPOSITORY] = {path.name: path}
    return path


def press(app, key):
    app.run_of.get_by_key(key).click().run()
    return app


def searched(app, text):
    app.run_of.get_by_key("hub_search").set_value(text)
    return press(app, "hub_search_start")


def looked_at(open_app):
    return press(open_app(PAGE, library_model="qwen3-4b"), "hub_look")


def test_the_page_says_what_fits_with_licence_formats_and_sources(open_app):
    app = open_app(PAGE, library_model="qwen3-4b")
    assert (app.tracebacks, app.errors) == ([], "")
    assert "Qwen3 4B (hybrid thinking) fits this machine as" in app.text
    assert "Licence Apache-2.0: allowed. No clause of its licence stands against it." in app.text
    assert "has the most bits of the quantised formats that fit." in app.text
    formats = app.table("Qwen3 4B (hybrid thinking) in every format").set_index("format")
    # The size of Qwen3-4B-Q4_K_M.gguf as the Hub lists it: 2,497,280,256 bytes.
    assert formats.loc["Q4_K_M", "size_gb"] == pytest.approx(2.497280256, rel=0.01)
    assert set(formats["size_is"]) == {"computed"}
    assert formats["row_id"].notna().all()
    library = app.table("Models for this machine").set_index("model_id")
    assert {"qwen3-0.6b", "llama-3.3-70b-instruct", "ministral-3-8b-instruct", "mistral-7b-instruct-v0.3"} <= set(
        library.index
    )
    assert not library.index.intersection(["qwen3-4b-base", "mixtral-8x7b-v0.1"]).size
    # What runs here stands first.
    assert list(library["fits_as"].notna()) == sorted(library["fits_as"].notna(), reverse=True)
    assert "mistral-medium-3-2505" not in library.index


def test_a_longer_context_leaves_less(open_app):
    app = open_app(PAGE, library_model="qwen3-4b", library_context="131072")
    assert "with 131,072 tokens of context" in app.text
    short = app.table("Models for this machine").set_index("model_id")
    assert short.loc["mistral-7b-instruct-v0.3", "reason"] == "its context ends at 32,768 tokens"


def test_a_file_is_chosen_fetched_checked_and_run(open_app, tiny, own_var):
    app = looked_at(open_app)
    listed = app.table(f"Files of {REPOSITORY}").set_index("file")
    assert listed.loc[tiny.name, "format"] == "Q8_0"
    assert len(listed.loc[tiny.name, "sha256"]) == 64
    assert "licence apache-2.0, not gated" in app.text
    press(app, "hub_fetch")
    job = downloads.running(REPOSITORY, tiny.name)
    assert job.ended.wait(20)
    app.again()
    assert f"{tiny.name} is here and checked" in app.text
    assert (own_var / "models" / REPOSITORY / tiny.name).read_bytes() == tiny.read_bytes()
    app.run_of.query_params["set_model"] = tiny.name
    app.open("try/playground")
    assert app.value("slot_1") == tiny.name
    assert app.tracebacks == []


def test_what_was_looked_at_for_one_model_is_not_offered_for_another(open_app, tiny):
    app = looked_at(open_app)
    assert app.has("hub_fetch")
    assert not app.set("library_model", "llama-3.2-1b-instruct").has("hub_fetch")
    assert not app.set("library_model", "ministral-3-8b-reasoning").has("hub_fetch")
    assert app.set("library_model", "qwen3-4b").has("hub_fetch")


def test_a_download_goes_on_while_pages_change_and_can_be_cancelled_and_gone_on_with(open_app, hub, tiny):
    hub.pause_s = 0.05
    app = press(looked_at(open_app), "hub_fetch")
    job = downloads.running(REPOSITORY, tiny.name)
    app.open("share/data").open(PAGE)
    assert not job.ended.is_set()
    while job.work.progress.done_bytes < 2 * PIECE_BYTES:
        assert not job.ended.wait(0.01), job.error
    press(app, f"cancel_above_{job.job_id}")
    assert job.ended.wait(20)
    hub.pause_s = 0.0
    app.again()
    assert f"Unfinished: {tiny.name} of {REPOSITORY}" in app.text
    (left,) = downloads.unfinished()
    press(app, f"go_on_{left.path}")
    assert downloads.running(REPOSITORY, tiny.name).ended.wait(20)
    app.again()
    assert "were here already" in app.text
    assert app.tracebacks == []


def test_what_an_unfinished_download_left_can_be_removed(open_app, hub, tiny, own_var):
    part = own_var / "models" / REPOSITORY / f"x.gguf.{'a' * 12}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(1000))
    app = open_app(PAGE)
    press(app, f"remove_{part}")
    assert not part.exists()
    assert "Unfinished" not in app.text


def test_a_wrong_checksum_is_said_on_the_page(open_app, hub, tiny):
    hub.listed_checksums[tiny.name] = "c" * 64
    app = press(looked_at(open_app), "hub_fetch")
    assert downloads.running(REPOSITORY, tiny.name).ended.wait(20)
    assert "is refused: its checksum is" in app.again().errors


def test_what_a_hub_lists_is_text_and_no_markup(open_app, hub, tiny):
    name, file = "www.evil.example/b-GGUF", "[x](evil) www.evil.example **b** a@evil.example.gguf"
    hub.licence = "[mit](http://evil.example) www.evil.example <b>b</b>"
    hub.files[name] = {file: tiny}
    hub.listed_checksums[file] = "c" * 64
    app = press(searched(open_app(PAGE, models_view=SEARCH), "evil"), "hub_hit_look")
    assert list(app.table(f"Files of {name}")["file"]) == [file]
    press(app, "hub_fetch")
    assert downloads.running(name, file).ended.wait(60)
    app.again()
    assert f"licence {hub.licence}" in app.text
    assert f"{file} is refused" in app.errors
    for text in app.raw_texts:
        assert not ("evil" in text and [mark for mark in ("](", "www.", "//", "<b>", "**b") if mark in text]), text


def test_without_a_network_the_page_works_and_the_hub_says_so(open_app):
    app = looked_at(open_app)
    assert "unsloth/Qwen3-4B-GGUF cannot be read from the Hub: the Hub cannot be reached" in app.warnings
    assert "fits this machine" in app.text or "does not run here" in app.text
    assert (app.tracebacks, app.errors) == ([], "")


def test_offline_is_said_and_the_files_at_hand_stay(open_app, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in looked_at(open_app).warnings
    assert "1 model file at hand" in open_app(PAGE, models_view=AT_HAND).text


def test_what_other_programs_fetched_is_offered_and_taken_over_without_a_network(open_app, own_var, tmp_path):
    path = write_tiny(tmp_path / "cached-Q8_0.gguf", "qwen3")
    content = path.read_bytes()
    place = tmp_path / "home" / "hub" / f"models--{REPOSITORY.replace('/', '--')}"
    blob = place / "blobs" / hashlib.sha256(content).hexdigest()
    for folder in (blob.parent, place / "snapshots" / COMMIT):
        folder.mkdir(parents=True)
    blob.write_bytes(content)
    (place / "snapshots" / COMMIT / path.name).symlink_to(f"../../blobs/{blob.name}")
    app = looked_at(open_app)
    assert "the Hub cannot be reached" in app.warnings
    assert path.name in set(app.table(f"Files of {REPOSITORY}")["file"])
    assert "found in the cache of the Hub's client" in app.text
    app = press(open_app(PAGE, models_view=AT_HAND), "in_cache_use")
    assert downloads.running(REPOSITORY, path.name).ended.wait(20)
    app.again()
    assert f"{path.name} is here and checked" in app.text
    assert (own_var / "models" / REPOSITORY / path.name).is_symlink()
    assert not app.has("in_cache_use")
    assert app.tracebacks == []


def test_a_search_leads_to_the_files_of_a_repository(open_app, tiny):
    app = press(searched(open_app(PAGE, models_view=SEARCH), "qwen3-4b"), "hub_hit_look")
    assert tiny.name in set(app.table(f"Files of {REPOSITORY}")["file"])
    searched(app, "nothing of the kind")
    assert "knows no repository" in app.text


def test_files_at_hand_are_listed_with_template_and_warnings(open_app, own_var):
    write_tiny(own_var / "models" / "bare.gguf", "qwen3", chat_template=None)
    (own_var / "models" / "notes.gguf").write_text("these are notes")
    app = open_app(PAGE, models_view=AT_HAND, at_hand_file="bare.gguf")
    listed = app.table("Model files at hand").set_index("file")
    assert "is no GGUF file" in listed.loc["notes.gguf", "note"]
    assert listed.loc["bare.gguf", "in_memory"] == "not loaded"
    assert "It has no chat template" in app.warnings
    assert "more than the 256 it was trained with" in app.warnings
    app.set("at_hand_file", "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert "Nothing is wrong with it" in app.text
    assert any("Why is the sky blue?" in str(code.value) for code in app.run_of.code)
    assert not app.has("at_hand_delete")
    assert app.tracebacks == []


def test_a_file_is_deleted_after_asking_with_its_notes(open_app, own_var):
    path = write_tiny(own_var / "models" / "gone.gguf")
    note = path.with_name("gone.gguf.hub.json")
    note.write_text("{}")
    app = open_app(PAGE, models_view=AT_HAND, at_hand_file="gone.gguf")
    assert "go for good" in app.text
    press(app, "at_hand_delete")
    assert not path.exists()
    assert not note.exists()
    assert "1 model file at hand" in app.text


def test_a_model_can_be_pinned_and_unpinned(open_app, own_var):
    path = write_tiny(own_var / "models" / "kept.gguf")
    app = press(open_app(PAGE, models_view=AT_HAND, at_hand_file="kept.gguf"), "at_hand_pin")
    assert runs.pool().pinned() == {path}
    assert app.table("Model files at hand").set_index("file").loc["kept.gguf", "pinned"] == "yes"
    press(app, "at_hand_pin")
    assert runs.pool().pinned() == frozenset()


def test_a_file_of_anywhere_is_looked_at_and_linked(open_app, own_var, tmp_path):
    path = write_tiny(tmp_path / "elsewhere.gguf")
    app = open_app(PAGE, models_view=AT_HAND).set("any_file", str(path))
    press(app, "any_link")
    assert (own_var / "models" / "elsewhere.gguf").resolve() == path
    assert "2 model files at hand" in app.text
    assert "is no GGUF file" in app.set("any_file", "/nowhere/notes.txt").errors


def test_a_link_to_a_model_that_is_not_here_is_explained(open_app):
    app = open_app("try/playground", set_model="nobody.gguf")
    assert "There is no model file 'nobody.gguf' here" in app.warnings


def test_a_link_to_a_model_of_the_catalogue_chooses_its_file_and_says_where_to_fetch_it_without_one(open_app, own_var):
    app = open_app("try/playground", set_model="qwen3-8b")
    assert app.tracebacks == []
    assert "No file of Qwen3 8B (hybrid thinking) is here yet" in app.text
    # Made of its name alone, which is what tells whose file it is.
    write_tiny(own_var / "models" / "Qwen3-8B-Q4_K_M.gguf")
    app = open_app("try/playground", set_model="qwen3-8b")
    assert app.value("slot_1") == "Qwen3-8B-Q4_K_M.gguf"
    assert "No file of" not in app.text
