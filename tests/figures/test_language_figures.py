"""Charts of tokens: what is drawn is what was counted, and names are safe."""

from llmcompare import figures
from llmcompare.core.cost import Band
from llmcompare.figures.languages import LanguageDot, TokenBar
from llmcompare.figures.style import FAMILY_COLOURS

HOSTILE = "<script>alert(1)</script>"


def bar(name, family, mid, *, age=0):
    band = Band(low=0.9 * mid, mid=mid, high=1.2 * mid)
    return TokenBar(name=name, family=family, age=age, tokens=band, times_fewest=mid / 100)


def test_bars_have_the_tokens_their_spread_and_the_family_colours():
    figure = figures.token_bars([bar("New", "qwen", 100), bar("Old", "llama", 250, age=2)])
    bars, names = figure.data
    assert list(bars.x) == [100, 250]
    assert list(bars.error_x.array) == [20, 50]
    assert list(bars.error_x.arrayminus) == [10, 25]
    assert list(bars.marker.line.color) == [FAMILY_COLOURS["qwen"], FAMILY_COLOURS["llama"]]
    assert list(names.text) == ["<b>New</b>: 100, 1.00×", "<b>Old</b>: 250, 2.50×"]
    assert figure.layout.xaxis.title.text == "tokens of the text"


def dot(language, tokenizer, family, value, *, age=0):
    return LanguageDot(language=language, tokenizer=tokenizer, family=family, age=age, value=value)


def test_every_tokenizer_of_a_family_has_a_mark_of_its_own():
    dots = [dot("German", f"T{age}", "llama", 1 + age, age=age) for age in range(3)]
    figure = figures.language_dots(dots, x_title="times", marked="German")
    assert len({(trace.marker.symbol, trace.marker.color) for trace in figure.data}) == 3
    assert [list(trace.y) for trace in figure.data] == [["<b>German</b>"]] * 3


def test_languages_stand_in_the_order_given_from_the_top():
    dots = [dot(name, "T", "qwen", value) for name, value in (("Thai", 1.2), ("Hindi", 2.0))]
    figure = figures.language_dots(dots, x_title="times", marked="Hindi")
    assert list(figure.layout.yaxis.categoryarray) == ["<b>Hindi</b>", "Thai"]
    assert figure.layout.xaxis.type == "log"


def test_markup_in_names_reaches_no_chart_unescaped():
    drawn = figures.token_bars([bar(HOSTILE, "qwen", 10)]).to_json()
    drawn += figures.language_dots([dot(HOSTILE, HOSTILE, "qwen", 2.0)], x_title="times", marked=HOSTILE).to_json()
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn.replace("\\u003c", "<").replace("\\u003e", ">")
