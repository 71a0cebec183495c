"""The script that benchd is compared with: `naive_script PORT THREADS ADDRESS…`, inside the rack.

Per handset: `dd` from urandom until the storage is full, sync, read the file, delete it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from adbutils import AdbClient, AdbError

FILE = "/data/local/tmp/random.bin"
ERASE = (
    f"dd if=/dev/urandom of={FILE} bs=1048576 2> /dev/null; sync;"
    f" dd if={FILE} of=/dev/null bs=1048576 2> /dev/null && rm {FILE}"
)
CONNECTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 900.0


def main() -> None:
    """Print the seconds from the first handset's begin to the last one's end."""
    port, threads, *addresses = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="benchd-naive-") as home:
        environment = {**os.environ, "HOME": home, "ADB_USB": "0", "ADB_MDNS": "0"}
        environment["ANDROID_ADB_LOG_PATH"] = f"{home}/adb.log"
        subprocess.run(
            ["adb", "-P", port, "start-server"], env=environment, check=True, capture_output=True
        )
        try:
            client = AdbClient(host="127.0.0.1", port=int(port))
            for address in addresses:
                _wait(client, address)
            begun = time.monotonic()
            with ThreadPoolExecutor(max_workers=int(threads)) as pool:
                for erased in [pool.submit(_erase, client, address) for address in addresses]:
                    erased.result()
            seconds = time.monotonic() - begun
        finally:
            subprocess.run(["adb", "-P", port, "kill-server"], env=environment, check=False)
    sys.stdout.write(f"{seconds}\n")


def _wait(client: AdbClient, address: str) -> None:
    ends_at = time.monotonic() + CONNECTS_WITHIN_S
    while True:
        try:
            client.connect(address)
            if client.device(address).get_state() == "device":
                return
        except AdbError:
            pass
        if time.monotonic() > ends_at:
            sys.exit(f"{address} doesn't answer")
        time.sleep(0.05)


def _erase(client: AdbClient, address: str) -> None:
    shell = cast("Callable[..., str]", client.device(address).shell)
    shell(ERASE, timeout=ENDS_WITHIN_S)


if __name__ == "__main__":
    main()
