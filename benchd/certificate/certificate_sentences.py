"""Every sentence that a certificate of today's form can say, each in one place.

docs/certificate.md holds each against the record that it rests on, the check that refuses it, and
what it doesn't prove; a test compares that table with this list. Gaps in braces are filled with
numbers and words of the evidence.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Sentence(StrEnum):
    """What is said, by where it stands on the certificate."""

    METHOD = "Clear"
    STANDARD = "NIST SP 800-88 Rev. 2, Clear, of what was reached: not_reached lists the rest"
    MEDIUM = "the file system on /data, taken for the flash memory built into the handset"
    NOMINAL_UNKNOWN = "unknown"
    READ_BY = "getprop over adb, as the handset's own system answered"

    OVERWRITTEN = "overwritten with a keystream ({cipher}) whose key was drawn for this job"
    BY_PROGRAM = "written by a program on the handset, which was given the key"
    BY_HOST = "streamed by the host, which kept the key, since no program could run on the handset"
    RESUMED = "{resumed_bytes} bytes of it kept from before an interruption, read and compared"
    READ_WHOLE = "all of it read back and compared"
    READ_SAMPLED = (
        "a sample of {share:.1%} of it, {places} places in {subsections} subsections, read back"
        " and compared"
    )
    HOST_LOOKED = "{count} places drawn, fetched and compared by the host itself"
    DELETED = "then deleted; what was seen of the reset is in final_reset"

    EXCUSED = (
        "{accounts} accounts of its maker, {packages} preinstalled apps and up to {bytes} bytes in"
        " use are those of a handset of this model and build that was just reset, as this rack has"
        " seen it on two that two people had reset"
    )

    CLOCK_SET_BACK = (
        "the rack's clock was set back by {seconds:.0f} s in all while this job ran: times from"
        " before and after can't be compared"
    )

    OTHER_RACKS_ASKED = (
        "asked right before this certificate, the fleet's centre had nothing of other racks against"
        " the handset"
    )
    OTHER_RACKS_NOT_ASKED = "other racks not asked"

    NOT_WRITTEN = "{missing_bytes} bytes of the user storage, which are:"
    IN_USE = "up to {used_bytes} bytes of them in use when the overwrite began"
    RESERVED = "up to {reserved_bytes} bytes of them that the file system reserves"
    STILL_FREE = (
        "{free_bytes} bytes of them still free when the overwrite ended: its last gaps, and what"
        " the system gave back meanwhile"
    )
    REST = (
        "{rest_bytes} bytes of them beside these: the file system's tables, small files, and what"
        " the system wrote meanwhile"
    )
    SMALL_BY_HOST = (
        "what a file system keeps apart for small files and directories: none were streamed"
    )
    JOURNAL = "the file system's journal, checkpoints and over-provisioning"
    SPARE_CELLS = "spare, worn and reserved cells of the flash memory, which its controller hides"
    OTHER_PARTITIONS = "partitions outside of the user storage"
    CARDS = "SIM cards and memory cards"
    ESIM = (
        "an embedded SIM: whoever made the last reset was asked to have it erase eSIMs too, and"
        " nothing on record shows that it did"
    )
    READER_TRUSTED = (
        "the slot's reader, which is trusted to have read this handset's own chip: its NFC didn't"
        " show that, and a card that somebody left on the reader can't be told from it"
    )
    SYSTEM_TRUSTED = (
        "the handset's own system, which is trusted to have answered truthfully: one lie is caught"
        " where another answer contradicts it, but a system that lies in all of them at once can't"
        " be told from an honest one by software that runs on it"
    )

    CHIP_OBSERVED = (
        "scanned over the air, its systems and nodes those of an unused chip in a picture that"
        " says it was observed on a handset whose own screen said so"
    )
    CHIP_SIMULATED = (
        "scanned over the air, its systems and nodes those of an unused chip that is only"
        " simulated: this says nothing about a real chip; an operator attests what the handset's"
        " own screen says"
    )
    CHIP_INFERRED = (
        "scanned over the air, its systems and nodes those of an unused chip as it is only"
        " inferred from documents, observed on no handset; an operator attests what the handset's"
        " own screen says"
    )
    CHIP_OF_UNKNOWN_ORIGIN = (
        "scanned over the air, its systems and nodes those of an unused chip in a picture of"
        " unknown origin; an operator attests what the handset's own screen says"
    )
    CHIP_BY_EYE = (
        "an operator's word on what the handset's own screen says; no reader looked at the chip"
    )
    CHIP_MISSING = (
        "nothing answered over the air, the handset's system names no FeliCa, and an operator"
        " found no mark of it: all three together"
    )
    CLEAR_SKIPPED = "skipped: {because}"
    CLEAR_CLAIMED = "claimed: {claim}"
    READER_UNUSED = "reader: unused"
    READER_SILENT = "reader: silent"
    HANDSET_NOT_CAPABLE = "handset: not capable"
    OPERATOR_RECHECK = "operator: felica_recheck"
    OPERATOR_ATTEST = "operator: felica_attest"
    OPERATOR_NO_CHIP = "operator: no chip"

    USB_REENUMERATED = "usb_reenumerated"
    OPERATOR_WELCOME = "operator_welcome"

    BOUND_BY_KEYSTREAM = "the keystream: the read-back found on the storage what had been written"
    BOUND_BY_CHIP = "the FeliCa chip: the same by its hash at the check and at the re-check"
    BOUND_BY_TIED_CHIP = (
        "the FeliCa chip: silent when the handset's NFC was switched off, the same when it was on"
        " again, and still the same after its reset"
    )
    BOUND_BY_ANDROID_ID = "android_id: drawn at this job's reset, the same after its chip's clear"
    BOUND_BY_SCREEN_IMEI = "the IMEI: a person read it on the handset's own screen after its reset"
    IMEI_TOLD = (
        "told over adb, and read by a person on the handset's own screen after its last reset"
    )
    IMEI_READ_BY_TWO = (
        "read by two people on the handset's own screen, the second after its last reset"
    )
    NUMBER_BY_PEOPLE = (
        "two people, who are trusted to have read this handset's own screen and no other's: its"
        " system told nobody its IMEI"
    )
    BOUND_BY_SCREEN_SERIAL = "the serial: a person read it on the handset's screen after its reset"
