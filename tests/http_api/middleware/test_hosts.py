"""Names that aren't ours, where nothing else keeps a stranger's page out."""

import pytest

from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import RECORDING, FakeRecordings
from tests.http_api.running_app import Client, running_app

KNOWN = frozenset({"localhost", "127.0.0.1", "::1", "recordings.example.com"})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "Recordings.Example.com", "LOCALHOST:1"])
def test_by_its_own_names_it_answers(settings: Settings, recordings: FakeRecordings, host: str) -> None:
    recordings.add(b"0123456789")
    with running_app(settings(known_hosts=KNOWN)) as client:
        assert client.request("GET", f"/recordings/{RECORDING}/stream", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "a@localhost.evil", "[::1", "", "@"],
)
@pytest.mark.parametrize("path", ["/", "/recordings", f"/recordings/{RECORDING}/stream", "/session"])
def test_by_another_one_it_says_nothing(settings: Settings, recordings: FakeRecordings, host: str, path: str) -> None:
    recordings.add(b"0123456789")
    with running_app(settings(known_hosts=KNOWN)) as client:
        recordings.asked.clear()
        answer = client.request("GET", path, {"Host": host})

    assert (answer.status, answer.json()["reason"]) == (421, "HOST_NOT_KNOWN")
    assert recordings.asked == []


def test_one_of_two_names_is_not_enough(settings: Settings, recordings: FakeRecordings) -> None:
    with running_app(settings(known_hosts=KNOWN)) as client, client.raw() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(1000).split(b" ")[1] in (b"400", b"421")


def test_where_credentials_are_asked_for_a_proxy_may_say_what_it_likes(client: Client) -> None:
    assert client.request("GET", "/healthz", {"Host": "upstream-3"}).status == 200
