"""nginx as the benchmark runs it: a cache of POST requests, and files, over http and https."""

import grp
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.processes import SERVED, Failed, Process, free_port, started

_PATH = "/usr/sbin:/usr/local/sbin"


class Nginx(NamedTuple):
    """One that serves: what its http and https URLs begin with, and its processes."""

    http: str
    https: str
    process: Process


@contextmanager
def nginx(folder: Path, upstream: str, tls: Path, files: Path) -> Iterator[Nginx]:
    """Serve until the block ends.

    Args:
        folder: For its own files.
        upstream: host:port of whom it asks for what is not in its cache.
        tls: The folder of `cert.pem` and `key.pem`.
        files: What is served below /pictures.

    Raises:
        Failed: It cannot be run.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path=_PATH)
    if found is None:
        raise Failed("nginx is missing: apt-get install nginx-light")
    http, https = free_port(), free_port()
    home = folder / "nginx"
    home.mkdir()
    configuration = home / "nginx.conf"
    places = {"home": home, "http": http, "https": https, "tls": tls, "files": files}
    user = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
    configuration.write_text(_CONFIGURATION.format(user=user, upstream=upstream, **places))
    command = [found, "-p", str(home), "-c", str(configuration), "-e", str(home / "error.log")]
    with started("nginx.log", command, folder, core=SERVED) as process:
        process.until(http)
        yield Nginx(f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}", process)


# Without an access log, and with one worker for the one core: nginx at its fastest. Connections are
# kept for ever, because 1,000 requests, the default, are over in a moment here.
_CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log warn;
events {{ worker_connections 4096; multi_accept on; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    client_body_buffer_size 64k;
    proxy_cache_path {home}/cache levels=1:2 keys_zone=answers:16m inactive=1h;
    ssl_certificate {tls}/cert.pem;
    ssl_certificate_key {tls}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen 127.0.0.1:{http} backlog=2048;
        listen 127.0.0.1:{https} ssl backlog=2048;
        location /pictures/ {{
            alias {files}/;
            types {{ image/png png; }}
        }}
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache answers;
            proxy_cache_methods POST;
            proxy_cache_key "$request_uri|$http_authorization|$request_body";
            proxy_cache_valid 200 1h;
            proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;
        }}
    }}
}}
"""
