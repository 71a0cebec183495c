"""Times `adb push` into a folder, through the real adb server and adbd on loopback.

`python -m benchd.lab.benchmarks.push_inside SOURCE TARGET`, in a network namespace of its own: adbd
listens on every address there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

SERVER_PORT = "15037"
ADBD_PORT = "16001"
WITHIN_S = 30.0


def main() -> None:
    """Print the seconds that the push and the sync after it took."""
    source, target = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="benchd-push-") as home:
        environment = {
            **os.environ,
            "HOME": home,
            "ADBD_PORT": ADBD_PORT,
            "ANDROID_ADB_SERVER_PORT": SERVER_PORT,
            "ADB_USB": "0",
            "ADB_MDNS": "0",
            "ANDROID_ADB_LOG_PATH": f"{home}/adb.log",
        }
        adbd = subprocess.Popen(
            ["/usr/sbin/adbd", "--device_banner", "device"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _adb(environment, "start-server")
            _connect(environment)
            begun = time.monotonic()
            _adb(environment, "-s", f"127.0.0.1:{ADBD_PORT}", "push", source, target)
            descriptor = os.open(target, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
            seconds = time.monotonic() - begun
        finally:
            _adb(environment, "kill-server")
            adbd.kill()
            adbd.wait()
    sys.stdout.write(f"{seconds}\n")


def _connect(environment: dict[str, str]) -> None:
    ends_at = time.monotonic() + WITHIN_S
    while True:
        _adb(environment, "connect", f"127.0.0.1:{ADBD_PORT}")
        if f"127.0.0.1:{ADBD_PORT}\tdevice" in _adb(environment, "devices"):
            return
        if time.monotonic() > ends_at:
            sys.exit("adbd doesn't answer")
        time.sleep(0.05)


def _adb(environment: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        ["adb", *arguments], env=environment, capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
