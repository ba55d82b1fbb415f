"""Pictures: downloads of 2 MB beside nginx's static files, and hits that carry their picture."""

from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench import work
from bench.gateway import gateway, ledger
from bench.hits import hit
from bench.load import Target, checked, rounds, same
from bench.nginx import nginx
from bench.peers import stub
from bench.report import Section, Setup, load_table

_AT_ONCE = (1, 16)
_TEXT = """\
A PNG of 2 MB by its URL, from falgate and from nginx, which serves falgate's own folder of
pictures by sendfile; and a hit with `sync_mode`, which carries that picture in its JSON as 2.7 MB
of base64.\
"""


def measure(setup: Setup) -> Section:
    """The part of the report."""
    with ExitStack() as stack:
        url, _ = stack.enter_context(stub(setup.folder, 2_000_000))
        redis = stack.enter_context(ledger(setup.folder))
        env = {"FALGATE_UPSTREAM_URL": f"{url}/queue", "FAL_KEY": "id:secret"}
        falgate = stack.enter_context(gateway(setup.folder, redis.url, **env))
        by_url = hit(falgate, "a lighthouse at dawn")
        picture = msgspec.json.decode(checked(by_url).body)["images"][0]["url"]
        inline = by_url._replace(
            name="falgate, hit with sync_mode",
            bodies=[work.body("a lighthouse at dawn", sync_mode=True)],
            redis=redis.tree,
        )
        download = Target("falgate, /pictures", picture, {}, [], falgate.process)
        files = falgate.data / "media"
        (file,) = files.rglob(Path(picture).name)
        server = stack.enter_context(
            nginx(setup.folder, url.split("//")[1], falgate.data / "tls", files)
        )
        static = download._replace(
            name="nginx, static file",
            url=f"{server.http}/pictures/{file.relative_to(files)}",
            tree=server.process,
        )
        body = file.read_bytes()
        targets = [each._replace(expected=same(body)) for each in (download, static)]
        targets.append(inline._replace(expected=same(checked(inline).body)))
        connections = _AT_ONCE[1:] if setup.quick else _AT_ONCE
        loads, failed = rounds(targets, connections, setup.several(3, 1), setup.seconds)
    return Section("Pictures", _TEXT, [load_table(loads)], failed)
