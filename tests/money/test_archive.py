"""Retention: what is old goes into files, whole days, the same file on a repeat, nothing twice."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from falgate.core.errors import StoreUnavailable, Unavailable
from falgate.money import archive
from falgate.money.archive import Archivist
from falgate.pictures.archive import Archive, folder
from falgate.pictures.storage import PictureStore

DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS + 12_345
URL = "https://queue.example/queue"

Raw = tuple[str, dict[str, str]]


def entry(at_ms: int, number: int) -> Raw:
    return f"{at_ms}-{number}", {"kind": "raise", "account": "team:web", "windows": "total:all",
                                 "raised": "1", "who": "admin"}  # fmt: skip


class Books:
    """A ledger that can fail between the file and the removal."""

    def __init__(self, entries: list[Raw]) -> None:
        self.entries = entries
        self.opening: Counter[str] = Counter()
        self.taken = False
        self.breaks = False
        self.swept = 0

    async def turn(self, upstream: str, lease_s: int) -> bool:
        """Unless another has it."""
        assert (upstream, lease_s > 60) == (URL, True)
        return not self.taken

    async def left(self, upstream: str) -> None:
        """Nothing to do."""

    async def first(self, upstream: str, number: int) -> list[Raw]:
        """From the beginning."""
        assert upstream == URL
        return self.entries[:number]

    async def take_out(self, upstream: str, batch: Sequence[Raw], sums: Mapping[str, int]) -> bool:
        """As the script does it."""
        assert upstream == URL
        if self.breaks:
            raise Unavailable("down")
        if self.entries[0] != batch[0]:
            return False
        del self.entries[: len(batch)]
        self.opening.update(sums)
        return True

    async def sweep(self, upstream: str) -> int:
        """Count."""
        assert upstream == URL
        self.swept += 1
        return 0

    async def now_ms(self) -> int:
        """The clock."""
        return NOW_MS


@pytest.fixture
def books() -> Books:
    """Three entries a day, for 100 days until today."""
    return Books([entry((20_000 - 100 + n // 3) * DAY_MS + n % 3, n) for n in range(303)])


@pytest.fixture
def files(tmp_path: Path) -> Archive:
    return Archive(PictureStore(tmp_path.as_uri()))


def archives(root: Path) -> list[Path]:
    return sorted(root.glob("ledger/*/*.jsonl.gz"), key=lambda path: path.name)


def read(root: Path) -> list[str]:
    lines = b"".join(gzip.decompress(path.read_bytes()) for path in archives(root))
    return [json.loads(line)["entry"] for line in lines.splitlines()]


async def test_what_is_older_than_the_retention_moves_into_files(
    books: Books, files: Archive, tmp_path: Path
) -> None:
    whole = [each for each, _ in books.entries]

    done = await Archivist(books, files, [URL], kept_days=90).archive(URL)

    assert done is not None
    assert [each.entries for each in done] == [3] * 10
    assert {str(path.relative_to(tmp_path)) for path in archives(tmp_path)} == {
        each.path for each in done
    }
    assert read(tmp_path) + [each for each, _ in books.entries] == whole
    assert books.opening == {"team:web|total:all|raised": 30}
    assert books.swept == 1


async def test_a_run_that_broke_off_is_gone_on_with(
    books: Books, files: Archive, tmp_path: Path
) -> None:
    whole = [each for each, _ in books.entries]
    books.breaks = True
    with pytest.raises(Unavailable):
        await Archivist(books, files, [URL], kept_days=90).archive(URL)
    [first] = archives(tmp_path)
    written = first.read_bytes()
    books.breaks = False

    await Archivist(books, files, [URL], kept_days=60).archive(URL)

    assert first.read_bytes() == written
    assert read(tmp_path) + [each for each, _ in books.entries] == whole
    assert books.opening == {"team:web|total:all|raised": 120}


async def test_a_day_of_many_entries_has_several_files(
    books: Books, files: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "BATCH", 2)
    done = await Archivist(books, files, [URL], kept_days=98).archive(URL)

    assert done is not None
    assert [each.entries for each in done] == [2, 1, 2, 1]
    assert len(read(tmp_path)) == 6


@pytest.fixture
def unmounted(files: Archive, tmp_path: Path) -> Archive:
    """Archives on a disk that was there before."""
    tmp_path.rmdir()
    return files


async def test_without_the_picture_store_nothing_is_removed(
    books: Books, unmounted: Archive
) -> None:
    with pytest.raises(StoreUnavailable):
        await Archivist(books, unmounted, [URL], kept_days=90).archive(URL)

    assert len(books.entries) == 303


async def test_another_instance_s_archive_is_left_to_it(books: Books, files: Archive) -> None:
    books.taken = True

    assert await Archivist(books, files, [URL], kept_days=90).archive(URL) is None
    assert len(books.entries) == 303


async def test_a_file_that_was_damaged_is_no_file(files: Archive, tmp_path: Path) -> None:
    path = await files.put("fal", "1-0-2-0", b"{}\n")
    assert await files.read(path) == b"{}\n"
    assert await files.read("ledger/fal/none.jsonl.gz") is None

    (tmp_path / path).write_bytes((tmp_path / path).read_bytes()[:-5])

    with pytest.raises(StoreUnavailable):
        await files.read(path)


async def test_pictures_are_served_and_archives_are_not(files: Archive, tmp_path: Path) -> None:
    path = await files.put("fal", "1-0-2-0", b"{}\n")
    store = PictureStore(tmp_path.as_uri())

    for name in (path, f"../{path}", path.removeprefix("ledger/")):
        assert await store.size(name) is None
        assert await store.read(name) is None


def test_upstreams_have_folders_of_their_own() -> None:
    names = ["fal", "test", URL, "https://queue.example-queue", "https:--queue.example-queue"]

    assert folder("fal") == "fal"
    assert len({folder(name) for name in names}) == len(names)
    assert all("/" not in folder(name) and ":" not in folder(name) for name in names)
