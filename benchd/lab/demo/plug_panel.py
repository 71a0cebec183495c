"""The panel of a demo by hand: its handsets are taken out and plugged in again from the wall."""

# Annotations name what is made in the function, so they are read at once.

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import anyio
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, JSONResponse

from benchd.domain.errors import NotFound
from benchd.domain.ids import SlotName
from benchd.lab.simulator.hands import RackHands
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.dashboard import Addition

PARTS = Path(__file__).parent
SCRIPT = "/lab/plug_panel.js"
STYLE = "/lab/plug_panel.css"


def plug_panel(control_socket: Path, slots: Mapping[SlotName, int]) -> Addition:
    """Hands on the rack with this control socket, for whoever sits at its wall.

    `slots` are the rack's, with their numbers there.

    It does what hands do and answers nothing: what benchd makes of it goes by its own rules.
    """
    router = APIRouter(include_in_schema=False)
    names: dict[int | None, SlotName] = {number: name for name, number in slots.items()}

    @router.get(SCRIPT)
    @served_to(AccessLevel.NONE)
    async def script() -> FileResponse:
        return FileResponse(PARTS / "plug_panel.js", media_type="text/javascript")

    @router.get(STYLE)
    @served_to(AccessLevel.NONE)
    async def style() -> FileResponse:
        return FileResponse(PARTS / "plug_panel.css", media_type="text/css")

    @router.get("/lab/handsets")
    @served_to(AccessLevel.READ)
    async def handsets() -> Response:
        """Each handset by the name of its own slot, where it is, and what its screen shows."""
        async with RackHands.connect(control_socket) as hands:
            told = [
                {
                    "name": state.name,
                    "slot": names.get(state.slot),
                    "imei": (await hands.screen(state.name)).imei,
                }
                for state in await hands.handsets()
            ]
        others = [name for name in slots if name not in {one["name"] for one in told}]
        return JSONResponse({"handsets": told, "others": others})

    @router.post("/lab/handsets/{name}/{what}")
    @served_to(AccessLevel.READ)
    async def hand(
        name: str, what: Literal["plug", "unplug"], slot: SlotName | None = None
    ) -> Response:
        """Put a handset into its own slot or into another one, or take it out of where it is."""
        # Once begun it is done: an answer that nobody reads would be taken for the next one's.
        with anyio.CancelScope(shield=True):
            async with RackHands.connect(control_socket) as hands:
                where = slot or SlotName(name)
                if name not in {state.name for state in await hands.handsets()}:
                    raise NotFound(f"no handset {name} in this rack")
                if where not in slots:
                    raise NotFound(f"no slot {where} in this rack")
                if what == "plug":
                    await hands.plug(name, slots[where])
                else:
                    await hands.unplug(name)
        return JSONResponse({})

    return Addition(router=router, scripts=(SCRIPT,))
