"""Bytes of tokens become text: whole characters only, nothing at or after a stop string."""

from hypothesis import given
from hypothesis import strategies as st

from llmcompare.engines.text import TextStream


def cut(raw: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes in pieces that end at the given places."""
    places = sorted({place % (len(raw) + 1) for place in cuts})
    return [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]


@given(text=st.text(), cuts=st.lists(st.integers(0, 500)))
def test_text_comes_out_whole_however_the_bytes_are_cut(text, cuts):
    stream = TextStream()
    out = [stream.push(piece) for piece in cut(text.encode(), cuts)]
    assert "".join(out) + stream.finish() == text


@given(raw=st.binary(), cuts=st.lists(st.integers(0, 500)))
def test_bytes_that_are_no_utf_8_never_raise_and_give_what_python_gives(raw, cuts):
    stream = TextStream()
    out = "".join(stream.push(piece) for piece in cut(raw, cuts)) + stream.finish()
    assert out == raw.decode("utf-8", errors="replace")


@given(
    text=st.text("abé<>|", max_size=40),
    stops=st.lists(st.text("abé<>|", min_size=1, max_size=4), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 100)),
)
def test_nothing_at_or_after_the_first_stop_string_comes_out(text, stops, cuts):
    stream = TextStream(stop=tuple(stops))
    out = ""
    for piece in cut(text.encode(), cuts):
        out += stream.push(piece)
    out += stream.finish()
    ends = [text.find(stop) for stop in stops if stop in text]
    if ends:
        # A stop string is seen as soon as it is complete, so the first complete one decides, not the leftmost.
        assert stream.stopped
        assert not any(stop in out for stop in stops)
        assert text.startswith(out)
        assert any(text.startswith(stop, len(out)) for stop in stops)
    else:
        assert not stream.stopped
        assert out == text


def test_a_possible_stop_string_is_held_back_until_it_is_certain():
    stream = TextStream(stop=("<end>",))
    assert stream.push(b"hi <en") == "hi "
    assert stream.push(b"try") == "<entry"


def test_text_after_the_stop_string_is_ignored():
    stream = TextStream(stop=("END",))
    assert stream.push(b"one END two") == "one "
    assert stream.push(b"three") == ""
    assert stream.finish() == ""
