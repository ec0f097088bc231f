"""Voice Recording Encryption at the stand-in, decrypted in the way of Twilio's own samples."""

import base64
import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from recording_service.twilio_stand_in import Recording, TwilioStandIn, media, server_error
from recording_service.twilio_stand_in.webhooks import status_callback
from tests.support.encrypted import PUBLIC_KEY_SID, an_encryption, private_key
from tests.twilio_stand_in import raw_http


@pytest.fixture
def encrypted(twilio: TwilioStandIn) -> Recording:
    return twilio.add_recording(duration=2, channels=2, encryption=an_encryption())


def decrypted(encrypted_cek: str, iv: str, body: bytes) -> bytes:
    """What the samples do, and what they leave out: the tag is looked at."""
    cek = private_key().decrypt(
        base64.b64decode(encrypted_cek), padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    )
    decryptor = Cipher(algorithms.AES(cek), modes.GCM(base64.b64decode(iv))).decryptor()
    return decryptor.update(body[:-16]) + decryptor.finalize_with_tag(body[-16:])


@pytest.mark.parametrize("extension", ["", ".wav", ".wav?RequestedChannels=1", ".wav?RequestedChannels=2"])
def test_what_is_served_is_the_wav_encrypted_by_a_key_that_the_private_one_opens(
    twilio: TwilioStandIn, encrypted: Recording, credentials: dict[str, str], extension: str
) -> None:
    answer = raw_http.get(twilio.media_url(encrypted.recording_sid, extension), credentials)

    assert encrypted.encryption is not None
    plain = decrypted(encrypted.encryption.encrypted_cek, encrypted.encryption.iv, answer.body)
    assert plain == twilio.plain_media(encrypted.recording_sid)
    assert (plain[:4], int.from_bytes(plain[22:24], "little")) == (b"RIFF", 2)
    assert answer.body == twilio.media(encrypted.recording_sid, ".wav")


def test_mp3_is_refused_with_twilios_code(
    twilio: TwilioStandIn, encrypted: Recording, credentials: dict[str, str]
) -> None:
    twilio.behave(encrypted.recording_sid, server_error(503))

    answer = raw_http.get(twilio.media_url(encrypted.recording_sid, ".mp3"), credentials)

    assert answer.status == 400
    assert b"<Code>16109</Code>" in answer.body


def test_the_resource_and_the_webhook_say_the_same_by_other_names(
    twilio: TwilioStandIn, encrypted: Recording, credentials: dict[str, str]
) -> None:
    document = json.loads(raw_http.get(twilio.media_url(encrypted.recording_sid, ".json"), credentials).body)
    callback: Mapping[str, str] = status_callback(encrypted, "completed", twilio.url)
    said, told = document["encryption_details"], json.loads(callback["EncryptionDetails"])

    assert encrypted.encryption is not None
    assert said["encryption_public_key_sid"] == told["public_key_sid"] == PUBLIC_KEY_SID
    assert said["encryption_cek"] == told["encrypted_cek"] == encrypted.encryption.encrypted_cek
    assert said["encryption_iv"] == told["iv"] == encrypted.encryption.iv


def test_of_a_plain_recording_nothing_is_said(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    document = json.loads(raw_http.get(twilio.media_url(recording.recording_sid, ".json"), credentials).body)

    assert document["encryption_details"] is None
    assert "EncryptionDetails" not in status_callback(recording, "completed", twilio.url)
    assert twilio.plain_media(recording.recording_sid) == twilio.media(recording.recording_sid, ".wav")


def test_each_recording_has_a_key_and_a_vector_of_its_own() -> None:
    one, other = an_encryption(), an_encryption()
    assert len({one.cek, other.cek}) == len({one.iv, other.iv}) == 2
    assert one.cek.hex() not in repr(one)
    assert repr(one.cek) not in repr(one)


def test_misbehaviour_goes_with_encryption(
    twilio: TwilioStandIn, encrypted: Recording, credentials: dict[str, str]
) -> None:
    twilio.behave(encrypted.recording_sid, media().until_close())
    answer = raw_http.get(twilio.media_url(encrypted.recording_sid, ".wav"), credentials)
    assert answer.body == twilio.media(encrypted.recording_sid, ".wav")
