"""Names that lead elsewhere from one look to the next."""

from urllib.parse import urlsplit

from recording_service.twilio_stand_in import answers
from recording_service.twilio_stand_in.script import FOREVER
from tests.faults.internet import PRIVATE_ADDRESSES, PUBLIC_ADDRESS, Internet
from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually

#: Twilio's API, and a host of its media that redirects may lead to.
API, MEDIA = "api.twilio.com", "media.twiliocdn.com"
#: How often each name is looked up at least while it is rebound.
LOOKS = 4


@scenario(25)
def names_rebound(world: World) -> None:
    """Twilio's names lead to a private address at every other look: nobody connects there, and nothing is lost."""
    private = world.chance.choice(PRIVATE_ADDRESSES)
    ways = ([[PUBLIC_ADDRESS], [private]], [[private], [PUBLIC_ADDRESS]], [[PUBLIC_ADDRESS], [private, PUBLIC_ADDRESS]])
    with Internet(world.folder, (API, MEDIA), ("127.0.0.1", world.twilio_proxy.port)) as internet:
        world.restart_with(TWILIO_API_URL=f"https://{API}", **internet.environment)
        direct, redirected = world.add(5), world.add(5)
        for recording_sid in redirected:
            path = urlsplit(world.twilio.cdn_url(recording_sid)).path
            world.twilio.behave(recording_sid, answers.redirect(f"https://{MEDIA}{path}"), times=FOREVER)
        world.ready([direct.pop(), redirected.pop()])
        assert internet.connected == [f"{PUBLIC_ADDRESS}:443"] * 3, internet.connected
        with world.fault(f"names lead to {private} at every other look"):
            internet.lead({name: world.chance.choice(ways) for name in (API, MEDIA)})
            world.callers.batch([*direct, *redirected])
            eventually(
                lambda: sum(private in addresses for addresses in internet.told) >= LOOKS,
                within=60.0,
                what="looks that lead to the private address",
            )
        internet.lead({name: [[PUBLIC_ADDRESS]] for name in (API, MEDIA)})
        world.mended()
        world.settle()
        assert not internet.trapped, f"connected to {private}: {internet.trapped}"
        assert set(internet.connected) == {f"{PUBLIC_ADDRESS}:443"}, set(internet.connected)
