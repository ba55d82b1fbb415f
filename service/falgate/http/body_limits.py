"""How large a body may be, and how long it may take, by its path."""

from collections.abc import Mapping

from litestar.types import HTTPScope

from falgate.fal.paths import read
from falgate.http.proxy import meant_path
from falgate.http.uploads import FILES_PATH, PUT_PATH
from falgate.models.spec import ModelSpec

_QUOTE = "/v1/quote/"
_PLAYGROUND = "/console/playground"
"""Only who is signed in is read here: the console asks for the session before the form."""


class BodyLimits:
    """The limits on bodies. Only input pictures, by themselves or as data URIs, need larger ones.

    Attributes:
        bytes_max: Of any other body.
        time_s: For receiving that many bytes; a larger body has as much more time.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        *,
        bytes_max: int,
        time_s: float,
        input_bytes_max: int = 0,
    ) -> None:
        """Allow inputs of up to `input_bytes_max` bytes in uploads and to models that take them."""
        self.bytes_max = bytes_max
        self.time_s = time_s
        self._takes = {endpoint for endpoint, spec in models.items() if spec.inputs}
        self._upload_bytes_max = max(bytes_max, input_bytes_max)
        self._data_uri_bytes_max = bytes_max + input_bytes_max * 4 // 3

    def of(self, scope: HTTPScope) -> tuple[int, float]:
        """Return the largest size of a request's body, and its time in seconds."""
        path = meant_path(scope)
        most = self.bytes_max
        if path.startswith(PUT_PATH) or path == FILES_PATH:
            most = self._upload_bytes_max
        elif (
            path.startswith(_PLAYGROUND)
            or read(path.removeprefix(_QUOTE), "").target in self._takes
        ):
            most = self._data_uri_bytes_max
        return most, self.time_s * most / self.bytes_max
