"""Storage of the submit records: in memory, or as files shared with other processes."""

import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from falgate.private import make_folder
from falgate.sandbox.record import ID, Record


class Records:
    """All submits received, by id.

    With a directory, the files are read each time: another process may have written them, and a
    cancel received there must take effect here.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._memory: dict[str, Record] = {}
        self._tallies: Counter[str] = Counter()
        if directory is not None:
            make_folder(directory)

    def put(self, record: Record) -> None:
        """Store a record atomically."""
        if self._directory is None:
            self._memory[record.id] = record
            return
        with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as file:
            file.write(msgspec.json.encode(record))
        Path(file.name).replace(self._directory / f"{record.id}.json")

    def get(self, request_id: str) -> Record | None:
        """Return the accepted request with this id, or None."""
        record = self._memory.get(request_id) if self._directory is None else self._read(request_id)
        return record if record is not None and record.accepted else None

    def tally(self, subject: str, number: int) -> int:
        """Add to the number of pictures requested of a subject; return the number before."""
        if self._directory is None:
            before = self._tallies[subject]
            self._tallies[subject] += number
            return before
        # One byte per picture: processes can append without a lock.
        with (self._directory / f"{subject}.tally").open("ab") as file:
            before = file.tell()
            file.write(b"." * number)
        return before

    def all(self) -> list[Record]:
        """Return all submits, oldest first."""
        if self._directory is None:
            found = list(self._memory.values())
        else:
            names = [path.stem for path in self._directory.glob("*.json")]
            found = [record for name in names if (record := self._read(name)) is not None]
        return sorted(found, key=lambda record: (record.submitted_s, record.id))

    def clear(self) -> None:
        """Delete all records."""
        self._memory.clear()
        self._tallies.clear()
        if self._directory is not None:
            for path in (*self._directory.glob("*.json"), *self._directory.glob("*.tally")):
                path.unlink(missing_ok=True)

    def _read(self, request_id: str) -> Record | None:
        # The id may come from a URL, so only a well-formed one is used as a file name.
        if self._directory is None or not ID.fullmatch(request_id):
            return None
        try:
            return msgspec.json.decode(
                (self._directory / f"{request_id}.json").read_bytes(), type=Record
            )
        except FileNotFoundError:
            return None
