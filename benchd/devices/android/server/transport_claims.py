"""Which transport is truly at an address: the adb server is asked about each by its id.

A list in text is cut into lines, and whoever has a line break in its USB serial writes lines in
a neighbour's name. What the server answers about one id is cut into nothing. Seen with adb
34.0.5: `get-devpath` and `get-state` are refused for transports that are offline or not
authorised, with the state in the reason; AOSP's `acquire_one_transport` says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import anyio

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.server.device_list import LIVENESS_OF_STATE, ListedTransport
from benchd.devices.android.server.smart_socket import (
    SERVER_DEADLINE_S,
    RequestRefused,
    ServerPlace,
    connect,
)
from benchd.domain.port import Liveness

_UNKNOWN_ID: Final = "no device with transport id"
_UNAUTHORIZED: Final = "device unauthorized"


def address_service(address: AdbAddress) -> str:
    """The question whose answer for a transport is its address, in the server's own words."""
    return "get-devpath" if address.startswith("usb:") else "get-serialno"


class Claims:
    """One server's transports, each at the address that the server itself has told."""

    def __init__(self, place: ServerPlace) -> None:
        self._place = place
        self._told: dict[tuple[int, str], str] = {}
        """Answers that hold for as long as a transport is listed: a server gives an id once."""

    async def resolve(self, claims: Iterable[ListedTransport]) -> dict[AdbAddress, ListedTransport]:
        """The transport of each address; whoever is READY there has been confirmed."""
        claimants: dict[AdbAddress, list[ListedTransport]] = {}
        claims = tuple(claims)
        listed = {claim.transport_id for claim in claims}
        self._told = {key: told for key, told in self._told.items() if key[0] in listed}
        for claim in claims:
            claimants.setdefault(claim.address, []).append(claim)
        settled: dict[AdbAddress, ListedTransport] = {}
        for address, rivals in claimants.items():
            found = await self._resolve_address(rivals)
            if found is not None:
                settled[address] = found
        return settled

    async def _resolve_address(self, rivals: Sequence[ListedTransport]) -> ListedTransport | None:
        contested = len(rivals) > 1
        confirmed: list[ListedTransport] = []
        possible: list[ListedTransport] = []
        for claim in rivals:
            if not contested and claim.liveness is not Liveness.READY:
                return claim
            try:
                if await self._current_address(claim) == claim.address:
                    confirmed.append(await self._with_state(claim) if contested else claim)
            except RequestRefused as refusal:
                possible += _unconfirmed(claim, str(refusal))
        return _newest(confirmed) or _newest(possible)

    async def _current_address(self, claim: ListedTransport) -> str:
        service = address_service(claim.address)
        key = claim.transport_id, service
        if key not in self._told:
            self._told[key] = await self._ask(*key)
        return self._told[key]

    async def _with_state(self, claim: ListedTransport) -> ListedTransport:
        state = await self._ask(claim.transport_id, "get-state")
        return replace(claim, liveness=LIVENESS_OF_STATE.get(state, Liveness.OFFLINE))

    async def _ask(self, transport_id: int, service: str) -> str:
        with anyio.fail_after(SERVER_DEADLINE_S):
            async with connect(self._place) as link:
                await link.request(f"host-transport-id:{transport_id}:{service}")
                return await link.block()


def _unconfirmed(claim: ListedTransport, refusal: str) -> Sequence[ListedTransport]:
    """What the list may say of a transport that the server doesn't let be used now."""
    if _UNKNOWN_ID in refusal:
        return ()
    if _UNAUTHORIZED in refusal:
        return (replace(claim, liveness=Liveness.UNAUTHORIZED),)
    if claim.liveness is Liveness.READY:
        return (replace(claim, liveness=Liveness.OFFLINE),)
    return (claim,)


def _newest(rivals: Sequence[ListedTransport]) -> ListedTransport | None:
    """The transport that came last; OFFLINE where several disagree on what it is."""
    if not rivals:
        return None
    newest = max(rivals, key=lambda claim: claim.transport_id)
    agreed = len({claim.liveness for claim in rivals}) == 1
    return newest if agreed else replace(newest, liveness=Liveness.OFFLINE)
