"""What the world keeps secret: recognisable, sent wherever callers send such things, and looked for everywhere else."""

from typing import Any

from recording_service.twilio_stand_in.webhooks import CALLED, CALLER
from recordings.v1 import enqueue_pb2

AUTH_TOKEN = "canary-auth-token-7f3a91c2"
REDIS_PASSWORD = "canary-redis-password-5d21"
#: The ends of the calls that back ends tell of; numbers reserved for fiction, as are those of the webhooks.
FROM_NUMBER, TO_NUMBER = "+12025550146", "+12025550179"
#: In the query of each source_url.
SOURCE_TOKEN = "canary-source-token-93be07d4"
#: In the userinfo of a source_url that is refused for it.
SOURCE_PASSWORD = "canary-source-password-c80d"

#: All of them, by names to tell of.
SECRETS = {
    "the auth token": AUTH_TOKEN,
    "Redis' password": REDIS_PASSWORD,
    "a back end's from_number": FROM_NUMBER,
    "a back end's to_number": TO_NUMBER,
    "a webhook's From": CALLER,
    "a webhook's To": CALLED,
    "a source_url's token": SOURCE_TOKEN,
    "a source_url's password": SOURCE_PASSWORD,
}


def telling_request(account_sid: str, recording_sid: str, **fields: Any) -> enqueue_pb2.EnqueueRecordingRequest:
    """A request to enqueue with everything in it that must go no further than the recording's row."""
    url = (
        f"https://api.twilio.com/2010-04-01/Accounts/{account_sid}/Recordings/{recording_sid}.mp3?token={SOURCE_TOKEN}"
    )
    usual: dict[str, Any] = {"source_url": url, "from_number": FROM_NUMBER, "to_number": TO_NUMBER}
    return enqueue_pb2.EnqueueRecordingRequest(
        account_sid=account_sid, recording_sid=recording_sid, **{**usual, **fields}
    )


def url_with_password(url: str) -> str:
    """The same URL with a user and a password in it."""
    return url.replace("://", f"://somebody:{SOURCE_PASSWORD}@")
