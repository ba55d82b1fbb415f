"""fal's storage in the sandbox: input pictures are uploaded to it, and read from it only."""

import hashlib
import re
import secrets
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pybase64
from PIL import Image

from falgate.core.file_errors import file_error
from falgate.core.input_picture import InputPicture
from falgate.core.picture import NotAPicture
from falgate.models.input_files import InputFiles
from falgate.models.spec import ModelSpec
from falgate.pictures.inspect import examine
from falgate.private import make_folder

_ID = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"https?://[^/?#\s]+/files/u/([0-9a-f]{32})")
_DATA = re.compile(r"data:[^,]{0,200};base64,")
_THUMBNAIL_PX = 96


class UploadedFiles:
    """Uploaded files by id: in memory, or below a directory that other processes share."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory / "uploads" if directory else None
        self._memory: dict[str, bytes] = {}
        if self._directory is not None:
            make_folder(self._directory)

    def new_id(self) -> str:
        """Return an id that nobody can guess."""
        return secrets.token_hex(16)

    def put(self, upload_id: str, data: bytes) -> bool:
        """Store a file; return False if the id is not one."""
        if not _ID.fullmatch(upload_id):
            return False
        if self._directory is None:
            self._memory[upload_id] = data
            return True
        with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as file:
            file.write(data)
        Path(file.name).replace(self._directory / upload_id)
        return True

    def get(self, url: str) -> bytes | None:
        """Return what a URL of an input leads to; the sandbox fetches nothing from elsewhere."""
        if found := _DATA.match(url):
            try:
                return pybase64.b64decode(url[found.end() :], validate=True)
            except ValueError:
                return None
        found = _FILE.fullmatch(url)
        if found is None:
            return None
        if self._directory is None:
            return self._memory.get(found[1])
        try:
            return (self._directory / found[1]).read_bytes()
        except FileNotFoundError:
            return None


class Seen(msgspec.Struct, frozen=True):
    """The input pictures of a request.

    Attributes:
        arguments: The arguments with each input replaced by the string form of what it is.
        thumbnails: A small PNG of each, in order.
    """

    arguments: Any
    thumbnails: list[bytes]


def look(files: UploadedFiles, spec: ModelSpec, arguments: Any) -> Seen:
    """Read the input pictures of a request, as fal would.

    Raises:
        InputRejected: One is not there, or is no picture.
    """
    changed: dict[str, Any] = {}
    thumbnails = []
    for each in spec.inputs:
        read = [_read(files, each, place, url) for place, url in enumerate(each.values(arguments))]
        if read:
            changed[each.argument] = each.value_of([str(picture) for picture, _ in read])
            thumbnails += [small for _, small in read]
    return Seen(msgspec.structs.replace(arguments, **changed), thumbnails)


def _read(
    files: UploadedFiles, declared: InputFiles, place: int, url: str
) -> tuple[InputPicture, bytes]:
    loc = declared.loc(place)
    data = files.get(url)
    if data is None:
        raise file_error("file_download_error", loc, "File download error", said=url[:200])
    try:
        found = examine(data)
    except NotAPicture:
        raise file_error("image_load_error", loc, "Image load error", said=url[:200]) from None
    digest = hashlib.sha256(data).hexdigest()
    picture = InputPicture(digest, found.width, found.height, found.content_type)
    return picture, _thumbnail(data)


def _thumbnail(data: bytes) -> bytes:
    small = BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        image.convert("RGB").save(small, "PNG")
    return small.getvalue()
