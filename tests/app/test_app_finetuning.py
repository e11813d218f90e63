"""The Fine-tuning page without a browser."""


def test_the_page_answers_first_and_follows_the_number_of_examples(open_app):
    app = open_app("decide/finetuning", model="tiny-7b")
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has("tuning_memory")
    before = app.text
    app.set("ft_examples", 1_000_000)
    assert app.tracebacks == []
    assert app.text != before


def test_a_link_with_a_matrix_that_does_not_exist_is_explained(open_app):
    app = open_app("decide/finetuning", model="tiny-7b", ft_projections="everything")
    assert app.tracebacks == []
    assert "ft_projections" in app.text
