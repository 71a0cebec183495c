"""One of the ways that benchd is compared with: `naive_way threads|processes PORT COUNT`."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

from adbutils import AdbClient

from benchd.lab.benchmarks.crowd.crowd_socket import HOST
from benchd.lab.simulator.addresses import adb_address

QUESTIONS: Final = ("getprop", "dumpsys battery", "dumpsys account", "df -k /data")
ERASE: Final = (
    "dd if=/dev/urandom of=/data/local/tmp/random.bin bs=1048576 2> /dev/null; sync;"
    " dd if=/data/local/tmp/random.bin of=/dev/null bs=1048576 2> /dev/null"
)
ENDS_WITHIN_S: Final = 1400.0


def main() -> None:
    """Print when it began, and what it took with all that it has started."""
    way, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    addresses = [adb_address(number) for number in range(1, count + 1)]
    begun_wall, begun = time.time(), time.monotonic()
    if way == "threads":
        _by_threads(port, addresses)
    else:
        asyncio.run(_by_processes(port, addresses))
    wall_s = time.monotonic() - begun
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "begun": begun_wall,
        "wall_s": wall_s,
        "cpu_s": own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime,
        # Of the processes only the largest is told: they are many of the same size.
        "rss_bytes": 1024 * (own.ru_maxrss + others.ru_maxrss * (count if way != "threads" else 0)),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _by_threads(port: int, addresses: Sequence[str]) -> None:
    client = AdbClient(host=HOST, port=port)

    def erase(address: str) -> None:
        shell = cast("Callable[..., str]", client.device(address).shell)
        for question in QUESTIONS:
            shell(question)
        shell(ERASE, timeout=ENDS_WITHIN_S)

    with ThreadPoolExecutor(max_workers=len(addresses)) as pool:
        for erased in [pool.submit(erase, address) for address in addresses]:
            erased.result()


async def _by_processes(port: int, addresses: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="benchd-naive-") as home:
        environment = {**os.environ, "HOME": home, "ADB_USB": "0", "ADB_MDNS": "0"}

        async def erase(address: str) -> None:
            for command in (*QUESTIONS, ERASE):
                process = await asyncio.create_subprocess_exec(
                    *("adb", "-P", str(port), "-s", address, "shell", command),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    env=environment,
                )
                await process.communicate()
                if process.returncode != 0:
                    raise RuntimeError(f"adb ended with {process.returncode}")

        await asyncio.gather(*(erase(address) for address in addresses))


if __name__ == "__main__":
    main()
