"""What is known of the picture store at a scrape, as gauges."""

from collections.abc import Iterable

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric

from falgate.pictures.catalogue import StoreSize


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """State of the picture store; None where it is unknown.

    Attributes:
        total: Number and size of the stored pictures.
        free_bytes: Free space of its disk; None also for a bucket.
        full: Whether purchases are stopped because the store is full.
    """

    total: StoreSize | None = None
    free_bytes: int | None = None
    full: bool | None = None

    def families(self) -> Iterable[Metric]:
        """Yield the known values as gauges."""
        if self.total is not None:
            pictures, size_bytes = self.total.pictures, self.total.size_bytes
            yield GaugeMetricFamily("falgate_pictures_stored", "Pictures in the store.", pictures)
            yield GaugeMetricFamily("falgate_pictures_bytes", "Total size of them.", size_bytes)
        if self.free_bytes is not None:
            yield GaugeMetricFamily(
                "falgate_store_free_bytes", "Free space on the store's disk.", self.free_bytes
            )
        if self.full is not None:
            yield GaugeMetricFamily(
                "falgate_store_full", "1 while the full store stops purchases.", self.full
            )
