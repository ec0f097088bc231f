"""What Twilio says of how it encrypted a recording, in both of its languages."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.encryption import details_of, from_text, to_text, violations_of
from recording_service.core.errors import EncryptionDetailsInvalid
from recording_service.core.model import EncryptionDetails

SID = "CR" + "0a" * 16
CEK = base64.b64encode(bytes(256)).decode()
IV = base64.b64encode(bytes(12)).decode()

IN_WEBHOOKS = {"public_key_sid": SID, "encrypted_cek": CEK, "iv": IV}
IN_RESOURCES = {"encryption_public_key_sid": SID, "encryption_cek": CEK, "encryption_iv": IV}


@pytest.mark.parametrize(
    "said",
    [
        IN_WEBHOOKS,
        IN_RESOURCES,
        {**IN_WEBHOOKS, "type": "rsa-aes"},
        {**IN_RESOURCES, "type": "AES", "something_new": [1]},
        {**IN_WEBHOOKS, **IN_RESOURCES},
        {"encryption_public_key_sid": SID, "encryption_cek": CEK, "iv": IV},
        {**IN_WEBHOOKS, "encryption_iv": "", "encryption_cek": None},
    ],
)
def test_both_sets_of_names_are_understood(said: dict[str, Any]) -> None:
    assert details_of(said) == EncryptionDetails(SID, CEK, IV)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({}, "public_key_sid"),
        ({**IN_WEBHOOKS, "public_key_sid": "CR1"}, "public_key_sid"),
        ({**IN_WEBHOOKS, "public_key_sid": "AC" + "0a" * 16}, "public_key_sid"),
        ({**IN_WEBHOOKS, "encrypted_cek": "no base64!"}, "encrypted_cek"),
        ({**IN_WEBHOOKS, "encrypted_cek": base64.b64encode(bytes(255)).decode()}, "encrypted_cek"),
        ({**IN_WEBHOOKS, "encrypted_cek": 7}, "encrypted_cek"),
        ({**IN_WEBHOOKS, "iv": base64.b64encode(bytes(8)).decode()}, "iv"),
        ({**IN_WEBHOOKS, "iv": "\N{FULLWIDTH LATIN CAPITAL LETTER A}" * 16}, "iv"),
        ({**IN_WEBHOOKS, "encryption_iv": base64.b64encode(b"x" * 12).decode()}, "iv"),
    ],
)
def test_what_can_not_be_right_is_refused_by_name_and_repeats_no_value(said: dict[str, Any], named: str) -> None:
    with pytest.raises(EncryptionDetailsInvalid, match=named) as caught:
        details_of(said)
    assert not [value for value in said.values() if isinstance(value, str) and value in str(caught.value)]


@given(st.builds(EncryptionDetails, st.text(), st.text(), st.text()))
def test_nothing_but_words_comes_of_nonsense(details: EncryptionDetails) -> None:
    assert all(violation.field.startswith("details.") for violation in violations_of(details, "details"))


@given(st.none() | st.builds(EncryptionDetails, st.text(), st.text(), st.text()))
def test_what_a_row_has_is_what_it_was_given(details: EncryptionDetails | None) -> None:
    assert from_text(to_text(details)) == details
    assert (to_text(details) == "") is (details is None)
