"""Several worker processes on one port: `FALGATE_WORKERS`."""

from falgate.workers.parent import Workers
from falgate.workers.worker import Worker

__all__ = ("Worker", "Workers")
