"""The client of an OpenID provider: its documents, and what it says of who signed in."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import httpx
import msgspec
from joserfc.jwk import Key

from falgate import __version__
from falgate.console.oidc import tokens
from falgate.console.oidc.attempt import Answering
from falgate.console.oidc.metadata import PATH, Metadata, metadata, unfit
from falgate.console.oidc.roles import Roles, SignInRefused, host_of
from falgate.console.oidc.tokens import KeyUnknown, TokenWrong
from falgate.fal.connections import authorities

_DEADLINE_S = 10.0
_BYTES_MAX = 512 * 1024
_KEPT_S = 3_600.0
_AT_ONCE = 8
_OK = 200
_BASIC, _POST = "client_secret_basic", "client_secret_post"
_CODE = re.compile(r"[a-z_]{1,40}")


class _Granted(msgspec.Struct):
    id_token: str
    access_token: str = ""


class _Denied(msgspec.Struct):
    error: str


class Provider:
    """One provider. Its documents are read when they are needed, and kept for an hour."""

    def __init__(
        self, roles: Roles, client_secret: str, scopes: str, *, deadline_s: float = _DEADLINE_S
    ) -> None:
        """Ask the issuer of `roles`, as the client that is named there.

        Args:
            roles: Says who the provider is, and who we are there.
            client_secret: Proves the latter.
            scopes: What is asked for, separated by blanks.
            deadline_s: Of each exchange, from its turn to its last byte.
        """
        self._deadline_s = deadline_s
        self.host = host_of(roles.issuer)
        self._roles = roles
        self._client_secret = client_secret
        self._scopes = scopes
        self._metadata: Metadata | None = None
        self._keys: tuple[Key, ...] | None = None
        self._read_s = 0.0
        self._reading = asyncio.Lock()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def address(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser is sent to sign in.

        Raises:
            SignInRefused: The provider cannot be reached, or is not as it should be.
        """
        found = await self._discovered()
        sent = {
            "response_type": "code",
            "client_id": self._roles.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(found.authorization_endpoint).copy_merge_params(sent))

    async def check_issuer(self, named: str | None) -> None:
        """Check the issuer that an answer names (RFC 9207); None if it names none.

        Raises:
            SignInRefused: The answer is another provider's, or does not say whose it is.
        """
        needed = (await self._discovered()).authorization_response_iss_parameter_supported
        if named != self._roles.issuer and (named is not None or needed):
            raise unfit(self._roles.issuer, "an answer does not name its issuer, or another one")

    async def claims(self, answer: Answering) -> Mapping[str, Any]:
        """Return what the provider says of who signed in, verified; `sub` is a text.

        Raises:
            SignInRefused: The provider refuses, cannot be reached or is not believed.
        """
        found = await self._discovered()
        granted = await self._granted(found, answer)
        claims = await self._verified(found, granted, answer)
        if self._roles.claim in claims or not (found.userinfo_endpoint and granted.access_token):
            return claims
        more = _object(
            await self._asked(
                "GET",
                found.userinfo_endpoint,
                headers={"Authorization": f"Bearer {granted.access_token}"},
            )
        )
        if more.get("sub") != claims["sub"]:
            raise unfit(self._roles.issuer, "its userinfo is of somebody else, or none")
        return {**more, **claims}

    async def _granted(self, found: Metadata, answer: Answering) -> _Granted:
        sent = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": answer.redirect_uri,
            "code_verifier": answer.verifier,
        }
        auth = None
        methods = found.token_endpoint_auth_methods_supported
        if _BASIC in methods:
            # RFC 6749, 2.3.1: both are encoded as in a form first.
            parts = (quote_plus(each) for each in (self._roles.client_id, self._client_secret))
            auth = httpx.BasicAuth(*parts)
        elif _POST in methods:
            sent |= {"client_id": self._roles.client_id, "client_secret": self._client_secret}
        else:
            raise unfit(self._roles.issuer, "it takes no client secret, neither basic nor post")
        response = await self._asked("POST", found.token_endpoint, data=sent, auth=auth)
        try:
            if response.status_code == _OK:
                return msgspec.json.decode(response.content, type=_Granted)
            error = msgspec.json.decode(response.content, type=_Denied).error
        except msgspec.MsgspecError:
            raise unfit(
                self._roles.issuer, f"it answered {response.status_code} to the code"
            ) from None
        shown = error if _CODE.fullmatch(error) else "an error"
        raise SignInRefused(
            f"The provider {self.host} does not accept this sign-in ({shown}). Begin again",
            why=f"the provider answered {response.status_code} {shown} to the code",
        )

    async def _verified(
        self, found: Metadata, granted: _Granted, answer: Answering
    ) -> dict[str, Any]:
        for again in (False, True):
            keys = await self._published(found, again=again)
            try:
                return tokens.verified(
                    granted.id_token,
                    keys,
                    issuer=self._roles.issuer,
                    client_id=self._roles.client_id,
                    nonce=answer.nonce,
                    access_token=granted.access_token,
                    now_s=answer.now_s,
                )
            except KeyUnknown:
                # A provider that changes its keys: they are read once more.
                continue
            except TokenWrong as error:
                raise unfit(self._roles.issuer, str(error)) from None
        raise unfit(self._roles.issuer, "the ID token names a key that the provider has not")

    async def _discovered(self) -> Metadata:
        async with self._reading:
            if self._metadata is None or time.monotonic() - self._read_s > _KEPT_S:
                response = await self._asked("GET", self._roles.issuer.rstrip("/") + PATH)
                self._metadata = metadata(_body(response), self._roles.issuer)
                self._keys, self._read_s = None, time.monotonic()
            return self._metadata

    async def _published(self, found: Metadata, *, again: bool) -> tuple[Key, ...]:
        async with self._reading:
            if self._keys is None or again:
                document = _object(await self._asked("GET", found.jwks_uri))
                try:
                    self._keys = tokens.public_keys(document)
                except TokenWrong as error:
                    raise unfit(self._roles.issuer, str(error)) from None
            return self._keys

    async def _asked(self, method: str, url: str, **sent: Any) -> httpx.Response:
        """Send a request, and return its answer, which has at most `_BYTES_MAX` bytes."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"falgate/{__version__}",
            **sent.pop("headers", {}),
        }
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                self._turns,
                httpx.AsyncClient(verify=authorities(), timeout=self._deadline_s) as client,
                client.stream(method, url, headers=headers, **sent) as response,
            ):
                content = bytearray()
                async for piece in response.aiter_raw():
                    content += piece
                    if len(content) > _BYTES_MAX:
                        raise unfit(self._roles.issuer, f"an answer has over {_BYTES_MAX} bytes")
                return httpx.Response(
                    response.status_code, content=bytes(content), request=response.request
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise SignInRefused(
                f"The provider {self.host} cannot be reached now. Sign in by a key, or try again",
                status=503,
                why=f"the provider cannot be reached: {type(error).__name__}",
            ) from None


def _body(response: httpx.Response) -> bytes:
    if response.status_code != _OK:
        raise SignInRefused(
            f"The provider {response.url.netloc.decode()} answered {response.status_code}. Sign in "
            "by a key, or try again",
            status=503,
        )
    return response.content


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(_body(response))
    except msgspec.MsgspecError:
        found = None
    return found if isinstance(found, dict) else {}
