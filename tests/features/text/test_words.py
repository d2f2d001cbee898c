import pytest

from pipeline.features.text.words import spellings, tokens_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't worry, be happy!", ["don't", "worry", "be", "happy"]),
        ("I\u2019m fine\u2026 aren\u2018t you?", ["i'm", "fine", "aren't", "you"]),
        ("'tis rock 'n' roll - really", ["tis", "rock", "n", "roll", "really"]),
        ("well-known -- well", ["well-known", "well"]),
        ("hello,world.Yes", ["hello", "world", "yes"]),
        ("$15,000 on 2006", ["15", "000", "on", "2006"]),
        ("gr\u00fcn gru\u0308n", ["gr\u00fcn", "gr\u00fcn"]),  # composed and decomposed
        ("\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", ["नमस्ते", "दुनिया"]),
        ("a\u00a0b\tc\r\nd\u200be", ["a", "b", "c", "d", "e"]),
        ("\ufeffco\u00adoperate \u202eme", ["cooperate", "me"]),  # marks that nobody sees
        (":-) ... ♥ ' -", []),
        ("", []),
        ("STRASSE Straße İ", ["strasse", "straße", "i\u0307"]),
    ],
)
def test_words_are_runs_of_letters_without_punctuation(text, words):
    assert words_of(text, lower_case=True) == words


def test_capitals_stay_where_they_are_wanted():
    assert words_of("Don't SHOUT", lower_case=False) == ["Don't", "SHOUT"]


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("fine", [("fine",)]),
        ("don't", [("don't",), ("do", "n't"), ("don", "t")]),
        ("it's", [("it's",), ("it", "'s"), ("it", "s")]),
        ("well-known", [("well-known",), ("well", "known")]),
        ("Can't", [("Can't",), ("Ca", "n't"), ("Can", "t"), ("can't",), ("ca", "n't"), ("can", "t")]),
    ],
)
def test_the_spellings_of_tables(word, forms):
    assert list(spellings(word)) == forms


def test_the_first_spelling_of_which_all_is_known_counts():
    assert tokens_of("don't", {"don't", "do", "n't"}) == ("don't",)
    assert tokens_of("don't", {"do", "n't", "don", "t"}) == ("do", "n't")
    assert tokens_of("don't", {"do", "don", "t"}) == ("don", "t")
    assert tokens_of("Happy", {"happy"}) == ("happy",)
    assert tokens_of("don't", {"do"}) == ()


def test_quotes_of_windows_that_became_control_characters():
    assert words_of("He\u0092s \u0093late\u0094\u0085 isn\u0092t he\u0096no?", lower_case=True) == [
        "he's", "late", "isn't", "he", "no",
    ]  # fmt: skip
