"""Runs the app without a browser, on a catalogue of its own."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from llmcompare.services import catalogue
from llmcompare.services.catalogue import Facts
from llmcompare.store.paths import Folders
from llmcompare.ui.safe import NOTHING

PROJECT = Path(__file__).resolve().parents[2]
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class App:
    """One browser tab: the app as AppTest runs it, with the words that a reader would see."""

    def __init__(self, page: str, link: dict[str, str]) -> None:
        self.run_of = AppTest.from_file(str(PROJECT / "llmcompare/ui/main.py"), default_timeout=60)
        for name, value in link.items():
            self.run_of.query_params[name] = value
        # A browser's mark comes with its cookies, and there is no browser here.
        self.run_of.session_state["person"] = "tester"
        self.open(page)

    def open(self, page: str) -> "App":
        """Choose a page, for example decide/costs."""
        self.run_of.switch_page(str(PROJECT / "pages" / f"{page}.py")).run()
        return self

    def again(self) -> "App":
        """Run the script once more, as the fragment does that watches data/."""
        self.run_of.run()
        return self

    def set(self, key: str, value: object) -> "App":
        """What a person does with one input."""
        self.run_of.get_by_key(key).set_value(value).run()
        return self

    def reveal(self, key: str, value: object = True) -> "App":
        """Open an expander, or choose a tab by its name: only what is open is drawn."""
        self.run_of.session_state[key] = value
        self.run_of.run()
        return self

    def value(self, key: str) -> object:
        return self.run_of.get_by_key(key).value

    def table(self, title: str) -> pd.DataFrame:
        """The table that a screen reader announces with this title, as it is sent to the browser."""
        found = [element for element in self.run_of.dataframe if element.proto.alt == title]
        assert len(found) == 1, f"{len(found)} tables are called {title!r}"
        return found[0].value

    def tables(self) -> list[str]:
        return [element.proto.alt for element in self.run_of.dataframe]

    def has(self, key: str) -> bool:
        return any(getattr(element, "key", None) == key for element in self.run_of.main)

    @property
    def raw_texts(self) -> list[str]:
        """Markdown as it is sent, before a browser reads it."""
        kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")
        return [str(element.value) for kind in kinds for element in self.run_of.get(kind)]

    @property
    def text(self) -> str:
        """The words on the page, without what keeps them from being markup."""
        return "\n".join(map(read, self.raw_texts))

    @property
    def errors(self) -> str:
        return "\n".join(read(str(element.value)) for element in self.run_of.error)

    @property
    def warnings(self) -> str:
        return "\n".join(read(str(element.value)) for element in self.run_of.warning)

    @property
    def tracebacks(self) -> list[str]:
        return [f"{element.message}\n{element.stack_trace}" for element in self.run_of.exception]


def read(markdown: str) -> str:
    """What is left of Markdown for a reader, as far as escaping goes."""
    return ESCAPED.sub(r"\1", markdown.replace(NOTHING, ""))


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, real_folders: Folders) -> None:
    """The project's data, and a var folder that is not the user's."""
    monkeypatch.setenv("LLMCOMPARE_DATA", str(real_folders.data))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(real_folders.var))


@pytest.fixture
def own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of data/ that the test may edit, with a var folder that is still empty."""
    shutil.copytree(PROJECT / "data", tmp_path / "data")
    monkeypatch.setenv("LLMCOMPARE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))
    return tmp_path / "data"


@pytest.fixture
def open_app() -> Callable[..., App]:
    """Open a page, Overview by default, with the parameters of a link."""
    return lambda page="decide/overview", **link: App(page, link)


@pytest.fixture
def facts(real_folders: Folders) -> Facts:
    """The rows that the app shows."""
    return catalogue.current(date.today(), real_folders).usable()
