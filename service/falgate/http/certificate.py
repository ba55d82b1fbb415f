"""The certificate of the https listener: read anew while connections stay as they are."""

import ssl
from pathlib import Path


class Certificate:
    """A certificate and its key, as their files were when they were read last.

    A listener keeps the context that it was opened with, and a context keeps one pair for each kind
    of key: the old pair of a kind would be shown beside a new one of another. So the listener's
    context hands each new connection to a context of the latest pair alone.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        """Read the pair.

        Raises:
            OSError, ValueError: The files are not a certificate and its key. ssl's are OSErrors.
        """
        self._cert, self._key = cert, key
        self._latest = self._read()
        self.context = self._read()
        self.context.sni_callback = self._show

    def reload(self) -> None:
        """Read the pair anew; what is not one changes nothing.

        Raises:
            OSError, ValueError: As above.
        """
        self._latest = self._read()

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A key under a password would have OpenSSL ask for it, on a terminal that nobody watches.
        context.load_cert_chain(self._cert, self._key, password="")
        return context

    def _show(self, connection: ssl.SSLObject, _name: str | None, _of: ssl.SSLContext) -> None:
        """OpenSSL calls this for each hello, whether it names a server or not."""
        connection.context = self._latest
