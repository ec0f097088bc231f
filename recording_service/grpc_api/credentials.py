"""By what a caller proves who it is: a bearer token, or a client certificate that the server has verified.

Only the SHA-256 of a token is known here. A token has 32 random bytes, so a fast hash loses nothing: there is nothing
to guess (reliability.md C16).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc

from recording_service.core.callers import Caller
from recording_service.core.errors import Unauthenticated

#: The metadata that carries a token, and how its value begins.
AUTHORIZATION_KEY: Final = "authorization"
_SCHEME: Final = "bearer "
#: More characters than any token of ours has: no other one is worth hashing.
_MAX_TOKEN_CHARACTERS: Final = 512
#: Where gRPC tells the names in a certificate that it has verified.
_CERTIFICATE_NAMES: Final = ("x509_subject_alternative_name", "x509_common_name")


@dataclass(frozen=True, slots=True)
class CallerCredentials:
    """One caller, and what proves it: the SHA-256 of its tokens in hex (several while rotating), certificate names."""

    caller: Caller
    token_hashes: tuple[str, ...] = ()
    certificate_names: tuple[str, ...] = ()


def token_hash(token: str) -> str:
    """What the configuration has of a token: its SHA-256 in lower-case hex."""
    return hashlib.sha256(token.encode()).hexdigest()


class CallerDirectory:
    """Everybody who may call."""

    def __init__(self, known: Sequence[CallerCredentials]) -> None:
        self._by_hash = [(digest.lower(), one.caller) for one in known for digest in one.token_hashes]
        self._by_name = {name: one.caller for one in known for name in one.certificate_names}

    def of_metadata(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller | None:
        """Who calls, by the token in a call's header; None if there is none, and a certificate may say.

        Raises Unauthenticated. A call that brings a token is judged by it alone: a certificate mends no wrong one.
        """
        given = [value if isinstance(value, str) else "" for key, value in metadata if key == AUTHORIZATION_KEY]
        if given:
            return self._of_token(given)
        if not self._by_name:
            raise Unauthenticated
        return None

    def _of_token(self, given: Sequence[str]) -> Caller:
        if len(given) != 1 or len(given[0]) > _MAX_TOKEN_CHARACTERS or given[0][: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated
        presented = token_hash(given[0][len(_SCHEME) :])
        found: Caller | None = None
        # All of them, whichever it is: how long it takes tells nobody how far it matched.
        for digest, caller in self._by_hash:
            if hmac.compare_digest(digest, presented):
                found = caller
        if found is None:
            raise Unauthenticated
        return found

    def of_certificate(self, context: grpc.ServicerContext) -> Caller:
        """Who calls, by the client's certificate. Raises Unauthenticated."""
        verified: Mapping[str, Any] = context.auth_context()
        for kind in _CERTIFICATE_NAMES:
            for name in verified.get(kind, ()):
                caller = self._by_name.get(name.decode("utf-8", "replace"))
                if caller is not None:
                    return caller
        raise Unauthenticated
