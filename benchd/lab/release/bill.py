"""A release's bill of materials: CycloneDX 1.7 as JSON, the same for the same release.

The document is https://cyclonedx.org/docs/1.7/json/, which its own library holds it against.
"""

from __future__ import annotations

import json
import uuid
from typing import Final

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from benchd.domain.errors import BenchdError
from benchd.lab.release.part import Inner, Kind, Part, Release

_URN: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:benchd:release")
_PACKAGED: Final = {Kind.PYTHON: "pypi", Kind.GO: "golang", Kind.DEBIAN: "deb"}
"""Types of package URLs; a font has none."""
_OWN: Final = "benchd"


class BillInvalid(BenchdError):
    """Raised when what was written isn't what CycloneDX's schema asks for."""


def bill_of(release: Release) -> str:
    """The bill of a release, held against the published schema.

    Raises:
        BillInvalid: The schema refuses it.
    """
    number = uuid.uuid5(_URN, f"{release.version} {release.commit} {release.processor}")
    parts = sorted(release.parts, key=_ref)
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": number.urn,
        "version": 1,
        "metadata": {"timestamp": release.made_at.isoformat(), "component": _benchd(release)},
        "components": [_component(part) for part in parts],
        "dependencies": _dependencies(release, parts),
    }
    text = json.dumps(bill, indent=2, ensure_ascii=False)
    refused = JsonStrictValidator(SchemaVersion.V1_7).validate_str(text)
    if refused is not None:
        raise BillInvalid(f"CycloneDX's schema refuses the bill of materials: {refused}")
    return f"{text}\n"


def _benchd(release: Release) -> dict[str, object]:
    return {
        "type": "application",
        "bom-ref": _OWN,
        "name": _OWN,
        "version": release.version,
        "purl": PackageURL("generic", None, _OWN, release.version).to_string(),
        "hashes": _hashes(release.sha256),
        "licenses": _licences(release.licence),
        "properties": [
            {"name": "benchd:commit", "value": release.commit},
            {"name": "benchd:processor", "value": release.processor},
        ],
    }


def _component(part: Part) -> dict[str, object]:
    told: dict[str, object] = {
        "type": "file" if part.kind is Kind.FONT else "library",
        "bom-ref": _ref(part),
        "name": part.name,
        "version": part.version,
        "scope": "required",
        "purl": _purl(part),
        "hashes": _hashes(part.sha256),
        "licenses": _licences(part.licence),
        "components": [_inner(each) for each in part.inside],
    }
    if part.kind is Kind.DEBIAN:
        told["isExternal"] = True
    return {name: value for name, value in told.items() if value}


def _inner(inner: Inner) -> dict[str, object]:
    """What a wheel has inside: who holds bills against known holes looks there too."""
    source = [{"type": "website", "url": inner.source}] if inner.source else []
    told: dict[str, object] = {
        "name": inner.name,
        "version": inner.version,
        "purl": inner.purl,
        "licenses": _licences_inside(inner.licence),
        "externalReferences": source,
    }
    return {"type": "library"} | {name: value for name, value in told.items() if value}


def _licences_inside(said: str) -> list[dict[str, object]]:
    """Others' bills say whatever they like: what isn't SPDX is told by its name."""
    try:
        return _licences(canonicalize_license_expression(said) if said else "")
    except InvalidLicenseExpression:
        return [{"license": {"name": said}}]


def _dependencies(release: Release, parts: list[Part]) -> list[dict[str, object]]:
    refs = {part.name: _ref(part) for part in parts if part.kind is Kind.PYTHON}

    def of(names: frozenset[str]) -> list[str]:
        return [refs[name] for name in sorted(names) if name in refs]

    outright = [_ref(part) for part in parts if part.kind is not Kind.PYTHON]
    own: dict[str, object] = {"ref": _OWN, "dependsOn": of(release.needs) + outright}
    return [own, *({"ref": _ref(part), "dependsOn": of(part.needs)} for part in parts)]


def _ref(part: Part) -> str:
    return f"{part.kind.lower()}:{part.name}"


def _purl(part: Part) -> str:
    if part.kind not in _PACKAGED:
        return ""
    vendor, told = None, None
    if part.kind is Kind.DEBIAN:
        vendor, told = "debian", {"arch": part.processor, "distro": "debian-13"}
    kind = _PACKAGED[part.kind]
    return PackageURL(kind, vendor, part.name, part.version, told).to_string()


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}] if sha256 else []


def _licences(spdx: str) -> list[dict[str, object]]:
    if not spdx:
        return []
    return [{"expression": spdx} if " " in spdx else {"license": {"id": spdx}}]
