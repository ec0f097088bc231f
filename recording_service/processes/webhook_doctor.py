"""`recording-service doctor --webhook`: why a webhook was refused, and what to configure.

It is told what a person can copy from Twilio's Request Inspector, and holds it against this configuration: first just
as the service would, then against every address, form and token that may have been meant. No token is ever shown, nor
what the form says: there are telephone numbers in it.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from recording_service.config import Account, ConfigurationError, Settings, load_settings
from recording_service.http_api.sids import ACCOUNT_SID
from recording_service.http_api.webhooks.endpoints import PATHS
from recording_service.http_api.webhooks.forms import MAX_BODY_BYTES, Form
from recording_service.http_api.webhooks.signatures import SignatureCheck, Verdict, is_signature, spellings
from recording_service.processes.findings import Finding
from recording_service.processes.webhook_variants import Address, Difference, Variant, address_variants, body_variants

#: Bytes of an HMAC-SHA1.
_SIGNATURE_BYTES: Final = 20
_ORIGIN: Final = frozenset({Difference.SCHEME, Difference.HOST, Difference.PORT, Difference.PREFIX})
_AS_IT_IS: Final = "give Twilio exactly this URL, and have every proxy pass path and query on as they come"

#: What is to be done about a difference that is none of the public URL's.
_REMEDIES: Final[Mapping[Difference, str]] = {
    Difference.SLASH: "the signed URL ends in a slash, and this service has no such path: take it away at Twilio",
    Difference.NO_QUERY: f"the query was not signed, so it was added on the way: {_AS_IT_IS}",
    Difference.QUERY_ORDER: f"the query was signed in another order, so it was sorted on the way: {_AS_IT_IS}",
    Difference.QUERY_ENCODING: f"the query was signed in another encoding, so it was changed on the way: {_AS_IT_IS}",
    Difference.FRAGMENT: "what is behind # was signed as well, which Twilio never does: ask who made the request",
    Difference.TRIMMED: "values were signed without the white space around them: have nothing trim the form",
    Difference.BLANKS_DROPPED: "blank values were not signed: have nothing add to the form, nor drop from it",
    Difference.PLUS_KEPT: "plus signs are written out in --body; sent are %2B: pass the form on as it came, encoded",
}


class UnusableInput(Exception):
    """Raised when what a person gave can't be looked into. `option` is the one to mend."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


class _Webhook(NamedTuple):
    """What is known of the webhook."""

    given: Address
    signature: str
    body: bytes
    form: Form

    @property
    def account_sids(self) -> frozenset[str]:
        """Every AccountSid of the form; there should be one."""
        return frozenset(self.form.getall("AccountSid"))


class _Match(NamedTuple):
    """What was signed."""

    variant: Variant
    of_body: Difference | None
    account_sid: str

    @property
    def differences(self) -> tuple[Difference, ...]:
        return (*self.variant.differences, *((self.of_body,) if self.of_body else ()))


def explain_webhook(url: str, signature: str, body: bytes) -> list[Finding]:
    """Looks into one webhook: the URL that Twilio has, the signature it sent, and the form as it came.

    Raises UnusableInput. A configuration that can't be read is all that is found.
    """
    webhook = _Webhook(_given(url), _signature(signature), body, _form(body))
    try:
        settings = load_settings()
        accounts = settings.accounts()
        ours = _ours(settings, webhook.given)
    except ConfigurationError as error:
        return [Finding("configuration", False, problem) for problem in error.problems]
    tokens = {sid: _tokens_of(account) for sid, account in accounts.items()}
    return [
        *_route(settings, webhook.given),
        *_account(accounts, webhook),
        *_checked(settings, ours, tokens, webhook),
    ]


def _checked(
    settings: Settings, ours: Address, tokens: Mapping[str, tuple[str, ...]], webhook: _Webhook
) -> Iterator[Finding]:
    def is_genuine(tokens: Mapping[str, tuple[str, ...]]) -> bool:
        check = SignatureCheck(settings.effective_public_url, tokens, allow_unsigned=False)
        raw_query = ours.query.removeprefix("?").encode()
        verdict = check.verify(ours.route.encode(), raw_query, webhook.form, [webhook.signature])
        return verdict is Verdict.GENUINE

    signed_over = " or ".join(spellings(ours.url))
    if not is_genuine(tokens):
        yield Finding("signature", False, f"does not match; this service signs over {signed_over}")
        match = _first_match(ours, tokens, webhook)
        if match is None:
            yield _unexplained(tokens)
        else:
            yield from _differences(settings, match, webhook)
        return
    text = f"matches; signed over {signed_over}. If it was refused, its path, query or form was changed on the way"
    yield Finding("signature", True, text)
    (account_sid,) = webhook.account_sids
    own = tokens[account_sid]
    if len(own) > 1:
        used = next(at for at, token in enumerate(own) if is_genuine({account_sid: (token,)}))
        yield Finding("token", True, f"number {used + 1} of {len(own)} signed it; {_of_rotation(used)}")


def _of_rotation(used: int) -> str:
    return "keep it until Twilio signs with the first" if used else "once no webhook needs them, the others can go"


def _route(settings: Settings, given: Address) -> Iterator[Finding]:
    if given.route not in PATHS:
        where = " or ".join(settings.effective_public_url + path for path in PATHS)
        yield Finding("path", False, f"{given.route or '/'} is none of this service's: webhooks go to {where}")


def _account(accounts: Mapping[str, Account], webhook: _Webhook) -> Iterator[Finding]:
    if len(webhook.account_sids) != 1:
        yield Finding("account", False, "the form has not one AccountSid: it is not known whose token to check with")
        return
    (account_sid,) = webhook.account_sids
    account = accounts.get(account_sid)
    if account is not None and account.auth_tokens:
        count = len(account.auth_tokens)
        yield Finding("account", True, f"{_shown(account_sid)} has {count} auth token{'s' if count > 1 else ''} here")
    elif account is not None:
        yield Finding(
            "account", False, f"{_shown(account_sid)} has no auth token here; {_where_tokens_go(account_sid)}"
        )
    else:
        others = [sid for sid in accounts if sid.lower() == account_sid.lower()]
        remedy = f"it is written {others[0]} here" if others else _where_tokens_go(account_sid)
        yield Finding("account", False, f"{_shown(account_sid)} is not configured; {remedy}")


def _first_match(ours: Address, tokens: Mapping[str, tuple[str, ...]], webhook: _Webhook) -> _Match | None:
    """What was signed, with as few differences as can be: with a token of the form's account, or else another one's."""
    variants, bodies = address_variants(ours, webhook.given), list(body_variants(webhook.body))
    matches = [
        _Match(variant, of_body, account_sid)
        for account_sid, account_tokens in tokens.items()
        for variant in variants
        # Nobody has both the wrong account and much else wrong; and there may be many accounts.
        if account_sid in webhook.account_sids or len(variant.differences) < 2
        for text, of_body in bodies
        if any(is_signature(webhook.signature, token, variant.address.url + text) for token in account_tokens)
    ]
    return min(
        matches, key=lambda match: (match.account_sid not in webhook.account_sids, len(match.differences)), default=None
    )


def _differences(settings: Settings, match: _Match, webhook: _Webhook) -> Iterator[Finding]:
    address = match.variant.address
    if match.account_sid not in webhook.account_sids:
        text = (
            f"a token of {match.account_sid} would have matched: the form is of another account, whose token is "
            "another one; see which account the call is of, and which token is configured where"
        )
        yield Finding("token", False, text)
    origin = [difference for difference in match.differences if difference in _ORIGIN]
    if origin:
        names = " and ".join(difference.value for difference in origin)
        text = f"{address.public_url} would have matched; set RECORDING_PUBLIC_URL={address.public_url}"
        if not settings.public_url:
            text += " (it is not set)"
        yield Finding(names, False, text)
    for difference in match.differences:
        if difference in _REMEDIES:
            yield Finding(difference.value, False, _REMEDIES[difference])
    yield Finding("would match", False, address.url)


def _unexplained(tokens: Mapping[str, tuple[str, ...]]) -> Finding:
    if not any(tokens.values()):
        return Finding("token", False, "no auth token is configured here, so there is nothing to check with")
    return Finding(
        "token",
        False,
        "no other URL or form would have matched, so most likely the token is another one: it has to be the *primary* "
        "auth token of the form's account (no API key's secret, no SharedKey, no secondary token). Or --url, "
        "--signature and --body are not of one request, or not just as they were sent",
    )


def _given(url: str) -> Address:
    try:
        return Address.of(url.strip(), PATHS)
    except ValueError:
        example = f"https://recordings.example.com{PATHS[0]}"
        raise UnusableInput("--url", f"is no http or https URL; give it as Twilio has it, such as {example}") from None


def _signature(text: str) -> str:
    text = text.strip()
    try:
        sound = len(base64.b64decode(text, validate=True)) == _SIGNATURE_BYTES
    except (binascii.Error, ValueError):
        sound = False
    if not sound:
        raise UnusableInput("--signature", "is no X-Twilio-Signature: that has 28 characters, the last one is =")
    return text


def _form(body: bytes) -> Form:
    if not body:
        raise UnusableInput("--body", "is empty; webhooks are POST with a form (at Twilio: the method of the callback)")
    if len(body) > MAX_BODY_BYTES:
        raise UnusableInput("--body", f"has {len(body)} bytes; more than {MAX_BODY_BYTES} are refused with 413")
    try:
        form = Form.parse(body)
    except ValueError as error:
        raise UnusableInput("--body", f"is no form ({error}); give it as it was sent: AccountSid=AC…&…") from None
    if "AccountSid" not in set(form):
        raise UnusableInput("--body", "has no AccountSid; give the whole form as it was sent: AccountSid=AC…&…")
    return form


def _ours(settings: Settings, given: Address) -> Address:
    """What this service signs over when it is called by the given URL. Raises ConfigurationError."""
    try:
        own = Address.of(settings.effective_public_url, ())
    except ValueError:
        problem = "RECORDING_PUBLIC_URL: is no URL that Twilio could call; write it as Twilio does, in ASCII"
        raise ConfigurationError([problem]) from None
    return given._replace(scheme=own.scheme, host=own.host, port=own.port, prefix=own.route.rstrip("/"), fragment="")


def _tokens_of(account: Account) -> tuple[str, ...]:
    tokens = (token.get_secret_value() for token in account.auth_tokens)
    return tuple(token for token in tokens if token.strip())


def _where_tokens_go(account_sid: str) -> str:
    table = f"[{_shown(account_sid)}]"
    return f"set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or auth_tokens of {table} in RECORDING_ACCOUNTS_FILE"


def _shown(account_sid: str) -> str:
    """An AccountSid of the form; nothing else that is written there gets onto a terminal."""
    return account_sid if ACCOUNT_SID.fullmatch(account_sid) else "its AccountSid"
