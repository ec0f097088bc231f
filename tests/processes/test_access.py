"""Who may call, as the composition roots tell it to the parts."""

import hashlib
import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recording_service.cli import main
from recording_service.config import Address, ConfigurationError, Settings
from recording_service.core.callers import Scope
from recording_service.processes import access
from recording_service.processes.access import ADAPTER

TOKEN = "t" * 32
ACCOUNT = "AC" + "0a" * 16
EVERYWHERE = Address("0.0.0.0", 50051)  # noqa: S104 - to be refused
LOOPBACK = Address("127.0.0.1", 50051)


def settings(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(data_dir=tmp_path / "data", **changes)


def callers(tmp_path: Path, *hashes: str) -> Path:
    file = tmp_path / "callers.toml"
    listed = ", ".join(f'"{one}"' for one in hashes or ("0" * 64,))
    file.write_text(f'[billing]\ntoken_hashes = [{listed}]\nscopes = ["read"]\naccounts = ["{ACCOUNT}"]\n')
    return file


def test_without_credentials_everyone_is_served_on_loopback_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    access.refuse_exposure(settings(tmp_path), "RECORDING_GRPC_ADDRESS", LOOPBACK)

    assert "NO CREDENTIALS" in caplog.text
    assert access.caller_credentials(settings(tmp_path)) is None


def test_without_credentials_no_other_address_is_listened_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        access.refuse_exposure(settings(tmp_path), "RECORDING_GRPC_ADDRESS", EVERYWHERE)

    (problem,) = caught.value.problems
    assert problem.startswith("RECORDING_GRPC_ADDRESS: 0.0.0.0 can be reached from elsewhere")
    assert "RECORDING_CALLERS_FILE" in problem
    assert "RECORDING_ALLOW_EVERYONE=1" in problem


def test_unless_that_is_said_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    access.refuse_exposure(settings(tmp_path, allow_everyone=True), "RECORDING_GRPC_ADDRESS", EVERYWHERE)

    assert "MAY DO EVERYTHING" in caplog.text


def test_with_a_credential_any_address_is_listened_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        configured = settings(tmp_path, callers_file=callers(tmp_path))
        access.refuse_exposure(configured, "RECORDING_GRPC_ADDRESS", EVERYWHERE)

    assert caplog.records == []


def test_the_adapter_is_a_caller_by_its_token(tmp_path: Path) -> None:
    known = access.caller_credentials(settings(tmp_path, callers_file=callers(tmp_path), grpc_token=TOKEN))

    assert known is not None
    assert [one.caller.name for one in known] == ["billing", "http-adapter"]
    assert known[0].caller.account_sids == frozenset({ACCOUNT})
    assert known[0].caller.limits.streams == 128
    assert known[1].caller is ADAPTER
    assert ADAPTER.scopes == {Scope.ENQUEUE, Scope.READ}


def test_the_file_may_have_the_adapter_itself(tmp_path: Path) -> None:
    file = callers(tmp_path, hashlib.sha256(TOKEN.encode()).hexdigest())

    known = access.caller_credentials(settings(tmp_path, callers_file=file, grpc_token=TOKEN))

    assert known is not None
    assert [one.caller.name for one in known] == ["billing"]


def test_serve_gives_its_adapter_a_socket_and_a_token_of_their_own(tmp_path: Path) -> None:
    guarded = settings(tmp_path, callers_file=callers(tmp_path))
    tokens = set()
    for _ in range(2):
        with access.adapter_beside_grpc(guarded) as given:
            socket = Path(given.grpc_target.removeprefix("unix:"))
            assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
            tokens.add(given.grpc_token.get_secret_value())
        assert not socket.parent.exists()
    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)


def test_serve_leaves_what_is_configured_as_it_is(tmp_path: Path) -> None:
    configured = settings(tmp_path, grpc_target="127.0.0.1:1", grpc_token=TOKEN)
    with access.adapter_beside_grpc(configured) as given:
        assert given is configured


def test_where_everyone_may_call_the_adapter_needs_no_token(tmp_path: Path) -> None:
    with access.adapter_beside_grpc(settings(tmp_path)) as given:
        assert not given.grpc_token.get_secret_value()
        assert not given.requires_credentials


def test_a_key_is_made_once_for_all_processes_of_a_data_directory(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: access.signing_keys(configured), range(32)))

    ((key,),) = made
    assert len(key.secret) == 32
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert access.signing_keys(configured) == (key,)


def test_the_keys_that_are_configured_are_the_ones(tmp_path: Path) -> None:
    keys = access.signing_keys(settings(tmp_path, playback_keys=f"k1:{'A' * 43}"))

    assert [key.key_id for key in keys] == ["k1"]
    assert not (tmp_path / "data").exists()


def test_a_key_that_is_none_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "playback_key").write_bytes(b"short")

    with pytest.raises(ConfigurationError, match="is no key"):
        access.signing_keys(settings(tmp_path))


def test_the_command_makes_a_token_and_the_hash_that_the_configuration_has() -> None:
    output = CliRunner().invoke(main, ["token"]).output

    token = output.split()[1]
    assert len(token) >= 43
    assert f'token_hashes = ["sha256:{hashlib.sha256(token.encode()).hexdigest()}"]' in output
    assert CliRunner().invoke(main, ["token"]).output != output


def test_the_command_makes_a_key_as_the_variable_has_it(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["playback-key", "--name", "k7"]).output.strip()

    (key,) = access.signing_keys(settings(tmp_path, playback_keys=made))
    assert (key.key_id, len(key.secret)) == ("k7", 32)
    assert CliRunner().invoke(main, ["playback-key"]).output.startswith("20")
    refused = CliRunner().invoke(main, ["playback-key", "--name", "a b"])
    assert (refused.exit_code, "--name" in refused.output) == (2, True)
