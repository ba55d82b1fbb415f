"""Validation of FALGATE_REDIS_URL, with messages that never contain the password.

redis-py passes anything after the `?` to its connections, which reject it only when they are first
made, and takes a database that is not a number for database 0.
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
    """Return what is wrong with the URL and how to fix it; "" if it is valid."""
    if not url.startswith(_SCHEMES):
        return f"{_NAME} must begin with redis://, rediss:// or unix://"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return _unreadable()
    # An @ after the host means that the user or password has unescaped special characters.
    if "#" in url or "@" in parts.path + parts.query:
        return _unreadable()
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            return f"{_NAME}: unix:// must be followed by the path of a socket"
    elif not _DATABASE.fullmatch(unquote(parts.path)):
        return f"{_NAME}: after host and port there may only be the number of a database, as in /0"
    return _of_the_query(parts.query, tls=parts.scheme == "rediss") or _of_the_connection(url)


def _of_the_query(query: str, *, tls: bool) -> str:
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name in _TLS and not tls:
            return f"{_NAME}: {name} is for rediss:// only"
        if name not in _KNOWN | _TLS:
            shown = repr(name) if _SHOWN.fullmatch(name) else "a name"
            return (
                f"{_NAME}: {shown} after the ? is unknown; known are "
                f"{', '.join(sorted(_KNOWN | _TLS if tls else _KNOWN))}"
            )
    return ""


def _of_the_connection(url: str) -> str:
    """Return what redis-py rejects when it prepares a connection; nothing is contacted."""
    try:
        pool: ConnectionPool = ConnectionPool.from_url(url)
        connection = pool.connection_class(**pool.connection_kwargs)
        if isinstance(connection, SSLConnection):
            connection.ssl_context.get()
    except (RedisError, OSError, TypeError, ValueError) as error:
        return f"{_NAME}: the parameters after the ? are invalid ({error})"
    return ""


def _unreadable() -> str:
    return (
        f"{_NAME} is invalid: in its user and password write %23 for #, %2F for /, %3F for ?, "
        "%40 for @, %3A for : and %25 for %; after the host, only a port and a number may follow"
    )
