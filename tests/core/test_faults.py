"""What errors say, without secrets."""

import pytest

from falgate.core.faults import kind, words


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "OSError"),
        ("no such name", "OSError: no such name"),
        ("two\nlines", "OSError: two lines"),
        ("at http://h:1/services/T0/canary?x=y now", "OSError: at http://h:1 now"),
        ("at 'https://u:canary@h/x' now", "OSError: at 'https://***' now"),
        ("u:canary@proxy:3128", "OSError: ***"),
        ("/queue/x?fal_webhook=canary", "OSError: /queue/x"),
        ("said\n\nDebug source: much", "OSError: said"),
        ("bell \x07", "OSError: bell ?"),
        ("x" * 1000, "OSError: " + "x" * 291),
    ],
)
def test_an_error_is_its_kind_and_its_words_in_one_short_line(said: str, told: str) -> None:
    assert words(OSError(said)) == told
    assert kind(told) == "OSError"


def test_paths_stay_where_they_are_no_secret() -> None:
    error = OSError("PUT http://169.254.169.254/latest/api/token?a=canary failed")
    assert words(error, paths=True) == "OSError: PUT http://169.254.169.254/latest/api/token failed"
