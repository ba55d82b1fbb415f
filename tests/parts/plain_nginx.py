"""An nginx for tests: its program, and one process that stays the user who runs them."""

import shutil

import pytest

# Its files are the test's. The rest of `http` comes in place of {rest}.
MAIN = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr {level};
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {rest}
}}
"""


def program() -> str:
    """The path of nginx, which a user's PATH often lacks; without it, the test fails."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        pytest.fail("nginx is missing: apt-get install nginx-light")
    return found
