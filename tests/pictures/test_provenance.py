"""Which metadata a file has: by its structure, never by a guess."""

import io
import struct
import zlib

import pytest
from PIL import Image

from falgate.pictures.inspect import examine
from falgate.pictures.provenance import holds


def encoded(form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, form, **options)
    return out.getvalue()


def png_with(kind: bytes, content: bytes) -> bytes:
    plain = encoded("PNG")
    chunk = struct.pack(">I", len(content)) + kind + content
    chunk += struct.pack(">I", zlib.crc32(kind + content))
    return plain[:33] + chunk + plain[33:]


def jpeg_with(marker: int, content: bytes) -> bytes:
    plain = encoded("JPEG")
    return (
        plain[:2]
        + bytes((0xFF, marker))
        + struct.pack(">H", len(content) + 2)
        + content
        + plain[2:]
    )


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x010E] = "said"
    return found


C2PA_BOX = (
    b"JP\0\1\0\0\0\1" + b"\0\0\0\x40jumb\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"
)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_plain_picture_holds_nothing(form: str) -> None:
    assert holds(encoded(form)) == ()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_exif_is_found_in_every_format(form: str) -> None:
    data = encoded(form, exif=exif())

    assert examine(data).size_bytes == len(data)
    assert holds(data) == ("exif",)


def test_content_credentials_are_found_where_their_specification_puts_them() -> None:
    assert holds(png_with(b"caBX", b"box")) == ("c2pa",)
    assert holds(jpeg_with(0xEB, C2PA_BOX)) == ("c2pa",)
    webp = encoded("WEBP") + b"C2PA" + struct.pack("<I", 3) + b"box\0"
    assert holds(webp) == ("c2pa",)


def test_xmp_is_found() -> None:
    assert holds(png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>")) == ("xmp",)
    assert holds(jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")) == ("xmp",)
    assert holds(encoded("WEBP", xmp=b"<x/>")) == ("xmp",)


def test_words_elsewhere_in_a_file_are_no_metadata() -> None:
    assert holds(png_with(b"tEXt", b"comment\0caBX c2pa Exif")) == ()
    assert holds(jpeg_with(0xFE, C2PA_BOX)) == ()
    assert holds(b"caBX c2pa jumb") == ()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_is_cut_off_is_read_to_its_end(form: str) -> None:
    data = encoded(form, exif=exif())

    for length in range(len(data)):
        assert set(holds(data[:length])) <= {"exif"}
