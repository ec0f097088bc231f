import os
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recording_service.config import (
    SECRET_VARIABLES,
    Account,
    Address,
    ConfigurationError,
    Settings,
    is_loopback,
    load_settings,
)

ACCOUNT = "AC" + "0a" * 16
OTHER_ACCOUNT = "AC" + "1B" * 16
#: Of the form of a key that signs, which any other secret may have as well.
SECRET = "canary:" + "that-nobody-may-see" * 4


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without any variable of ours, and without an account."""
    for name in os.environ:
        if name.startswith(("RECORDING_", "TWILIO_")):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """What is wrong with such an environment. No value of a secret is ever part of it."""
    with pytest.raises(ConfigurationError) as wrong:
        load(monkeypatch, **variables)
    assert SECRET not in str(wrong.value)
    assert str(wrong.value) == "\n".join(wrong.value.problems)
    return wrong.value.problems


# Defaults and variables


def test_the_defaults_are_those_that_others_rely_on() -> None:
    settings = load_settings()
    assert settings.data_dir == Path("data")
    assert settings.grpc == Address("127.0.0.1", 50051)
    assert settings.http == Address("127.0.0.1", 8080)
    assert settings.redis_url.get_secret_value() == ""
    assert settings.effective_database_url == f"sqlite:///{Path.cwd() / 'data' / 'catalogue.sqlite3'}"
    assert settings.storage_root == Path.cwd() / "data" / "recordings"
    assert settings.effective_public_url == "http://127.0.0.1:8080"
    assert settings.cors_origins == ()
    assert settings.workers > 0
    assert settings.twilio_api_url == "https://api.twilio.com"
    assert not settings.allow_unsigned_webhooks
    assert not settings.grpc_reflection
    assert settings.min_free_bytes == 256 * 1024**2
    assert settings.time_scale == 1.0
    assert (settings.failpoints, settings.failpoints_dir) == ("", "")
    assert (settings.scrub_bytes_per_second, settings.scrub_interval_seconds) == (4 * 1024**2, 86400.0)
    assert settings.accounts() == {}


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(
        monkeypatch,
        RECORDING_DATA_DIR=str(tmp_path),
        RECORDING_GRPC_ADDRESS="0.0.0.0:1",
        RECORDING_HTTP_ADDRESS="[::1]:2",
        RECORDING_REDIS_URL="redis://redis.example:6379",
        RECORDING_DATABASE_URL="postgresql+psycopg://db.example/recordings",
        RECORDING_STORAGE_URL="/srv/recordings",
        RECORDING_WORKERS="7",
        RECORDING_PUBLIC_URL="https://recordings.example.com/",
        RECORDING_CORS_ORIGINS=" https://a.example ,, https://b.example,",
        RECORDING_ALLOW_UNSIGNED_WEBHOOKS="true",
        RECORDING_GRPC_REFLECTION="1",
        RECORDING_MAX_RECORDING_BYTES="1000",
        RECORDING_DOWNLOAD_SECONDS="12.5",
        RECORDING_MIN_FREE_BYTES="0",
        RECORDING_SCRUB_BYTES_PER_SECOND="0",
        RECORDING_SCRUB_INTERVAL_SECONDS="604800",
        RECORDING_LOG_LEVEL="debug",
        RECORDING_TIME_SCALE="0.5",
        RECORDING_FAILPOINTS="enqueue.after_commit=kill@1",
        RECORDING_FAILPOINTS_DIR="/srv/failpoints",
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN="first, second",
        TWILIO_API_KEY="SKx",
        TWILIO_API_SECRET="key-secret",
        TWILIO_API_URL="http://127.0.0.1:8099/",
        TWILIO_ENCRYPTION_KEYS_FOLDER="/run/secrets/keys",
    )
    assert settings.data_dir == tmp_path
    assert (settings.grpc, settings.http) == (Address("0.0.0.0", 1), Address("::1", 2))  # noqa: S104
    assert settings.redis_url.get_secret_value() == "redis://redis.example:6379"
    assert settings.effective_database_url == "postgresql+psycopg://db.example/recordings"
    assert settings.storage_root == Path("/srv/recordings")
    assert settings.workers == 7
    assert settings.effective_public_url == "https://recordings.example.com"
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.allow_unsigned_webhooks
    assert settings.grpc_reflection
    assert (settings.max_recording_bytes, settings.download_seconds) == (1000, 12.5)
    assert settings.min_free_bytes == 0
    assert (settings.scrub_bytes_per_second, settings.scrub_interval_seconds) == (0, 604800.0)
    assert (settings.log_level, settings.time_scale) == ("DEBUG", 0.5)
    assert settings.failpoints == "enqueue.after_commit=kill@1"
    assert settings.failpoints_dir == "/srv/failpoints"
    account = settings.accounts()[ACCOUNT]
    assert [token.get_secret_value() for token in account.auth_tokens] == ["first", "second"]
    assert account.credentials() == ("SKx", "key-secret")
    assert account.encryption_keys_folder == Path("/run/secrets/keys")
    assert account.api_url == "http://127.0.0.1:8099"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().workers = 3


def test_arguments_win_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDING_WORKERS", "3")
    assert load_settings(workers=5).workers == 5


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        **dict.fromkeys(SECRET_VARIABLES, SECRET),
    )
    for shown in (repr(settings), str(settings), repr(settings.accounts()), settings.model_dump_json()):
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECORDING_GRPC_ADDRESS", "50051"),
        ("RECORDING_GRPC_ADDRESS", "localhost:"),
        ("RECORDING_GRPC_ADDRESS", ":50051"),
        ("RECORDING_HTTP_ADDRESS", "localhost:65536"),
        ("RECORDING_HTTP_ADDRESS", "localhost:http"),
        ("RECORDING_WORKERS", "-1"),
        ("RECORDING_WORKERS", "many"),
        ("RECORDING_SCRUB_BYTES_PER_SECOND", "-1"),
        ("RECORDING_SCRUB_BYTES_PER_SECOND", "4M"),
        ("RECORDING_PUBLIC_URL", "recordings.example.com"),
        ("RECORDING_PUBLIC_URL", "https://"),
        ("RECORDING_PUBLIC_URL", "https://recordings.example.com/?a=b"),
        ("RECORDING_PUBLIC_URL", "https://[::1"),
        ("RECORDING_STORAGE_URL", "s3://bucket/recordings"),
        ("RECORDING_MAX_RECORDING_BYTES", "0"),
        ("RECORDING_DOWNLOAD_SECONDS", "0"),
        ("RECORDING_LOG_LEVEL", "loud"),
        ("RECORDING_TIME_SCALE", "0"),
        ("RECORDING_TIME_SCALE", "2"),
        ("RECORDING_ALLOW_UNSIGNED_WEBHOOKS", "perhaps"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    (problem,) = problems(monkeypatch, **{variable: value})
    assert problem.startswith(f"{variable}: ")
    assert len(problem) > len(f"{variable}: ")


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, RECORDING_WORKERS="x", RECORDING_LOG_LEVEL="x", RECORDING_GRPC_ADDRESS="x")
    assert sorted(problem.partition(":")[0] for problem in found) == [
        "RECORDING_GRPC_ADDRESS",
        "RECORDING_LOG_LEVEL",
        "RECORDING_WORKERS",
    ]


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("file:///srv/recordings", Path("/srv/recordings")),
        ("file:///srv/call%20recordings", Path("/srv/call recordings")),
        ("/srv/recordings", Path("/srv/recordings")),
    ],
)
def test_the_shelf_is_a_folder_by_path_or_by_url(monkeypatch: pytest.MonkeyPatch, url: str, root: Path) -> None:
    assert load(monkeypatch, RECORDING_STORAGE_URL=url).storage_root == root


# Secrets from files


@pytest.mark.parametrize("variable", SECRET_VARIABLES)
def test_every_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT)
    if variable in ("TWILIO_API_KEY", "TWILIO_API_SECRET"):
        monkeypatch.setenv("TWILIO_API_KEY", "other")
        monkeypatch.setenv("TWILIO_API_SECRET", "other")
        monkeypatch.delenv(variable)
    settings = load(monkeypatch, **{f"{variable}_FILE": str(file)})
    field = variable.lower() if variable.startswith("TWILIO_") else variable.removeprefix("RECORDING_").lower()
    assert getattr(settings, field).get_secret_value() == SECRET


def test_a_variable_wins_over_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file")
    settings = load(
        monkeypatch,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN="from the variable",
        TWILIO_AUTH_TOKEN_FILE=str(file),
    )
    assert settings.twilio_auth_token.get_secret_value() == "from the variable"


def test_a_file_that_can_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (problem,) = problems(monkeypatch, TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "nowhere"))
    assert problem == "TWILIO_AUTH_TOKEN_FILE: can't be read: No such file or directory"


def test_a_file_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe" + SECRET.encode())
    (problem,) = problems(monkeypatch, TWILIO_AUTH_TOKEN_FILE=str(file))
    assert problem.startswith("TWILIO_AUTH_TOKEN_FILE: ")


# Accounts


def test_the_auth_token_fetches_where_there_is_no_api_key() -> None:
    account = Account(account_sid=ACCOUNT, auth_tokens=("first", "second"))  # type: ignore[arg-type]
    assert account.credentials() == (ACCOUNT, "first")


def test_an_account_without_credentials_has_none() -> None:
    assert Account(account_sid=ACCOUNT).credentials() is None


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=" , ,")
    assert settings.accounts()[ACCOUNT].auth_tokens == ()
    assert settings.accounts()[ACCOUNT].credentials() is None


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TWILIO_ACCOUNT_SID": "x"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_MEDIA_FORMAT": "ogg"}, "TWILIO_MEDIA_FORMAT"),
        ({"TWILIO_MEDIA_FORMAT": "wav"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_DUAL_CHANNEL": "true"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ENCRYPTION_KEYS_FOLDER": "keys"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_KEY": SECRET}, "TWILIO_API_SECRET"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_SECRET": SECRET}, "TWILIO_API_KEY"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "http://api.example.com"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": f"https://me:{SECRET}@api.example.com"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://api.example.com:x"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "api.example.com"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://api.example.com?x"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://api.example.com?"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://twilio_stand_in:8443"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://api.example.com\n"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": " https://api.example.com"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "https://tẅilio.com"}, "TWILIO_API_URL"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_URL": "HTTPS://api.example.com"}, "TWILIO_API_URL"),
        ({"TWILIO_AUTH_TOKEN": SECRET}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_API_KEY": SECRET, "TWILIO_API_SECRET": SECRET}, "TWILIO_ACCOUNT_SID"),
    ],
)
def test_a_wrong_account_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    (problem,) = problems(monkeypatch, **variables)
    assert problem.startswith(f"{named}: ")


def test_an_account_has_mp3_as_twilio_gives_it_unless_it_chooses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT).accounts()[ACCOUNT]
    assert (account.media_format, account.dual_channel) == ("mp3", False)

    chosen = {"TWILIO_MEDIA_FORMAT": "wav", "TWILIO_DUAL_CHANNEL": "1"}
    account = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, **chosen).accounts()[ACCOUNT]
    assert (account.media_format, account.dual_channel) == ("wav", True)

    file = tmp_path / "accounts.toml"
    file.write_text(f'[{OTHER_ACCOUNT}]\nmedia_format = "wav"\ndual_channel = true\n')
    account = load(monkeypatch, RECORDING_ACCOUNTS_FILE=str(file)).accounts()[OTHER_ACCOUNT]
    assert (account.media_format, account.dual_channel) == ("wav", True)


def test_an_account_has_no_keys_unless_a_folder_of_them_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_ENCRYPTION_KEYS_FOLDER="").accounts()[ACCOUNT]
    assert account.encryption_keys_folder is None

    file = tmp_path / "accounts.toml"
    file.write_text(f'[{OTHER_ACCOUNT}]\nencryption_keys_folder = "/run/secrets/keys"\n')
    account = load(monkeypatch, RECORDING_ACCOUNTS_FILE=str(file)).accounts()[OTHER_ACCOUNT]
    assert account.encryption_keys_folder == Path("/run/secrets/keys")


@pytest.mark.parametrize("variable", ["RECORDING_TRANSCRIPTION_CA_FILE", "RECORDING_EVENTS_CA_FILE"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read: No such file"), (b"", "must be a PEM file"), (b"-----BEGIN CERT", "must be a PEM file")],
)
def test_a_file_of_authorities_that_can_not_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    (problem,) = problems(monkeypatch, **{variable: str(file)})
    assert problem.startswith(f"{variable}: ")
    assert said in problem


def test_a_file_of_authorities_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings = load(monkeypatch, RECORDING_TRANSCRIPTION_CA_FILE=str(tmp_path / "ca.pem"))
    assert settings.transcription_ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099", "http://localhost", "http://[::1]:8099"])
def test_plain_http_is_for_loopback_only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_API_URL=url)
    assert settings.accounts()[ACCOUNT].api_url == url


ACCOUNTS = f"""
[{ACCOUNT}]
auth_tokens = ["first", "second"]

[{OTHER_ACCOUNT}]
api_key = "SKx"
api_secret = "key-secret"
api_url = "https://api.dublin.ie1.twilio.com"
"""


def test_several_accounts_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(ACCOUNTS)
    accounts = load(monkeypatch, RECORDING_ACCOUNTS_FILE=str(file)).accounts()
    assert list(accounts) == [ACCOUNT, OTHER_ACCOUNT]
    assert accounts[ACCOUNT].credentials() == (ACCOUNT, "first")
    assert accounts[OTHER_ACCOUNT].credentials() == ("SKx", "key-secret")
    assert accounts[OTHER_ACCOUNT].api_url == "https://api.dublin.ie1.twilio.com"


def test_the_file_and_the_variables_may_name_different_accounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(f'[{OTHER_ACCOUNT}]\nauth_tokens = ["token"]\n')
    settings = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN="x", RECORDING_ACCOUNTS_FILE=str(file))
    assert set(settings.accounts()) == {ACCOUNT, OTHER_ACCOUNT}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (f"{SECRET}", "is no TOML"),
        (f'{ACCOUNT} = "{SECRET}"', ACCOUNT),
        (f'[{ACCOUNT}]\nauth_tokens = "{SECRET}"', ACCOUNT),
        (f"[{ACCOUNT}]\nauth_tokens = [5]", ACCOUNT),
        (f'[{ACCOUNT}]\nauth_token = "{SECRET}"', "auth_token"),
        (f'[{ACCOUNT}]\napi_key = "{SECRET}"', ACCOUNT),
        (f'[{ACCOUNT}]\naccount_sid = "{OTHER_ACCOUNT}"', ACCOUNT),
        (f'[{ACCOUNT}]\napi_url = "http://api.example.com"', "must be https"),
        (f'[{ACCOUNT}]\nencryption_keys_folder = ""', "names no folder"),
        ('[ACx]\nauth_tokens = ["x"]', "ACx"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_the_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toml: str, said: str
) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(toml)
    (problem,) = problems(monkeypatch, RECORDING_ACCOUNTS_FILE=str(file))
    assert problem.startswith("RECORDING_ACCOUNTS_FILE: ")
    assert said in problem


def test_a_file_of_accounts_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert problems(monkeypatch, RECORDING_ACCOUNTS_FILE=str(tmp_path / "nowhere")) == [
        "RECORDING_ACCOUNTS_FILE: can't be read: No such file or directory"
    ]


# Addresses


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_what_no_other_machine_can_reach(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert Address(host, 1).is_loopback is expected


@given(host=st.sampled_from(["127.0.0.1", "localhost", "host.example"]), port=st.integers(0, 65535))
def test_an_address_is_a_host_and_a_port(host: str, port: int) -> None:
    assert Address.parse(f"{host}:{port}") == Address(host, port)


@given(st.text(max_size=30))
def test_nothing_but_a_value_error_comes_of_nonsense(text: str) -> None:
    parsed: Any = None
    try:
        parsed = Address.parse(text)
    except ValueError:
        return
    assert parsed.host
    assert 0 <= parsed.port <= 65535


# Callers, keys and TLS

HASH = "a1" * 32
CALLER = f"""
[billing]
token_hashes = ["sha256:{HASH.upper()}"]
scopes = ["enqueue", "read"]
accounts = ["{ACCOUNT}"]
"""


def callers_file(folder: Path, text: str) -> str:
    file = folder / "callers.toml"
    file.write_text(text)
    return str(file)


def test_a_caller_has_its_tokens_scopes_and_accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(monkeypatch, RECORDING_CALLERS_FILE=callers_file(tmp_path, CALLER))
    (caller,) = settings.callers()
    assert (caller.name, caller.token_hashes, caller.scopes) == ("billing", (HASH,), frozenset({"enqueue", "read"}))
    assert caller.account_sids == frozenset({ACCOUNT})
    assert settings.requires_credentials


def test_a_caller_may_be_known_by_its_certificate_for_every_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = '[ops]\ncertificate_names = ["ops.internal"]\nscopes = ["manage"]\naccounts = "*"\nstreams = 3\n'
    (caller,) = load(monkeypatch, RECORDING_CALLERS_FILE=callers_file(tmp_path, text)).callers()
    assert caller.account_sids is None
    assert (caller.certificate_names, caller.streams) == (("ops.internal",), 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "has no caller"),
        ("[billing", "is no TOML"),
        ("billing = 1", "[billing] is no table"),
        (CALLER.replace("billing", '"a b"'), "[a b] name"),
        (CALLER.replace("billing", "http-adapter"), "[http-adapter] name"),
        (CALLER.replace(HASH.upper(), HASH[1:]), "[billing] token_hashes"),
        (CALLER.replace(f"sha256:{HASH.upper()}", SECRET), "[billing] token_hashes"),
        (CALLER.replace("enqueue", "admin"), "[billing] scopes"),
        (CALLER.replace('"enqueue", "read"', ""), "[billing] scopes"),
        (CALLER.replace(ACCOUNT, "AC1"), "[billing] accounts"),
        (CALLER.replace(f'["{ACCOUNT}"]', "[]"), "[billing] accounts"),
        (CALLER.replace(f'["{ACCOUNT}"]', '"all"'), "[billing] accounts"),
        (CALLER.replace(f'accounts = ["{ACCOUNT}"]', ""), "[billing] accounts"),
        (CALLER + "streams = 0", "[billing] streams"),
        (CALLER + "requests_per_second = 0", "[billing] requests_per_second"),
        (CALLER + "password = 'x'", "[billing] password"),
        (CALLER + "name = 'x'", "[billing] has a field that is not known"),
        ('[billing]\nscopes = ["read"]\naccounts = "*"', "[billing] has neither token_hashes nor certificate_names"),
        (CALLER + CALLER.replace("billing", "other"), "[other] and [billing] share"),
    ],
)
def test_what_is_wrong_with_a_caller_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, named: str
) -> None:
    (problem,) = problems(monkeypatch, RECORDING_CALLERS_FILE=callers_file(tmp_path, text))
    assert problem.startswith(f"RECORDING_CALLERS_FILE: {named}")


KEY = "k1:" + "A" * 43
OLD_KEY = "k0:" + "B" * 43 + "="


def test_the_first_key_signs_and_the_others_are_still_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, RECORDING_PLAYBACK_KEYS=f"{KEY}, {OLD_KEY}")
    assert [key.key_id for key in settings.signing_keys()] == ["k1", "k0"]
    assert settings.signing_keys()[0].secret == bytes(32)
    assert settings.requires_credentials


@pytest.mark.parametrize(
    "value", ["k1", f"a b:{'A' * 43}", "k1:A", f"k1:{'A' * 42}!", "k1:" + "A" * 20, f"{KEY},{KEY}"]
)
def test_what_is_no_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (problem,) = problems(monkeypatch, RECORDING_PLAYBACK_KEYS=value)
    assert problem.startswith("RECORDING_PLAYBACK_KEYS: ")
    assert "A" * 20 not in problem


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("RECORDING_GRPC_TLS_KEY_FILE", "RECORDING_GRPC_TLS_CERTIFICATE_FILE"),
        ("RECORDING_GRPC_CLIENT_CERTIFICATE_FILE", "RECORDING_GRPC_CLIENT_KEY_FILE"),
        ("RECORDING_GRPC_TLS_CLIENT_CA_FILE", "RECORDING_GRPC_TLS_CERTIFICATE_FILE"),
    ],
)
def test_half_of_what_tls_takes_is_refused(monkeypatch: pytest.MonkeyPatch, given: str, missing: str) -> None:
    (problem,) = problems(monkeypatch, **{given: "/some/file.pem"})
    assert given in problem
    assert missing in problem


def test_without_any_credential_none_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN="x")
    assert not settings.requires_credentials
    assert (settings.callers(), settings.signing_keys()) == ((), ())
    assert settings.effective_grpc_target == settings.grpc_address


def test_a_certificate_of_the_adapters_is_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    # By it the adapter may do everything at gRPC: whoever asks the adapter has to show something, too.
    files = {f"RECORDING_GRPC_CLIENT_{kind}_FILE": "/some/file.pem" for kind in ("CERTIFICATE", "KEY")}
    assert load(monkeypatch, **files).requires_credentials


@pytest.mark.parametrize("variable", SECRET_VARIABLES)
def test_an_empty_secret_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    file = tmp_path / "secret"
    file.write_text("\n")
    (problem,) = problems(monkeypatch, **{f"{variable}_FILE": str(file)})
    assert problem == f"{variable}_FILE: {file} is empty"


@pytest.mark.parametrize("token", ["x", " " * 40, "x" * 31, "x" * 513, "x" * 31 + " ", "ü" * 40])
def test_a_token_that_could_be_guessed_or_sent_by_nobody_is_refused(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    (problem,) = problems(monkeypatch, RECORDING_GRPC_TOKEN=token)
    assert problem.startswith("RECORDING_GRPC_TOKEN: is no token of at least 32 characters")


# Events

WHSEC = "whsec_" + "QUJD" * 8


def test_events_are_delivered_where_a_url_and_a_secret_say(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "whsec_" + "REVG" * 20
    settings = load(
        monkeypatch, RECORDING_EVENTS_URL="https://example.com/a?b=c", RECORDING_EVENTS_SECRET=f"{WHSEC}, {other}"
    )
    assert settings.event_secrets() == (b"ABC" * 8, b"DEF" * 20)
    assert load(monkeypatch, RECORDING_EVENTS_URL="").events_url == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("example.com", "is no URL of a receiver"),
        ("ftp://example.com", "is no URL of a receiver"),
        ("https://", "is no URL of a receiver"),
        ("https://user:password@example.com/", "is no URL of a receiver"),
        ("https://example.com/#part", "is no URL of a receiver"),
        ("http://example.com/", "must be https"),
        ("http://192.0.2.1/", "must be https"),
    ],
)
def test_a_url_that_is_no_receivers_or_that_anyone_could_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    (problem,) = problems(monkeypatch, RECORDING_EVENTS_URL=url, RECORDING_EVENTS_SECRET=WHSEC)
    assert said in problem


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost/", "http://[::1]:8/"])
def test_plain_http_is_for_loopback(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert load(monkeypatch, RECORDING_EVENTS_URL=url, RECORDING_EVENTS_SECRET=WHSEC).events_url == url


def test_plain_http_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        RECORDING_EVENTS_URL="http://receiver.internal/",
        RECORDING_EVENTS_SECRET=WHSEC,
        RECORDING_EVENTS_ALLOW_HTTP="1",
    )
    assert settings.events_url == "http://receiver.internal/"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "needs RECORDING_EVENTS_SECRET"),
        (SECRET, "does not begin with whsec_"),
        ("whsec_***", "is not in base64"),
        ("whsec_" + "QUJD" * 7, "has 21 bytes; it must have 24 to 64"),
        ("whsec_" + "QUJD" * 22, "has 66 bytes; it must have 24 to 64"),
        (f"{WHSEC},whsec_QUJD", "has 3 bytes"),
    ],
)
def test_a_secret_that_signs_nothing_well_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str, said: str) -> None:
    variables = {"RECORDING_EVENTS_URL": "https://example.com/", "RECORDING_EVENTS_SECRET": secret}
    (problem,) = problems(monkeypatch, **variables)
    assert said in problem
