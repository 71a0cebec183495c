"""Signatures as Standard Webhooks has them: its own vector, and its own library as the reader."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from benchd.domain.errors import UsageRefused
from benchd.outbound.hooks.webhook_signature import headers_of, read_secrets, secret_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "A" * 40


def test_the_vector_of_the_standard() -> None:
    headers = headers_of(
        [secret_of(SECRET)],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("known", [SECRET, OTHER])
def test_a_receiver_with_either_secret_finds_it_good(known: str) -> None:
    body = '{"IMEI":"端末"}'
    headers = headers_of(
        [secret_of(SECRET), secret_of(OTHER)], "7-ab", int(time.time()), body.encode()
    )
    Webhook(known).verify(body, headers)
    assert len(headers["benchd-key-id"].split()) == 2
    for other in (body + " ", body.replace("端", "瑞")):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(other, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(known).verify(body, {**headers, "webhook-id": "8-ab"})


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 200, SECRET[6:], "whsec_端末", SECRET + "!"],
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        secret_of(text)
    assert len(text) < 8 or text not in str(refused.value)


def test_a_file_of_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n\n{OTHER}\n")
    path.chmod(0o600)
    assert len(read_secrets(path)) == 2
    assert SECRET[6:] not in repr(read_secrets(path))
    path.chmod(0o604)
    with pytest.raises(UsageRefused, match="chmod 600"):
        read_secrets(path)
    path.chmod(0o600)
    for wrong in ("", "\n", f"{SECRET}\n" * 5, "secret"):
        path.write_text(wrong)
        with pytest.raises(UsageRefused):
            read_secrets(path)
    with pytest.raises(UsageRefused):
        read_secrets(tmp_path)
