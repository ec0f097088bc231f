"""A Twilio that lies, cuts, dawdles, refuses and sends elsewhere."""

from itertools import pairwise

from recording_service.twilio_stand_in import answers
from recording_service.twilio_stand_in.answers import Answer
from recording_service.twilio_stand_in.script import FOREVER
from tests.faults.proxy import Direction
from tests.faults.scenario import scenario
from tests.faults.secrets import AUTH_TOKEN
from tests.faults.world import ACCOUNT_SID, World
from tests.support.running_service import free_port
from tests.support.waiting import eventually


def _answered(world: World, what: str, misbehaviour: list[Answer], times: int | None = 1) -> list[str]:
    """Recordings whose first answers are these, one each, and which are asked for."""
    sids = world.add(len(misbehaviour))
    for recording_sid, answer in zip(sids, misbehaviour, strict=True):
        world.twilio.behave(recording_sid, answer, times=times)
    with world.fault(what):
        for told in world.callers.batch(sids):
            # With clocks that run very fast, the dispatcher may have rung before.
            assert told.said in ("ENQUEUED", "DUPLICATE"), told
    return sids


@scenario(17)
def bodies_cut_short(world: World) -> None:
    """Bodies end too soon, connections are torn, lengths are wrong."""
    n = world.chance.randint(1, 4000)
    _answered(
        world,
        "bodies cut short",
        [
            answers.media().truncate(after=n),
            answers.media().truncate(after=-1),
            answers.media().reset(after=n),
            answers.media().announce_excess(n),
            answers.media().announce_excess(-n),
            answers.media().chunked().truncate(),
            answers.media().chunked().truncate(after=n),
        ],
        times=world.chance.randint(1, 3),
    )


@scenario(17)
def network_cut_in_mid_download(world: World) -> None:
    """The network between service and Twilio is cut after a number of bytes, fails altogether, and comes back."""
    sids = world.add(8, shortest=5.0, longest=10.0)
    with world.fault("Twilio's network"):
        world.twilio_proxy.cut_after(world.chance.randint(100, 60_000), Direction.TO_CLIENT, times=4)
        world.callers.batch(sids[:4])
        world.wait_for(sids[:1], "ready", within=world.recovery_seconds)
        world.twilio_proxy.refuse()
        world.callers.batch(sids[4:])
        eventually(
            lambda: any(row["waiting_reason"] == "retry" for row in world.catalogue.rows()),
            within=30.0,
            what="a retry",
        )
        world.twilio_proxy.mend()


@scenario(18, 20)
def bodies_that_are_no_audio(world: World) -> None:
    """JSON, XML, a web page, nothing, noise and compressed answers come where audio was asked for."""
    _answered(
        world,
        "bodies that are no audio",
        [
            answers.json_document(),
            answers.json_document("audio/mpeg"),
            answers.xml_document("audio/mpeg"),
            answers.error_document("audio/mpeg"),
            answers.html_document(),
            answers.empty(),
            answers.wrong_magic(),
            answers.media().gzip(),
        ],
        times=world.chance.randint(1, 2),
    )


@scenario(18)
def no_audio_for_a_while(world: World) -> None:
    """A proxy's page, or one of maintenance, comes for a while: recordings wait with a reason, then are fetched."""
    pages = [answers.html_document(), answers.json_document("audio/mpeg"), answers.empty(), answers.Answer(status=407)]
    sids = _answered(world, "pages for recordings", pages, times=FOREVER)
    with world.fault("the same pages again and again"):
        eventually(
            lambda: all(int(str(row["attempt"])) > 5 for row in world.catalogue.rows()),
            within=60.0,
            what="the sixth attempt at each recording",
        )
        rows = world.catalogue.unsettled()
        assert len(rows) == len(pages), "a recording was given up"
        assert all(row["failure_message"] for row in rows), rows
        assert all(row["waiting_reason"] == "retry" for row in rows if row["state"] == "queued"), rows
        assert not world.shelf.object_keys()
        for recording_sid in sids:
            world.twilio.behave_well(recording_sid)
    world.settle()
    assert {row["state"] for row in world.catalogue.rows()} == {"ready"}


@scenario(18, variables={"RECORDING_TIME_SCALE": "0.0001"})
def never_any_audio(world: World) -> None:
    """Audio never comes: FAILED with a reason in the end, not stored (the clocks run fast: it takes six hours)."""
    sids = _answered(world, "never any audio", [answers.json_document("audio/mpeg"), answers.empty()], times=FOREVER)
    world.cannot_be_had(*sids)
    # 58 attempts at each, of which every one takes a work-horse of its own.
    world.settle(beyond=120.0)
    assert {row["failure_reason"] for row in world.catalogue.rows()} == {"source_not_audio"}
    assert not world.shelf.object_keys()


@scenario(19, variables={"RECORDING_DOWNLOAD_SECONDS": "4", "RECORDING_MAX_RECORDING_BYTES": "2000000"})
def endless_bodies(world: World) -> None:
    """Bodies that drip, never begin, or never end: slots are freed, other recordings go on."""
    dripping, silent, endless = _answered(
        world,
        "endless bodies",
        [answers.media().drip(1), answers.media().stall(), answers.media().endless()],
    )
    world.cannot_be_had(endless)
    others = world.add(4)
    world.callers.batch(others)
    world.settle(beyond=30.0)
    assert world.state(endless) == "failed"
    assert world.state(dripping) == world.state(silent) == "ready"


@scenario(21)
def not_found_at_first(world: World) -> None:
    """404 a few times, and then the recording is there."""
    _answered(world, "404 at first", [answers.not_found()] * 4, times=world.chance.randint(1, 5))


@scenario(22)
def credentials_refused(world: World) -> None:
    """The account's token is refused: no hammering, and everything goes on by itself when it is right again."""
    world.ready(world.add(1))
    sids = world.add(10)
    before = len(world.twilio.requests)
    with world.fault("401"):
        world.twilio.set_auth_token(ACCOUNT_SID, "another token")
        world.callers.batch(sids)
        eventually(
            lambda: all(row["waiting_reason"] == "account_unauthorized" for row in world.catalogue.unsettled()),
            within=30.0,
            what="the waiting reason of every row",
        )
        asked = len(world.twilio.requests) - before
        world.twilio.wait_for_requests(before + asked + 2, timeout=150.0)
        times = [request.time for request in world.twilio.requests][before + asked :]
        probe_seconds = 60.0 * world.time_scale
        assert all(later - earlier > probe_seconds * 0.7 for earlier, later in pairwise(times)), times
        assert asked <= 4, f"{asked} requests with a token that is refused"
        assert all(row["failures_by_reason"] == "{}" for row in world.catalogue.unsettled())
        world.twilio.set_auth_token(ACCOUNT_SID, AUTH_TOKEN)
    # The next probe is at most a minute away.
    world.settle(beyond=60.0 * world.time_scale)


@scenario(23)
def too_many_requests_and_server_errors(world: World) -> None:
    """429 with Retry-After in all its forms, and bursts of 5xx."""
    _answered(
        world,
        "429 and 5xx",
        [
            answers.too_many_requests(1),
            answers.too_many_requests("Wed, 21 Oct 2015 07:28:00 GMT"),
            answers.too_many_requests("soon"),
            answers.too_many_requests(None),
            answers.server_error(500),
            answers.server_error(503, retry_after=1),
            answers.server_error(502),
        ],
        times=world.chance.randint(1, 4),
    )


@scenario(23)
def twilio_is_down(world: World) -> None:
    """Nobody answers at Twilio's address for a while."""
    sids = world.add(6)
    with world.fault("Twilio is down"):
        world.twilio.down()
        world.callers.batch(sids)
        eventually(
            lambda: all(row["waiting_reason"] == "retry" for row in world.catalogue.unsettled()),
            within=30.0,
            what="a retry of every recording",
        )
        world.twilio.up()


@scenario(24)
def redirects(world: World) -> None:
    """Redirects to other hosts, to plain http, to this machine, to a cloud's metadata, with a password, in a loop."""
    elsewhere = [
        f"http://127.0.0.1:{free_port()}/stolen.mp3",
        "http://169.254.169.254/latest/meta-data/",
        "https://user:password@api.twilio.com/recording.mp3",
        "http://api.twilio.com/recording.mp3",
        "https://foreign.example/recording.mp3",
        "file:///etc/passwd",
    ]
    sids = _answered(
        world, "redirects", [*(answers.redirect(location) for location in elsewhere), answers.redirect()], times=FOREVER
    )
    world.cannot_be_had(*sids)
    world.settle()
    assert {row["failure_reason"] for row in world.catalogue.rows()} == {"source_redirect_refused"}, [
        row["failure_message"] for row in world.catalogue.rows()
    ]
