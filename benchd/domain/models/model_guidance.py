"""What a question or a problem says of a handset's own menus; texts fill it in by language."""

from __future__ import annotations

from benchd.domain.models.model_entry import FelicaErase, Menu


def reset_words(menu: Menu | None) -> dict[str, str]:
    """Where its menus lead to a reset; nothing where nobody has told of them."""
    return {} if menu is None else {"reset_ja": menu.reset.ja, "reset_en": menu.reset.en}


def debugging_words(menu: Menu | None) -> dict[str, str]:
    """Where USB debugging is switched on; nothing where nobody has told of it."""
    if menu is None or menu.debugging is None:
        return {}
    return {"debugging_ja": menu.debugging.ja, "debugging_en": menu.debugging.en}


def erase_words(erase: FelicaErase | None) -> dict[str, str]:
    """Where a handset's own menus erase its FeliCa chip; nothing where no source says it."""
    if erase is None:
        return {}
    return {"felica_erase_ja": erase.way.ja, "felica_erase_en": erase.way.en}
