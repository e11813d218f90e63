"""Files behind a prompt: what is text, how it is put together, and whether it has room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.errors import InputError
from llmcompare.services.attachments import LARGEST_BYTES, Attached, attached, room, with_files


def test_a_text_file_with_a_byte_order_mark_is_its_text():
    assert attached("notes.txt", "\ufeffäß\n".encode()) == Attached(name="notes.txt", text="äß\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7 \xe2\xe3", r"a.pdf is no UTF-8 text \(byte 9\)"),
        (b"a\0b", "holds bytes of value 0"),
        (b" \n", "a.pdf is empty"),
        (b"x" * (LARGEST_BYTES + 1), "a.pdf has 4.0 MB: give at most 4 MB"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(content, says):
    with pytest.raises(InputError, match=says):
        attached("a.pdf", content)


def test_a_prompt_without_files_is_as_it_was():
    assert with_files("Why?", []) == "Why?"


@given(texts=st.lists(st.text(alphabet="ab \n", min_size=1, max_size=30), max_size=4))
def test_every_text_stands_in_the_prompt_in_order(texts):
    whole = with_files("Compare.", [Attached(name=f"{at}.txt", text=text) for at, text in enumerate(texts)])
    places = [whole.index(f"--- {at}.txt ---\n{text.rstrip()}\n") for at, text in enumerate(texts)]
    assert places == sorted(places)
    assert whole.startswith("Compare.")


@pytest.mark.parametrize(
    ("characters", "fits", "says"),
    [(4000, True, "it fits"), (15_000, True, "can have about 346 tokens and then ends"), (17_000, False, "not fit")],
)
def test_a_long_prompt_is_held_against_the_context(characters, fits, says):
    # 4 characters a token: 1,000, 3,750 and 4,250 of 4,096 tokens.
    found = room("x" * characters, context_tokens=4096, max_tokens=512)
    if characters == 4000:
        assert found is None
        found = room("x" * 8000, context_tokens=4096, max_tokens=512)
    assert found.fits == fits
    assert says in found.sentence
