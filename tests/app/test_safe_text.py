"""What a model wrote never reaches out: no image is fetched, no markup of HTML becomes one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmcompare.ui.safe import NOTHING, markdown, plain

PARSER = MarkdownIt("commonmark")


def kinds(text):
    """Every kind of inline token that a Markdown parser finds."""
    return {child.type for block in PARSER.parse(text) for child in block.children or ()}


pieces = st.lists(
    st.sampled_from(
        ["![", "[", "]", "(http://evil.example/x.png)", "!", "\\", "`", "``", "```\n", "\n", "    ", "> ", "- ", "a b",
         "[r]", "[r]: http://evil.example/y.png\n", "<img src=x>", "~~~\n", "&#33;"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(text=pieces)
def test_no_text_of_a_model_becomes_an_image(text):
    assert "image" not in kinds(markdown(text))


@pytest.mark.parametrize("text", ["![x](http://h/x.png)", "![x][r]\n\n[r]: http://h/y.png", "> - ![x](http://h/x.png)"])
def test_an_image_stays_readable_as_a_link(text):
    assert "image" in kinds(text)
    assert "link_open" in kinds(markdown(text))


@pytest.mark.parametrize(
    "text", [":::note\n```\n:::\n![x](http://h/p.png)\n```", "[^1]: a\n\n    ![x](http://h/p.png)\n\ntext[^1]"]
)
def test_what_only_some_parsers_take_for_code_is_no_image_either(text):
    # Directives and footnotes are Streamlit's own: both fetched the image in Chromium.
    assert not re.search(r"(?<!\\)!\[", markdown(text))


@given(text=st.text())
def test_plain_text_has_no_markup_at_all(text):
    assert kinds(plain(text)) <= {"text", "softbreak", "text_special", "entity"}


ADDRESSES = (r"(?i)(?:https?://|www(?=\.))[-.\w]+", r"[-.\w+]+@[-\w]+")
"""As the parser of Streamlit finds them, in text without backslashes and within one piece of it."""
address_pieces = st.lists(
    st.sampled_from(["http", "HTTPS", ":", "//", "www", ".", "evil", "@", "-", "_", "+", " ", "\\", ":small[]", "é"]),
    max_size=10,
).map("".join)


@given(text=address_pieces)
def test_no_bare_address_in_plain_text_becomes_a_link_and_no_character_is_lost(text):
    seen = [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", piece) for piece in plain(text).split(NOTHING)]
    assert "".join(seen) == text
    assert not [piece for piece in seen for address in ADDRESSES if re.search(address, piece)]
