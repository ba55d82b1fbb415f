"""Fills the gallery: pools of a picture each, with the words of their prompts, of many apps."""

import asyncio
import hashlib
import random

from redis.asyncio import Redis

from bench.ledger import APPS, TEAMS, UPSTREAM
from falgate.cache.pool_info import PoolInfo
from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.pictures.catalogue import NewPicture
from falgate.pictures.store.catalogue import Catalogue

PICTURES = 50_000
WORDS, IN_PROMPT, AT_ONCE = 5_000, 8, 100
COMMON, RARE = "word0", f"word{WORDS - 1}"
"""A word of most prompts, and one of few."""
MODEL = "fal-ai/gpt-image-1.5"


async def hang(redis: Redis, number: int) -> None:
    """Register so many pictures, as purchases do."""
    chance = random.Random(1)
    weights = [1 / (rank + 1) for rank in range(WORDS)]
    catalogue, pools = Catalogue(redis), Pools(redis)
    seconds, _ = await redis.time()
    for start in range(0, number, AT_ONCE):
        some = range(start, min(number, start + AT_ONCE))
        drawn = [chance.choices(range(WORDS), weights, k=IN_PROMPT) for _ in some]
        prompts = [" ".join(f"word{each}" for each in words) for words in drawn]
        await asyncio.gather(
            *(
                _bought(catalogue, pools, each, prompt, int(seconds) - number + each)
                for each, prompt in zip(some, prompts, strict=True)
            )
        )


async def _bought(
    catalogue: Catalogue, pools: Pools, number: int, prompt: str, made_s: int
) -> None:
    picture = Picture(
        sha256=_digest(f"picture {number}"), content_type="image/png", size_bytes=1_000,
        width=1024, height=1024, made_s=made_s, job=f"{number:032x}",
    )  # fmt: skip
    fingerprint, prompt_sha256 = _digest(f"pool {number}"), _digest(prompt)
    info = PoolInfo(
        endpoint=MODEL, upstream=UPSTREAM, scope="organisation", variation="", version="1",
        prompt_sha256=prompt_sha256, recorded={"quality": "medium", "image_size": "1024x1024"},
        arguments={"prompt": prompt, "quality": "medium", "image_size": "1024x1024"},
    )  # fmt: skip
    app = f"team-{number % TEAMS:02d}/app-{number // TEAMS % APPS}"
    filing = NewPicture(
        kept=picture, value=34_000, app=app, fingerprint=fingerprint, about=info,
        prompt_sha256=prompt_sha256,
    )  # fmt: skip
    await catalogue.register(filing)
    await pools.append(fingerprint, picture.job, 0, [picture])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
