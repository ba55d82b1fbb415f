"""What errors say, without secrets."""

import pytest

from falgate.core.faults import kind, refusal, words


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("User is locked. Reason: TOS violation.", ": User is locked. Reason: TOS violation."),
        ("two\nlines\x1b[2J", ": two lines?[2J"),
        ("see https://fal.ai/x?token=canary", ": see https://fal.ai"),
        ("no room for a red fox today", ": no room for *** today"),
        ("foxes are no fox", ": foxes are no ***"),
        ("it says: the quick brown fox jumps", ": (withheld: it quotes the request)"),
        ("x" * 1000, ": " + "x" * 282),
        ("", ""),
    ],
)
def test_a_refusal_is_its_status_and_its_words_and_nothing_of_the_order(
    text: str, told: str
) -> None:
    hidden = ["a red fox", "fox", "", "The end of the quick brown fox jumps over it"]

    assert refusal(403, text, hidden) == f"fal answered 403{told}"


def test_each_reason_to_refuse_is_a_kind_of_its_own_whatever_its_numbers() -> None:
    balances = (refusal(403, f"Locked. Balance: {amount}") for amount in ("$0.01", "$0.02"))
    others = refusal(403, "Cannot access application"), refusal(429, "Locked. Balance:")

    assert len({*map(kind, balances)}) == 1
    assert len({*map(kind, others), kind(refusal(403, "Locked. Balance: 1"))}) == 3
