"""nginx as deploy/nginx ships it for a bucket, before a gateway that keeps its pictures there."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from buckets import BUCKET as PLACE
from buckets import Bucket, s3_server
from patience import PATIENCE_S
from shipped_nginx import BUCKET, nginx_before

PUBLISHED = "https://bucket.s3.eu-central-1.amazonaws.com/prefix"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{PLACE}/*/pictures/*",
        }
    ],
}
ITS_OWN = {"date", "server", "connection", "x-fal-request-id"}
"""Headers of nginx's own, and the id that each request has; x-amz-... are the bucket's."""


class Fronted(NamedTuple):
    """A gateway with signed links, and what URLs of the nginx before it begin with."""

    site: Any
    gateway: Any
    url: str


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real server, whose policy lets pictures be read without a signature."""
    with s3_server() as served:
        url = f"http://{served.host}:{served.port}/{PLACE}"
        made = httpx.put(f"{url}?policy", json=POLICY, trust_env=False, timeout=PATIENCE_S)
        assert made.is_success, made.text
        yield served


@pytest.fixture(params=["there", "elsewhere"])
def prefix(request: pytest.FixtureRequest, site: Any) -> str:
    """Where nginx looks for the pictures: where they are, or at a wrong place."""
    name: str = site.data.parent.name
    return name if request.param == "there" else f"{name}-elsewhere"


@pytest.fixture
async def fronted(
    bucket: Bucket, site: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fronted]:
    """Both, with the pictures in the bucket."""
    for name, value in bucket.env().items():
        monkeypatch.setenv(name, value)
    site.settings["media_url"] = f"s3://{PLACE}/{site.data.parent.name}"
    gateway = await site.start(
        picture_accel="/stored", picture_url_ttl_s=3_600, trusted_proxies="127.0.0.1"
    )
    read_at = f"http://{bucket.host}:{bucket.port}/{PLACE}/{prefix}"
    with nginx_before(gateway.url.removeprefix("http://"), BUCKET, {PUBLISHED: read_at}) as url:
        yield Fronted(site, gateway, url)


@pytest.fixture
async def callers(fronted: Fronted) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A caller through nginx, and one of the gateway at an address that is not nginx's."""
    own = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with (
        httpx.AsyncClient(base_url=fronted.url, trust_env=False, timeout=PATIENCE_S) as front,
        httpx.AsyncClient(
            base_url=fronted.gateway.url, transport=own, timeout=PATIENCE_S
        ) as direct,
    ):
        yield front, direct


async def path_of(fronted: Fronted) -> str:
    """Buy a picture; return the path of its signed link."""
    answer = await fronted.site.ask(fronted.gateway)
    return str(httpx.URL(answer.json()["images"][0]["url"]).raw_path, "ascii")


def told(answer: httpx.Response) -> dict[str, str]:
    headers = answer.headers.items()
    return {name: value for name, value in headers if name not in ITS_OWN and "x-amz" not in name}


@pytest.mark.parametrize("prefix", ["there"], indirect=True)
async def test_pictures_of_a_bucket_come_through_nginx_as_from_falgate(
    fronted: Fronted, callers: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    front, direct = callers
    path = await path_of(fronted)
    conditions: list[dict[str, str]] = [
        {},
        {"Authorization": "Key of-the-caller", "Cookie": "a=b"},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=0-1,4-5"},
        {"Range": "bytes=99999999-"},
        {"If-None-Match": "*"},
        {"If-None-Match": '"a"', "If-Match": '"a"'},
        {"Range": "bytes=0-9", "If-Range": '"a"'},
    ]

    for headers in conditions:
        for method in ("GET", "HEAD"):
            sent = await front.request(method, path, headers=headers)
            itself = await direct.request(method, path, headers=headers)
            assert (sent.status_code, sent.content) == (itself.status_code, itself.content)
            kept = [told(answer) for answer in (sent, itself)]
            ages = [answer.pop("cache-control").partition("max-age=3") for answer in kept]
            assert ages[0][:2] == ages[1][:2]
            assert kept[0] == kept[1]


@pytest.mark.parametrize("prefix", ["there"], indirect=True)
async def test_a_bucket_s_pictures_need_their_links(
    fronted: Fronted, callers: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    front, _ = callers
    path = await path_of(fronted)
    plain = path.partition("?")[0]

    assert (await front.get(plain)).status_code == 403
    assert (await front.get(path[:-1])).status_code == 403
    past = await front.get(plain.replace("/pictures/", "/stored/"))
    assert (past.is_error, past.headers["content-type"]) == (True, "application/json")


@pytest.mark.parametrize("prefix", ["elsewhere"], indirect=True)
async def test_what_a_bucket_does_not_give_is_unavailable_and_kept_by_nobody(
    fronted: Fronted, callers: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    front, _ = callers

    refused = await front.get(await path_of(fronted))

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json() == {"detail": "The picture store is unavailable"}
    assert "cache-control" not in refused.headers
