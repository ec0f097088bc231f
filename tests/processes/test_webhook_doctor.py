"""`recording-service doctor --webhook`: each difference is found, named, and told how to mend."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result

from recording_service.cli import main
from recording_service.http_api import HttpSettings, build_app
from recording_service.http_api.webhooks.endpoints import PATHS
from recording_service.twilio_stand_in.signature import signature

ACCOUNT, OTHER, STRANGER = ("AC" + digit * 32 for digit in "abc")
TOKEN, OLDER_TOKEN, OTHER_TOKEN = "the-primary-token", "the-older-token", "the-token-of-the-other"
PUBLIC_URL = "https://recordings.example.com"
STATUS = PATHS[0]
URL = PUBLIC_URL + STATUS

FORM = {
    "AccountSid": ACCOUNT,
    "RecordingSid": "RE" + "1b" * 16,
    "RecordingStatus": "completed",
    "From": "+15550142857",
    "Caller": " Müller ",
    "Blank": "",
}
BODY = urlencode(FORM)

Doctor = Callable[..., Result]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command with two accounts configured, and variables, or the usual ones without those that are None."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(
        f'[{ACCOUNT}]\nauth_tokens = ["{TOKEN}", "{OLDER_TOKEN}"]\n[{OTHER}]\nauth_tokens = ["{OTHER_TOKEN}"]\n'
    )
    usual = {"RECORDING_PUBLIC_URL": PUBLIC_URL, "RECORDING_ACCOUNTS_FILE": str(accounts)}

    def run(*arguments: str, stdin: bytes | None = None, **variables: str | None) -> Result:
        for name, value in {**usual, **variables}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        ran = CliRunner().invoke(main, ["doctor", *arguments], input=stdin, terminal_width=200)
        assert ran.exception is None or isinstance(ran.exception, SystemExit)
        for secret in (TOKEN, OLDER_TOKEN, OTHER_TOKEN, "5550142857", "Müller"):
            assert secret not in ran.output
        return ran

    return run


def webhook(signed: str, *, url: str = URL, body: str = BODY) -> tuple[str, ...]:
    """The arguments for one webhook."""
    return ("--webhook", "--url", url, "--signature", signed, "--body", body)


def signed(url: str = URL, *, token: str = TOKEN, **changes: str) -> str:
    return signature(token, url, FORM | changes)


def lines(ran: Result, mark: str) -> list[str]:
    return [line.removeprefix(mark).strip() for line in ran.output.splitlines() if line.startswith(mark)]


def test_what_matches_is_told_with_what_is_signed_over_and_ends_with_0(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed()))
    assert ran.exit_code == 0
    assert lines(ran, "FAIL") == []
    assert f"signature  matches; signed over {URL} or {PUBLIC_URL}:443{STATUS}" in ran.output
    assert "number 1 of 2 signed it; once no webhook needs them, the others can go" in ran.output


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("public_url", "given", "twilio_signs"),
    [
        (PUBLIC_URL, PUBLIC_URL + "{}?a=%7E&b=#rc=5&rp=all", PUBLIC_URL + "{}?a=%7E&b="),
        (f"{PUBLIC_URL}:8443", f"{PUBLIC_URL}:8443{{}}", PUBLIC_URL + "{}"),
        (f"{PUBLIC_URL}/voice/", f"{PUBLIC_URL}/voice{{}}?", f"{PUBLIC_URL}/voice{{}}?"),
        (PUBLIC_URL, "https://user:password@recordings.example.com{}", PUBLIC_URL + "{}"),
    ],
)
def test_what_twilio_leaves_out_of_a_url_is_no_difference(
    doctor: Doctor, path: str, public_url: str, given: str, twilio_signs: str
) -> None:
    arguments = webhook(signed(twilio_signs.format(path)), url=given.format(path))
    ran = doctor(*arguments, RECORDING_PUBLIC_URL=public_url)
    assert ran.exit_code == 0, ran.output
    assert "password" not in ran.output


def test_the_older_token_of_a_rotation_matches_and_is_named_by_its_number(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed(token=OLDER_TOKEN)))
    assert ran.exit_code == 0
    assert "number 2 of 2 signed it; keep it until Twilio signs with the first" in ran.output


@pytest.mark.parametrize(
    ("public_url", "given", "twilio_signs", "named", "said"),
    [
        (
            PUBLIC_URL.replace("https", "http"),
            URL,
            URL,
            "scheme",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}",
        ),
        (
            PUBLIC_URL,
            URL.replace("https", "http"),
            URL.replace("https", "http"),
            "scheme",
            "set RECORDING_PUBLIC_URL=http://recordings.example.com",
        ),
        (
            PUBLIC_URL,
            f"{PUBLIC_URL}:8443{STATUS}",
            f"{PUBLIC_URL}:8443{STATUS}",
            "port",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}:8443",
        ),
        (
            f"{PUBLIC_URL}:8443",
            f"{PUBLIC_URL}:9443{STATUS}",
            f"{PUBLIC_URL}:9443{STATUS}",
            "port",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}:9443",
        ),
        (
            "http://recordings.example.com:8080",
            "http://recordings.example.com" + STATUS,
            "http://recordings.example.com:80" + STATUS,
            "port",
            "set RECORDING_PUBLIC_URL=http://recordings.example.com:80",
        ),
        (
            "https://old.example.com",
            URL,
            URL,
            "host",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}",
        ),
        (
            PUBLIC_URL,
            URL,
            f"https://www.recordings.example.com{STATUS}",
            "host",
            "set RECORDING_PUBLIC_URL=https://www.recordings.example.com",
        ),
        (
            "https://www.example.com",
            f"https://www.example.com{STATUS}",
            f"https://example.com{STATUS}",
            "host",
            "set RECORDING_PUBLIC_URL=https://example.com",
        ),
        (
            PUBLIC_URL,
            f"{PUBLIC_URL}/voice{STATUS}",
            f"{PUBLIC_URL}/voice{STATUS}",
            "path prefix",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}/voice",
        ),
        (
            f"{PUBLIC_URL}/voice",
            URL,
            URL,
            "path prefix",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}\n",
        ),
        (
            "http://127.0.0.1:8080",
            f"{PUBLIC_URL}:8443/voice{STATUS}",
            f"{PUBLIC_URL}:8443/voice{STATUS}",
            "scheme and host and port and path prefix",
            f"set RECORDING_PUBLIC_URL={PUBLIC_URL}:8443/voice",
        ),
        (PUBLIC_URL, f"{URL}/", f"{URL}/", "trailing slash", "take it away at Twilio"),
        (PUBLIC_URL, f"{URL}?a=1", URL, "query left out", "added on the way"),
        (PUBLIC_URL, f"{URL}?b=2&a=1", f"{URL}?a=1&b=2", "order of the query", "sorted on the way"),
        (PUBLIC_URL, f"{URL}?a=x'y", f"{URL}?a=x%27y", "encoding of the query", "changed on the way"),
        (PUBLIC_URL, f"{URL}?a=x%20y", f"{URL}?a=x+y", "encoding of the query", "changed on the way"),
        (PUBLIC_URL, f"{URL}?a=%c3%a4", f"{URL}?a=%C3%A4", "encoding of the query", "changed on the way"),
        (PUBLIC_URL, f"{URL}?a=b%40c", f"{URL}?a=b@c", "encoding of the query", "changed on the way"),
        (PUBLIC_URL, f"{URL}#rc=5", f"{URL}#rc=5", "fragment", "ask who made the request"),
    ],
)
def test_a_difference_of_the_url_is_named_with_what_to_do(
    doctor: Doctor, public_url: str, given: str, twilio_signs: str, named: str, said: str
) -> None:
    ran = doctor(*webhook(signed(twilio_signs), url=given), RECORDING_PUBLIC_URL=public_url)
    assert ran.exit_code == 1
    wrong = {line.partition("  ")[0]: line for line in lines(ran, "FAIL")}
    assert set(wrong) == {"signature", named, "would match"}
    assert f" {public_url}{STATUS}" in wrong["signature"]
    assert said in wrong[named] + "\n"
    assert wrong["would match"].endswith(twilio_signs)


def test_a_public_url_that_is_not_set_is_said_to_be_so(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed()), RECORDING_PUBLIC_URL=None)
    assert f"set RECORDING_PUBLIC_URL={PUBLIC_URL} (it is not set)" in ran.output


@pytest.mark.parametrize(
    ("form_as_signed", "body", "named"),
    [
        ({"Caller": "Müller"}, BODY, "white space trimmed"),
        ({name: value for name, value in FORM.items() if value}, BODY, "blank values dropped"),
        (FORM, BODY.replace("%2B", "+").replace("+M%C3%BCller+", "%20M%C3%BCller%20"), "plus signs decoded"),
    ],
)
def test_a_difference_of_the_form_is_named_with_what_to_do(
    doctor: Doctor, form_as_signed: dict[str, str], body: str, named: str
) -> None:
    form = FORM | form_as_signed if named == "white space trimmed" else form_as_signed
    ran = doctor(*webhook(signature(TOKEN, URL, form), body=body))
    assert ran.exit_code == 1
    assert any(line.startswith(f"{named}  ") for line in lines(ran, "FAIL")), ran.output


def test_two_differences_at_once_are_both_named(doctor: Doctor) -> None:
    arguments = webhook(signed("http://recordings.example.com" + STATUS, Caller="Müller"), url=f"{URL}?a=b")
    found = lines(doctor(*arguments), "FAIL")
    assert [line.partition("  ")[0] for line in found] == [
        "signature",
        "scheme",
        "query left out",
        "white space trimmed",
        "would match",
    ]


def test_another_accounts_token_is_named_by_its_account(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed(token=OTHER_TOKEN)))
    assert ran.exit_code == 1
    assert f"a token of {OTHER} would have matched" in ran.output


@pytest.mark.parametrize(
    ("account_sid", "said"),
    [
        (STRANGER, f"{STRANGER} is not configured; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or auth_tokens"),
        (ACCOUNT.replace("a", "A"), f"{ACCOUNT.replace('a', 'A')} is not configured; it is written {ACCOUNT} here"),
        ("<script>", "its AccountSid is not configured"),
    ],
)
def test_an_account_that_is_not_configured_is_named(doctor: Doctor, account_sid: str, said: str) -> None:
    body = urlencode(FORM | {"AccountSid": account_sid})
    ran = doctor(*webhook(signed(token="nobody's", AccountSid=account_sid), body=body))
    assert ran.exit_code == 1
    assert said in ran.output
    assert "<script>" not in ran.output


def test_two_accounts_in_one_form_belong_to_nobody(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed(), body=f"{BODY}&AccountSid={OTHER}"))
    assert ran.exit_code == 1
    assert "the form has not one AccountSid" in ran.output


def test_a_token_that_is_not_configured_is_the_most_likely_of_all(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed(token="a-token-from-yesterday")))
    assert ran.exit_code == 1
    assert "it has to be the *primary* auth token" in ran.output


def test_without_any_token_there_is_nothing_to_check_with(doctor: Doctor) -> None:
    ran = doctor(*webhook(signed()), RECORDING_ACCOUNTS_FILE=None)
    assert ran.exit_code == 1
    assert "no auth token is configured here" in ran.output


def test_a_path_of_somebody_else_is_named_with_ours(doctor: Doctor) -> None:
    url = f"{PUBLIC_URL}/twilio/hook"
    ran = doctor(*webhook(signed(url), url=url))
    assert ran.exit_code == 1
    assert f"/twilio/hook is none of this service's: webhooks go to {URL} or {PUBLIC_URL}{PATHS[1]}" in ran.output


def test_the_form_may_come_from_a_file_or_from_standard_input(doctor: Doctor, tmp_path: Path) -> None:
    form = tmp_path / "form.txt"
    form.write_text(BODY + "\n")
    assert doctor(*webhook(signed(), body=f"@{form}")).exit_code == 0
    assert doctor(*webhook(signed(), body="-"), stdin=BODY.encode() + b"\r\n").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--url", "recordings.example.com", "is no http or https URL"),
        ("--url", "https://recordings.example.com/ä", "is no http or https URL"),
        ("--url", "https://recordings.example.com:port/", "is no http or https URL"),
        ("--signature", "", "has 28 characters"),
        ("--signature", "sha1=0123", "has 28 characters"),
        ("--signature", "ä" * 28, "has 28 characters"),
        ("--body", "", "is empty"),
        ("--body", '{"AccountSid": "AC"}', "has no AccountSid"),
        ("--body", "AccountSid=%zz", "is no form"),
        ("--body", "AccountSid=" + "x" * 20_000, "more than 16384"),
        ("--body", "@/nowhere/form.txt", "/nowhere/form.txt can't be read"),
    ],
)
def test_what_can_not_be_looked_into_names_the_option_and_ends_with_2(
    doctor: Doctor, option: str, value: str, said: str
) -> None:
    arguments = list(webhook(signed()))
    arguments[arguments.index(option) + 1] = value
    ran = doctor(*arguments)
    assert ran.exit_code == 2
    assert option in ran.output
    assert said in ran.output


def test_what_is_missing_is_named_and_ends_with_2(doctor: Doctor) -> None:
    ran = doctor("--webhook", "--url", URL)
    assert ran.exit_code == 2
    assert "--webhook needs --signature, --body as well" in ran.output
    ran = doctor("--url", URL)
    assert ran.exit_code == 2
    assert "are for --webhook" in ran.output


@pytest.mark.parametrize("public_url", ["recordings.example.com", "https://h:port", "https://münchen.example"])
def test_a_configuration_that_no_signature_could_match_is_named(doctor: Doctor, public_url: str) -> None:
    ran = doctor(*webhook(signed()), RECORDING_PUBLIC_URL=public_url)
    assert ran.exit_code == 1
    assert "RECORDING_PUBLIC_URL" in ran.output


def test_the_help_has_an_example(doctor: Doctor) -> None:
    assert "recording-service doctor --webhook --url '" in doctor("--help").output


def test_the_paths_it_knows_are_those_of_the_adapter() -> None:
    app = build_app(HttpSettings(grpc_target="127.0.0.1:1", public_url=PUBLIC_URL))
    assert set(PATHS) == {path for route in app.routes if "webhooks" in (path := str(getattr(route, "path", "")))}
