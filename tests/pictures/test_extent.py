"""Where pictures end: behind their own last part, whatever follows it."""

import io
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.extent import cut

SCRIPT = b"<script>alert(1)</script>"


def encoded(media: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(out, media, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


WHOLE = {
    "PNG": encoded("PNG"),
    "JPEG": encoded("JPEG"),
    "progressive JPEG": encoded("JPEG", progressive=True),
    "JPEG with a thumbnail": encoded("JPEG", exif=b"Exif\0\0" + encoded("JPEG")),
    "JPEG with restarts": encoded("JPEG", restart_marker_rows=1),
    "WEBP": encoded("WEBP"),
    "lossless WEBP": encoded("WEBP", lossless=True, exif=b"Exif\0\0abc"),
}
END = {"PNG": chunk(b"IEND"), "JPEG": b"\xff\xd9", "WEBP": b""}
TAILS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "zeros": lambda _: bytes(9),
    "a page": lambda _: SCRIPT,
    "a page and a second end": lambda end: SCRIPT + end,
    "the same again": lambda end: end,
    "an archive": lambda _: b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("kind", WHOLE)
def test_a_picture_is_all_that_is_kept(kind: str, tail: str) -> None:
    whole = WHOLE[kind]
    assert cut(whole + TAILS[tail](END.get(kind, END["JPEG"]))) == whole


@pytest.mark.parametrize("kind", WHOLE)
def test_what_ends_before_its_picture_does_is_refused(kind: str) -> None:
    whole = WHOLE[kind]
    for length in range(0, len(whole), max(1, len(whole) // 100)):
        with pytest.raises(NotAPicture):
            cut(whole[:length])
    with pytest.raises(NotAPicture, match="cut off"):
        cut(whole[:-1])


def test_the_end_of_a_png_that_holds_something_is_none() -> None:
    with pytest.raises(NotAPicture):
        cut(WHOLE["PNG"].removesuffix(chunk(b"IEND")) + chunk(b"IEND", SCRIPT))


def test_chunks_of_a_webp_end_where_its_head_says() -> None:
    whole = WHOLE["WEBP"]
    longer = whole[:4] + struct.pack("<I", len(whole) - 8 + len(SCRIPT)) + whole[8:] + SCRIPT
    with pytest.raises(NotAPicture):
        cut(longer)


@pytest.mark.parametrize("data", [b"", b"\0" * 99, b"GIF89a/*", b"RIFF\0\0\0\0WAVE", SCRIPT])
def test_other_bytes_are_no_picture(data: bytes) -> None:
    with pytest.raises(NotAPicture, match="not a PNG"):
        cut(data)


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"\x89PNG\r\n\x1a\n", chunk(b"aaaa")),
        (b"\xff\xd8\xff\xda\0\x02", b"\xff\xff\xff\xff"),
        (b"\xff\xd8\xff\xda\0\x02", b"\xff\0"),
        (b"\xff\xd8", b"\xff\xe0\0\x02"),
        (b"\xff\xd8", b"\xff\xd0"),
        (b"\xff\xd8", b"\xff\xda\0\x02"),
        (b"RIFF\xff\xff\xff\xffWEBP", b"aaaa\0\0\0\0"),
    ],
)
def test_the_time_grows_with_the_length(head: bytes, part: bytes) -> None:
    def took_s(times: int) -> float:
        began_s = time.process_time()
        with pytest.raises(NotAPicture):
            cut(head + part * times)
        return time.process_time() - began_s

    took_s(1_000)
    short_s = min(took_s(5_000) for _ in range(5))
    # Twenty times as long; its square would be four hundred times.
    assert min(took_s(100_000) for _ in range(3)) < 150 * short_s + 0.01
