"""Models and software of virtual handsets, as Japanese shops get them in.

Names, vendor ids and Android versions are those of real models; build numbers are made up
in each maker's style.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchd.lab.simulator.plan import HandsetModel

XPERIA_ACE_III: Final = HandsetModel(
    manufacturer="Sony",
    brand="docomo",
    model="SO-53C",
    product="SO-53C",
    device="SO-53C",
    android="13",
    sdk=33,
    build="67.1.B.2.40",
    incremental="067001B002004000402153610",
    security_patch="2023-09-01",
    vendor_id="0fce",
    product_id="520d",
)
AQUOS_SENSE_6: Final = HandsetModel(
    manufacturer="SHARP",
    brand="docomo",
    model="SH-54B",
    product="SH-54B_d",
    device="SH-54B",
    android="12",
    sdk=31,
    build="S2018",
    incremental="02.00.08",
    security_patch="2023-02-01",
    vendor_id="04dd",
    product_id="9c9b",
)
AQUOS_WISH_3: Final = HandsetModel(
    manufacturer="SHARP",
    brand="SHARP",
    model="SH-53D",
    product="SH-53D_d",
    device="SH-53D",
    android="14",
    sdk=34,
    build="S3042",
    incremental="03.00.05",
    security_patch="2024-08-01",
    vendor_id="04dd",
    product_id="9d8b",
)
ARROWS_WE: Final = HandsetModel(
    manufacturer="FCNT",
    brand="docomo",
    model="F-51B",
    product="F-51B",
    device="F-51B",
    android="12",
    sdk=31,
    build="V33RK57D",
    incremental="V33R057D",
    security_patch="2022-12-01",
    vendor_id="04c5",
    product_id="1696",
)
GALAXY_A23: Final = HandsetModel(
    manufacturer="samsung",
    brand="samsung",
    model="SC-56C",
    product="SC-56C",
    device="SC-56C",
    android="13",
    sdk=33,
    build="TP1A.220624.014.SC56COMU1BWC3",
    incremental="SC56COMU1BWC3",
    security_patch="2023-03-01",
    vendor_id="04e8",
    product_id="6860",
)
PIXEL_4A: Final = HandsetModel(
    manufacturer="Google",
    brand="google",
    model="Pixel 4a",
    product="sunfish",
    device="sunfish",
    android="11",
    sdk=30,
    build="RQ3A.210905.001",
    incremental="7511028",
    security_patch="2021-09-05",
    vendor_id="18d1",
    product_id="4ee2",
)
XPERIA_Z5: Final = HandsetModel(
    manufacturer="Sony",
    brand="docomo",
    model="SO-01H",
    product="SO-01H",
    device="SO-01H",
    android="6.0",
    sdk=23,
    build="32.1.F.1.67",
    incremental="2830466519",
    security_patch="2016-11-01",
    vendor_id="0fce",
    product_id="51db",
)
XPERIA_10_II: Final = HandsetModel(
    manufacturer="Sony",
    brand="Sony",
    model="XQ-AU42",
    product="XQ-AU42_AP",
    device="XQ-AU42",
    android="10",
    sdk=29,
    build="59.0.A.10.3",
    incremental="059000A010000301546914379",
    security_patch="2020-09-01",
    vendor_id="0fce",
    product_id="520c",
)
RENO_5_A: Final = HandsetModel(
    manufacturer="OPPO",
    brand="OPPO",
    model="CPH2199",
    product="CPH2199",
    device="OP4F11L1",
    android="12",
    sdk=31,
    build="RKQ1.201217.002",
    incremental="1650003211789",
    security_patch="2022-10-05",
    vendor_id="22d9",
    product_id="2769",
)
REDMI_12: Final = HandsetModel(
    manufacturer="Xiaomi",
    brand="Redmi",
    model="XIG03",
    product="sky_kd_global",
    device="sky",
    android="14",
    sdk=34,
    build="UKQ1.231003.002",
    incremental="OS1.0.8.0.UMWJPKD",
    security_patch="2024-11-01",
    vendor_id="2717",
    product_id="ff48",
)
GALAXY_A23_ON_14: Final = replace(
    GALAXY_A23,
    android="14",
    sdk=34,
    build="UP1A.231005.007.SC56COMU1DXA1",
    incremental="SC56COMU1DXA1",
    security_patch="2024-01-01",
)
XPERIA_ACE_III_ON_14: Final = replace(
    XPERIA_ACE_III,
    android="14",
    sdk=34,
    build="67.2.B.0.100",
    incremental="067002B000010000153610999",
    security_patch="2024-06-01",
)
