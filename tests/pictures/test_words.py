"""The words of a prompt: the same for every spelling, and never more than are worth keeping."""

import re

from falgate.pictures.words import WORDS_MAX, word_names, words_of


def test_words_are_letters_and_digits_without_case_and_once_each() -> None:
    assert words_of("A cat, THE Cat & 2 cats!") == ("a", "cat", "the", "2", "cats")


def test_spellings_of_one_letter_are_the_same_word() -> None:
    assert words_of("Straße CAFE\u0301 \uff23at") == words_of("STRASSE caf\u00e9 cat")


def test_characters_that_stand_for_words_are_words() -> None:
    assert words_of("東京のcat") == ("東", "京", "の", "cat")


def test_the_number_and_length_of_words_is_bounded() -> None:
    assert len(words_of(" ".join(str(number) for number in range(10_000)))) == WORDS_MAX
    assert max(map(len, words_of("x" * 100_000))) <= 64
    assert words_of("?! \u202e <>") == ()


def test_names_of_words_do_not_tell_them() -> None:
    (name,) = word_names("Lighthouse")

    assert re.fullmatch("[0-9a-f]{24}", name)
    assert word_names("lighthouse") == (name,)
