"""The oracle: the framework that fal runs, with the model's arguments declared by hand."""

from collections.abc import AsyncIterator
from typing import Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field


class Arguments(BaseModel):
    """fal-ai/gpt-image-1.5, as fal's own code would declare it."""

    prompt: str
    image_size: Literal["1024x1024", "1536x1024", "1024x1536"] = "1024x1024"
    background: Literal["auto", "transparent", "opaque"] = "auto"
    quality: Literal["low", "medium", "high"] = "high"
    num_images: int = Field(default=1, ge=1, le=4)
    output_format: Literal["jpeg", "png", "webp"] = "png"
    sync_mode: bool = False


@pytest.fixture
async def fastapi() -> AsyncIterator[httpx.AsyncClient]:
    """A real FastAPI application that answers with the arguments that it understood."""
    app = FastAPI()

    @app.post("/")
    async def understood(arguments: Arguments) -> Arguments:
        return arguments

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://fastapi") as client:
        yield client
