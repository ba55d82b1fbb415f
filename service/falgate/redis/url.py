"""FALGATE_REDIS_URL: what is wrong with one, in a sentence without what may be its password's.

redis-py hands whatever stands behind the `?` to its connections, which refuse it when they are made
first, and takes a database that is no number for the first one.
"""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import SSLConnection
from redis.exceptions import RedisError

_NAME = "FALGATE_REDIS_URL"
_SCHEMES = ("redis://", "rediss://", "unix://")
_TLS = {
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_exclude_verify_flags",
    "ssl_include_verify_flags",
    "ssl_keyfile",
    "ssl_min_version",
    "ssl_password",
}
_KNOWN = {
    "client_name",
    "db",
    "health_check_interval",
    "max_connections",
    "password",
    "retry_on_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_read_size",
    "socket_timeout",
    "timeout",
    "username",
}
_SHOWN = re.compile(r"[a-z_]{1,40}")
_DATABASE = re.compile(r"/?([0-9]{0,9})/?", re.ASCII)


def complaint(url: str) -> str:
    """Why nobody can connect by it, and what to do; "" where somebody can."""
    if not url.startswith(_SCHEMES):
        return f"{_NAME} must begin with redis://, rediss:// or unix://"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return _unreadable()
    # An @ behind the host is that of a user and a password with signs that end them.
    if "#" in url or "@" in parts.path + parts.query:
        return _unreadable()
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            return f"{_NAME}: behind unix:// comes the path of a socket"
    elif not _DATABASE.fullmatch(unquote(parts.path)):
        return f"{_NAME}: behind the host and its port comes the number of a database, such as /0"
    return _of_the_query(parts.query, tls=parts.scheme == "rediss") or _of_the_connection(url)


def _of_the_query(query: str, *, tls: bool) -> str:
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name in _TLS and not tls:
            return f"{_NAME}: {name} is for rediss:// only"
        if name not in _KNOWN | _TLS:
            shown = repr(name) if _SHOWN.fullmatch(name) else "a name"
            return (
                f"{_NAME}: {shown} behind the ? is none that falgate knows: there may be "
                f"{', '.join(sorted(_KNOWN | _TLS if tls else _KNOWN))}"
            )
    return ""


def _of_the_connection(url: str) -> str:
    """What redis-py has against it as soon as a connection is made, before anybody is asked."""
    try:
        pool: ConnectionPool = ConnectionPool.from_url(url)
        connection = pool.connection_class(**pool.connection_kwargs)
        if isinstance(connection, SSLConnection):
            connection.ssl_context.get()
    except (RedisError, OSError, TypeError, ValueError) as error:
        return f"{_NAME}: what stands behind the ? cannot be used ({error})"
    return ""


def _unreadable() -> str:
    return (
        f"{_NAME} cannot be read: in its user and password write %23 for #, %2F for /, %3F for ?, "
        "%40 for @, %3A for : and %25 for %; behind the host come a port and a number"
    )
