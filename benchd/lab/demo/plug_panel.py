"""The panel of a demo by hand: its handsets are taken out and plugged in again from the wall."""

# Annotations name what is made in the function, so they are read at once.

from pathlib import Path
from typing import Literal

import anyio
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, JSONResponse

from benchd.domain.errors import NotFound
from benchd.lab.simulator.hands import RackHands
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.dashboard import Addition

PARTS = Path(__file__).parent
SCRIPT = "/lab/plug_panel.js"
STYLE = "/lab/plug_panel.css"


def plug_panel(control_socket: Path) -> Addition:
    """Hands on the rack with this control socket, for whoever sits at its wall.

    It does what hands do and answers nothing: what benchd makes of it goes by its own rules.
    """
    router = APIRouter(include_in_schema=False)

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
        """Each handset by the name of its slot, whether it is in it, and what its screen shows."""
        async with RackHands.connect(control_socket) as hands:
            told = [
                {
                    "name": state.name,
                    "plugged": state.slot is not None,
                    "imei": (await hands.screen(state.name)).imei,
                }
                for state in await hands.handsets()
            ]
        return JSONResponse({"handsets": told})

    @router.post("/lab/handsets/{name}/{what}")
    @served_to(AccessLevel.READ)
    async def hand(name: str, what: Literal["plug", "unplug"]) -> Response:
        """Put a handset into its own slot, or take it out of it."""
        # Once begun it is done: an answer that nobody reads would be taken for the next one's.
        with anyio.CancelScope(shield=True):
            async with RackHands.connect(control_socket) as hands:
                names = [state.name for state in await hands.handsets()]
                if name not in names:
                    raise NotFound(f"no handset {name} in this rack")
                if what == "plug":
                    await hands.plug(name, names.index(name) + 1)
                else:
                    await hands.unplug(name)
        return JSONResponse({})

    return Addition(router=router, scripts=(SCRIPT,))
