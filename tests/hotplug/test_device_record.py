"""What udev's properties are made into."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.ids import ANDROID, DeviceAddress, PortPath
from benchd.domain.port import Attached
from benchd.hotplug.device_record import DeviceRecord, device_record, is_hub

HANDSET = {
    "BUSNUM": "004",
    "DEVNUM": "002",
    "ID_MODEL_ID": "9c9b",
    "ID_PATH": "pci-0000:03:00.0-usb-0:1.4.2",
    "ID_SERIAL_SHORT": "0123456789ABCDEF",
    "ID_USB_INTERFACES": ":ff4201:060101:",
    "ID_VENDOR_ID": "04dd",
    "PRODUCT": "4dd/9c9b/612",
    "TYPE": "0/0/0",
    "USEC_INITIALIZED": "5123456",
}
PATH = "/devices/pci0000:00/0000:03:00.0/usb4/4-1/4-1.4/4-1.4.2"


def made(boot_id: str = "boot", without: str = "", **changes: str) -> DeviceRecord:
    told = {name: value for name, value in (HANDSET | changes).items() if name != without}
    found = device_record(PATH, told, boot_id=boot_id, seen_s=7.0)
    assert found is not None
    return found


def test_a_handset_as_udev_tells_of_it() -> None:
    assert made() == DeviceRecord(
        device_path=PATH,
        device_number="004/002",
        initialised_us=5_123_456,
        attached=Attached(
            port_path=PortPath("pci-0000:03:00.0-usb-0:1.4.2"),
            kind=ANDROID,
            address=DeviceAddress("usb:4-1.4.2"),
            attachment=f"boot{PATH}#004/002@5123456",
            interfaces=frozenset({"ff4201", "060101"}),
            usb_serial="0123456789ABCDEF",
            vendor_id="04dd",
            product_id="9c9b",
            at_s=5.123456,
        ),
    )


def test_without_udevs_time_when_it_was_seen_and_the_device_number_stand_in() -> None:
    record = made(without="USEC_INITIALIZED")
    assert (record.initialised_us, record.attached.at_s) == (0, 7.0)
    assert "#004/002@" in record.attached.attachment


def test_each_part_of_an_enumeration_makes_another_attachment() -> None:
    records = (made(), made(DEVNUM="003"), made(USEC_INITIALIZED="5123457"), made("another"))
    assert len({record.attached.attachment for record in records}) == 4


def test_without_id_path_there_is_no_slot_to_name() -> None:
    told = {name: value for name, value in HANDSET.items() if name != "ID_PATH"}
    assert device_record(PATH, told, boot_id="boot", seen_s=7.0) is None


def test_without_udevs_ids_the_kernels_are_used() -> None:
    assert made(without="ID_VENDOR_ID").attached.vendor_id == "04dd"
    assert made(without="ID_MODEL_ID").attached.product_id == "9c9b"


def test_interfaces_that_are_none_or_too_many_are_left_out() -> None:
    record = made(ID_USB_INTERFACES=":FF4201::12345:zzzzzz:0601011:060101:")
    assert record.attached.interfaces == {"ff4201", "060101"}
    listed = ":".join(f"{number:06x}" for number in range(5000))
    assert len(made(ID_USB_INTERFACES=f":{listed}:").attached.interfaces) <= 64


def test_a_hub_is_known_by_its_own_class() -> None:
    assert is_hub({"TYPE": "9/0/1"})
    assert not is_hub({"TYPE": "0/0/0", "ID_USB_INTERFACES": ":090000:"})
    assert not is_hub({})


@given(st.dictionaries(st.sampled_from(sorted(HANDSET)), st.text()))
def test_no_property_can_do_harm(changes: dict[str, str]) -> None:
    record = device_record(PATH, HANDSET | changes, boot_id="boot", seen_s=7.0)
    if record is None:
        return
    told = record.attached
    assert told.port_path.isprintable()
    assert all(len(word) == 6 for word in told.interfaces)
    for word in (told.usb_serial, told.vendor_id, told.product_id):
        assert word is None or (word.isprintable() and 0 < len(word) <= 128)


def test_a_hostile_serial_is_bounded_and_printable() -> None:
    serial = made(ID_SERIAL_SHORT="\x1b[2J\u202e\ud800" + "9" * 500).attached.usb_serial
    assert serial is not None
    assert serial.startswith("\N{REPLACEMENT CHARACTER}[2J" + 2 * "\N{REPLACEMENT CHARACTER}")
    assert len(serial) == 128
