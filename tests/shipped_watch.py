"""The shipped Prometheus and Alertmanager configurations at a test's ports, in a hurry."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import yaml

from tests.outbound.hooks.http_receiver import HttpReceiver

CONFIGS = Path(__file__).parents[1] / "configs"
ALERTS = CONFIGS / "alertmanager" / "alertmanager.yml"
RULES = CONFIGS / "prometheus" / "rules"


def shipped_prometheus(http_port: int, alerts_port: int) -> str:
    """The shipped configuration at these ports, and looking every second."""
    told = yaml.safe_load((CONFIGS / "prometheus" / "prometheus.yml").read_text())
    told["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    told["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{http_port}"]
    told["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [
        f"127.0.0.1:{alerts_port}"
    ]
    return yaml.safe_dump(told)


def shipped_alertmanager(receiver_port: int) -> str:
    """The shipped configuration, whose receivers are this test's and which waits less."""
    told = yaml.safe_load(ALERTS.read_text())
    told["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in told["receivers"]:
        [hook] = receiver["webhook_configs"]
        hook["url"] = hook["url"].replace("9099", str(receiver_port))
    return yaml.safe_dump(told)


async def heard(
    receiver: HttpReceiver, alert: str, status: str, *, within_s: float = 60
) -> dict[str, object]:
    """What has come of the alert with this status, and where."""
    with anyio.fail_after(within_s):
        while True:
            for path, (_, body) in zip(receiver.paths, receiver.got, strict=False):
                for told in json.loads(body)["alerts"]:
                    if (told["labels"]["alertname"], told["status"]) == (alert, status):
                        return {"path": path, **told["labels"], **told["annotations"]}
            await anyio.sleep(0.1)
