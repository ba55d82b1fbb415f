"""What falgate makes on a disk is for its own eyes only, whatever the umask says."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from falgate.cli import localtls
from falgate.pictures.disk import Disk
from falgate.private import make_folder
from falgate.redis.embedded import EmbeddedRedis
from falgate.sandbox.records import Records
from falgate.sandbox.uploads import UploadedFiles


def embedded(directory: Path) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    instance.leave()


MAKERS: dict[str, Callable[[Path], object]] = {
    "a private folder": make_folder,
    "the picture store": Disk,
    "the embedded Redis": embedded,
    "the certificates": localtls.ensure,
    "the sandbox's records": Records,
    "the sandbox's uploads": UploadedFiles,
}


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(folder: Path) -> str:
    return oct(folder.stat().st_mode & 0o777)


@pytest.mark.parametrize("maker", MAKERS)
def test_all_folders_that_falgate_makes_are_private(maker: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    MAKERS[maker](folder)

    assert {mode(each) for each in (folder, *folder.parents[:2])} == {"0o700"}


def test_a_folder_above_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    make_folder(shared / "ours")

    assert (mode(shared), mode(shared / "ours")) == ("0o755", "0o700")


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file" / "below")
