"""The TLS certificate, reloaded without dropping open connections."""

import ssl
from pathlib import Path


class Certificate:
    """A certificate and its key, as they were when last read.

    A listener keeps the SSL context it was opened with, and a context holds one pair per key type:
    after a change from RSA to ECDSA the old pair would be offered beside the new one. So the
    listener's context hands each new connection over to a context that has only the latest pair.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        """Read the pair.

        Raises:
            OSError, ValueError: The files are not a certificate and its key. ssl errors are
            OSErrors.
        """
        self._cert, self._key = cert, key
        self._latest = self._read()
        self.context = self._read()
        self.context.sni_callback = self._show

    def reload(self) -> None:
        """Read the pair again; if that fails, the current pair stays.

        Raises:
            OSError, ValueError: As in the constructor.
        """
        self._latest = self._read()

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Without a password here, OpenSSL would prompt for that of an encrypted key on the
        # terminal.
        context.load_cert_chain(self._cert, self._key, password="")
        return context

    def _show(self, connection: ssl.SSLObject, _name: str | None, _of: ssl.SSLContext) -> None:
        """Switch a new connection to the latest pair; called for every ClientHello."""
        connection.context = self._latest
