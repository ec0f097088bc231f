"""`/` and its files: what is served, and what a browser is told about it. What the page does: tests/e2e."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from tests.http_api.fake_recordings import FakeRecordings
from tests.http_api.running_app import Client

FOLDER = files("recording_service.http_api.console").joinpath("static")
NAMES = sorted(entry.name for entry in FOLDER.iterdir())
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def path_of(name: str) -> str:
    return "/" if name == "index.html" else f"/console/{name}"


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_served_as_what_it_is(client: Client, name: str) -> None:
    answer = client.get(path_of(name))
    assert answer.status == 200
    assert answer.body == FOLDER.joinpath(name).read_bytes()
    assert answer.headers["content-type"] == MEDIA_TYPES[name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = client.request("HEAD", path_of(name))
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))


def test_a_file_is_asked_for_anew_each_time_and_sent_only_if_it_has_changed(client: Client) -> None:
    first = client.get("/console/console.css")
    assert first.headers["cache-control"] == "no-cache"
    etag = first.headers["etag"]
    again = client.get("/console/console.css", If_None_Match=etag)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/console/console.css", If_None_Match='"another"').status == 200
    assert client.get("/", If_None_Match=etag).status == 200


@pytest.mark.parametrize("name", NAMES)
def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client: Client, name: str) -> None:
    (policy,) = client.get(path_of(name)).headers.get_all("content-security-policy", [])
    directives = {name: value for name, _, value in (each.strip().partition(" ") for each in policy.split(";"))}
    assert directives["default-src"] == "'none'"
    assert {directives[f"{kind}-src"] for kind in ("script", "style", "connect", "media", "img")} == {"'self'"}
    assert directives["form-action"] == "'self'"
    assert {directives["base-uri"], directives["frame-ancestors"]} == {"'none'"}
    assert "unsafe" not in policy


def test_everything_else_keeps_the_policy_of_what_is_no_page(client: Client) -> None:
    for path in ("/healthz", "/recordings", "/console/nothing.js", "/nowhere"):
        (policy,) = client.get(path).headers.get_all("content-security-policy", [])
        assert policy == "default-src 'none'; media-src 'self'; sandbox"


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/",
        "/console/index.html",
        "/console/nothing.js",
        "/console/../console.py",
        "/console/..%2fconsole.py",
        "/console/%2e%2e/console.py",
        "/console/..%5cconsole.py",
        "/console/console.css%00.js",
        "/console//console.css",
        "//console/console.css",
        "/index.html",
    ],
)
def test_a_path_that_is_no_file_is_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.json()["reason"]) == (404, "NOT_FOUND")


def test_the_page_is_there_without_the_service(client: Client, recordings: FakeRecordings) -> None:
    assert client.get("/").status == 200
    assert recordings.asked == []


class _Markup(HTMLParser):
    """What a page refers to, and what it has inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag in {"script", "style"}
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
            if name in {"src", "href"} and not (value or "").startswith("#"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


def test_the_page_has_nothing_inline_and_refers_to_its_own_files_alone(client: Client) -> None:
    markup = _Markup(client.get("/").body.decode())
    assert markup.inline == []
    # Relative ones: it works below any prefix of a proxy.
    assert all(address.startswith("console/") for address in markup.addresses)
    assert {address.removeprefix("console/") for address in markup.addresses} <= set(NAMES)


def test_scripts_import_each_other_alone_and_write_no_markup() -> None:
    for name in (name for name in NAMES if name.endswith(".js")):
        text = FOLDER.joinpath(name).read_text()
        assert {path.removeprefix("./") for path in re.findall(r'from "([^"]+)"', text)} <= set(NAMES)
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:",
            text.replace("http://www.w3.org/2000/svg", ""),
        )


def test_styles_fetch_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face", FOLDER.joinpath("console.css").read_text())


# Contrast (WCAG 2.2 AA)

GROUNDS = ("page", "surface", "raised", "hover", "chosen")
STATES = ("ready", "downloading", "waiting", "failed")
TEXTS = [
    *((text, ground) for text in ("ink", "soft", "accent", *STATES) for ground in GROUNDS),
    *((text, f"{state}-ground") for text in ("ink", "soft") for state in ("failed", "waiting", "downloading")),
    ("soft", "segments"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("page", "ink"),
]
#: The edges of fields, and what is done of a bar against what is not: 3 to 1.
SHAPES = [("control", "surface"), ("control", "raised"), ("accent", "track"), ("accent", "surface")]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("appearance", [0, 1], ids=["light", "dark"])
def test_everything_can_be_told_from_its_ground(appearance: int) -> None:
    pairs = re.findall(
        r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", FOLDER.joinpath("console.css").read_text()
    )
    colours = {name: (light, dark)[appearance] for name, light, dark in pairs}
    wanted = [(pair, 4.5) for pair in TEXTS] + [(pair, 3.0) for pair in SHAPES]
    found = {pair: (contrast(colours[pair[0]], colours[pair[1]]), least) for pair, least in wanted}
    assert {pair: each for pair, each in found.items() if each[0] < each[1]} == {}
