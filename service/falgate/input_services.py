"""Builds what reads, keeps, sends and sweeps input pictures."""

from contextlib import AsyncExitStack

import msgspec

from falgate import settings as setting
from falgate.background import Job
from falgate.fal.connections import authorities
from falgate.inputs.fetching import InputFetcher
from falgate.inputs.files import InputFileStore, InputSweeper
from falgate.inputs.reader import InputReader
from falgate.inputs.sender import InputSender
from falgate.inputs.store.records import InputRecords
from falgate.inputs.uploads import Uploads
from falgate.picture_services import PictureServices
from falgate.resources import Resources


class InputServices(msgspec.Struct, frozen=True, kw_only=True):
    """The services of input pictures.

    Attributes:
        reader: Reads those of a request.
        sender: Sends them with a purchase.
        uploads: Takes those that clients upload.
        sweep: The background job that deletes them.
    """

    reader: InputReader
    sender: InputSender
    uploads: Uploads
    sweep: Job


def open_input_services(
    stack: AsyncExitStack, resources: Resources, kept: PictureServices
) -> InputServices:
    """Build them; their connections are closed when the stack is left."""
    settings = resources.settings
    records = InputRecords(resources.redis, kept_s=settings.input_kept_s)
    files = InputFileStore(resources.store, records, kept.intake)
    allowed = setting.input_rules(settings)
    fetcher = None
    if allowed is not None:
        fetcher = InputFetcher(allowed, authorities())
        stack.push_async_callback(fetcher.close)
    reader = InputReader(
        records,
        files,
        kept.picture_urls,
        bytes_max=settings.input_bytes_max,
        allowed=allowed,
        fetcher=fetcher,
    )
    sweeper = InputSweeper(
        records, files, resources.registry.directory, kept_s=settings.input_kept_s
    )
    return InputServices(
        reader=reader,
        sender=InputSender(records, files, resources.upstreams.storages),
        uploads=Uploads(records, files),
        sweep=sweeper.run,
    )
