"""Prices as sums of terms: what is held at most, and what is booked by what was delivered.

Amounts are fractions of a micro-USD and exact; each result is rounded up to whole ones.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from falgate.core.input_picture import input_picture
from falgate.core.money import Micros
from falgate.models.described.declaration import Fields, Price, Term
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.input_files import InputFiles
from falgate.models.openai_images import picture_tokens
from falgate.models.sizes import ImageSize, size_named
from falgate.models.spelling import spelt

_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,12})?", re.ASCII)
_MICROS_IN_A_DOLLAR = 1_000_000


def amount(text: str, where: str) -> Fraction:
    """Parse decimal dollars, or a factor, exactly.

    Raises:
        DescriptionWrong: It is negative or no decimal number.
    """
    if not _AMOUNT.fullmatch(text):
        raise DescriptionWrong(where, f'{text[:50]!r} is not an amount such as "0.08"')
    return Fraction(text)


def words(term: Term) -> str:
    """Return a term as operators read it: "$0.08 a picture, by resolution 1K 1, 2K 1.5"."""
    parts = [f"${term.usd} a {term.of}"]
    parts += [
        f"by {name} {', '.join(f'{value} {by}' for value, by in table.items())}"
        for name, table in term.times.items()
    ]
    parts += [f"if {name} is {spelt(value)}" for name, value in term.when.items()]
    if term.free:
        parts.append(f"{term.free} free")
    if term.usual is not None:
        parts.append(f"booked at ${term.usual}")
    return ", ".join(parts)


def _above_zero(text: str, where: str) -> Fraction:
    """Parse what would give something away if it were nothing; raises `DescriptionWrong`."""
    found = amount(text, where)
    if not found:
        raise DescriptionWrong(where, "nothing is free: leave the term out, or refuse the value")
    return found


class _Priced:
    """A term with its numbers parsed."""

    def __init__(
        self, term: Term, where: str, fields: Fields, inputs: Sequence[InputFiles]
    ) -> None:
        self.term = term
        self._inputs = inputs
        self._fields = fields
        self._micros = _above_zero(term.usd, f"{where}.usd") * _MICROS_IN_A_DOLLAR
        usual = term.usd if term.usual is None else term.usual
        self._usual = amount(usual, f"{where}.usual") * _MICROS_IN_A_DOLLAR
        if self._usual > self._micros:
            raise DescriptionWrong(f"{where}.usual", "it is more than usd, which is what is held")
        self._times = {
            name: {value: _above_zero(by, f"{where}.times.{name}") for value, by in table.items()}
            for name, table in term.times.items()
        }
        self.is_margin = term.usual is not None

    def price(self, arguments: Any, *, usual: bool = False) -> Fraction:
        """Return the term's part for one picture, micro-USD.

        Raises:
            KeyError: An argument has a value without a factor.
        """
        if any(getattr(arguments, name) != value for name, value in self.term.when.items()):
            return Fraction(0)
        found = self._usual if usual else self._micros
        for name, table in self._times.items():
            found *= table[spelt(getattr(arguments, name))]
        return found * self._units(arguments)

    def _units(self, arguments: Any) -> int:
        term = self.term
        match term.of:
            case "megapixel":
                size = self._size(arguments)
                counted = [size.width * size.height, *self._pixels(arguments)]
                return max(0, sum(-(-each // term.pixels) for each in counted) - term.free)
            case "grid":
                across = term.grid[getattr(arguments, self._fields.quality)]
                return picture_tokens(across, self._size(arguments))
            case "byte":
                return len(getattr(arguments, self._fields.prompt).encode()) + term.plus
            case "file":
                return sum(len(each.values(arguments)) for each in self._inputs)
        return 1

    def _pixels(self, arguments: Any) -> list[int]:
        """Return the pixels of each input file; the most if it was not read, as in a quote."""
        return [
            picture.width * picture.height if (picture := input_picture(value)) else each.pixels_max
            for each in self._inputs
            for value in each.values(arguments)
        ]

    def _size(self, arguments: Any) -> ImageSize:
        size = size_of(arguments, self._fields.size)
        if size is None:
            if self.term.unknown_size is None:
                raise KeyError(getattr(arguments, self._fields.size, "size"))
            width, height = self.term.unknown_size
            return ImageSize(width=width, height=height)
        return size


class Prices:
    """The price of a call, as `ModelSpec` asks for it."""

    def __init__(self, price: Price, fields: Fields, inputs: Sequence[InputFiles] = ()) -> None:
        """Parse the terms.

        Raises:
            DescriptionWrong: A number is none.
        """
        terms = [
            _Priced(term, f"price.terms[{index}]", fields, inputs)
            for index, term in enumerate(price.terms)
        ]
        # What is billed for text, or may not be billed, is held beside the list price of pictures.
        self._beside = [each for each in terms if each.is_margin or each.term.of == "byte"]
        self._pictures = [each for each in terms if each not in self._beside]
        rounded = amount(price.round_up_to, "price.round_up_to") * _MICROS_IN_A_DOLLAR
        if rounded < 1 or rounded.denominator != 1:
            raise DescriptionWrong("price.round_up_to", "it must be whole millionths of a dollar")
        self.rounded_to: Micros = rounded.numerator

    def picture(self, arguments: Any) -> Micros:
        """Return the list price of one picture; raises KeyError if it has none."""
        return _up(sum((each.price(arguments) for each in self._pictures), Fraction(0)))

    def ceiling(self, arguments: Any, number: int) -> Micros:
        """Return the most that a call may cost beside its pictures."""
        return self._sum(self._beside, arguments, number)

    def estimate(self, arguments: Any, number: int) -> Micros:
        """Return what is booked of that."""
        return self._sum(self._beside, arguments, number, usual=True)

    def margin(self, arguments: Any, number: int) -> Micros:
        """Return the part of it that is held for what a call without pictures does not have."""
        return self._sum([each for each in self._beside if each.is_margin], arguments, number)

    @staticmethod
    def _sum(
        terms: Sequence[_Priced], arguments: Any, number: int, *, usual: bool = False
    ) -> Micros:
        return _up(
            number * sum((each.price(arguments, usual=usual) for each in terms), Fraction(0))
        )


def size_of(arguments: Any, name: str) -> ImageSize | None:
    """Return the size that arguments ask for; None where the model chooses it."""
    size = getattr(arguments, name, None)
    if isinstance(size, str):
        return size_named(size)
    return size if isinstance(size, ImageSize) else None


def _up(amount: Fraction) -> Micros:
    return -(-amount.numerator // amount.denominator)
