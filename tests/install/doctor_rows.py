"""Broken set-ups of an installed rack, each with what `benchd doctor` has to find.

Written from the manuals and from what administrators have met, before the checks were looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

LEDGER = "/var/lib/benchd/ledger.sqlite"
CONFIG = "/etc/benchd/benchd.toml"
KEY = "/etc/benchd/certificate_key.pem"
KEPT = "/srv/kept"
"""A copy of configuration, key and ledger, as an administrator has one."""
BACK = f"systemctl stop benchd; cp -a {KEPT}/lib/. /var/lib/benchd/"
SQUATS = "/usr/bin/python3 -m http.server 8420 --bind 127.0.0.1"
LISTENS = "import socket, time; s = socket.create_server(('127.0.0.1', 5037)); time.sleep(600)"
DROP_IN = "/etc/systemd/system/benchd.service.d"
TLS = r"""
sed -i '/^listen = /s/127.0.0.1/0.0.0.0/; /^allow_beyond/s/false/true/; s/^# tls_/tls_/
    /^allowed_hosts/s/\[\]/["rack7.example"]/' /etc/benchd/benchd.toml
"""
"""What docs/service.md has in [http], by somebody who changes the lines that are there."""
SMALL = f"""
systemctl stop benchd
mount -t tmpfs -o {{}},mode=700 none /var/lib/benchd
cp -a {KEPT}/lib/. /var/lib/benchd
chown benchd: /var/lib/benchd
systemctl start benchd
"""
"""Puts the ledger on a disk of its own."""
OPEN_ADB = "/etc/systemd/system/benchd-adb.socket.d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is typed to break it, the check and the word of the finding, and what mends it."""

    name: str
    breaks: str
    check: str
    found: str
    by_hand: str = ""
    """What the cure says in words, before its commands."""
    leaves_out: tuple[str, ...] = ()
    """Beginnings of the cure's commands that are for another case, as the cure says."""
    says: str = ""
    """What the finding has to name."""
    then: str = ""
    """What is typed once it is mended, so that the next row finds what it expects."""
    stays: str = ""
    """What is found of it afterwards, where the rest is another matter."""


ROWS = (
    Row(
        name="a mistake in the configuration",
        breaks=f"echo '[racks]\nsettle_s = -1' >> {CONFIG}",
        check="configuration",
        found="config_mistakes",
        says="racks",
        by_hand=f"cp -a {KEPT}/etc/benchd.toml {CONFIG}",
    ),
    Row(
        name="a recipe's mistake",
        breaks="echo 'nonsense = 1' >> /etc/benchd/recipes/overwrite.toml",
        check="configuration",
        found="config_mistakes",
        says="overwrite.toml",
        by_hand=f"cp -a {KEPT}/etc/recipes/overwrite.toml /etc/benchd/recipes/overwrite.toml",
    ),
    Row(
        name="no configuration",
        breaks=f"rm {CONFIG}",
        check="configuration",
        found="config_missing",
    ),
    Row(
        name="a start that failed",
        breaks=f"echo '[racks]\nsettle_s = -1' >> {CONFIG}; systemctl restart benchd || true",
        check="daemon",
        found="daemon_ended",
        says="racks",
        by_hand=f"cp -a {KEPT}/etc/benchd.toml {CONFIG}",
    ),
    Row(
        name="the daemon is stopped",
        breaks="systemctl stop benchd",
        check="daemon",
        found="daemon_silent",
    ),
    Row(
        name="the daemon hangs",
        breaks="systemctl kill --kill-whom=main --signal=STOP benchd",
        check="daemon",
        found="daemon_stopped",
    ),
    Row(
        name="the daemon is masked",
        breaks="systemctl stop benchd; systemctl mask benchd",
        check="units",
        found="unit_masked",
        says="benchd.service",
    ),
    Row(
        name="the daemon isn't enabled",
        breaks="systemctl disable benchd",
        check="units",
        found="unit_not_enabled",
        says="benchd.service",
    ),
    Row(
        name="adb's socket is masked",
        breaks="systemctl stop benchd-adb.socket; systemctl mask benchd-adb.socket",
        check="units",
        found="unit_masked",
        says="benchd-adb.socket",
    ),
    Row(
        name="adb's service is masked",
        breaks="systemctl mask benchd-adb.service",
        check="units",
        found="unit_masked",
        says="benchd-adb.service",
    ),
    Row(
        name="both units of adb are masked",
        breaks="systemctl stop benchd-adb.socket benchd-adb.service;"
        " systemctl mask benchd-adb.service benchd-adb.socket",
        check="units",
        found="unit_masked",
        says="benchd-adb.service benchd-adb.socket",
    ),
    Row(
        name="adb's socket is stopped",
        breaks="systemctl stop benchd-adb.socket",
        check="units",
        found="unit_inactive",
        says="benchd-adb.socket",
    ),
    Row(
        name="adb's socket isn't there",
        breaks="systemctl stop benchd-adb.socket;"
        " rm /usr/local/lib/systemd/system/benchd-adb.socket; systemctl daemon-reload",
        check="units",
        found="unit_missing",
        says="benchd-adb.socket",
    ),
    Row(
        name="pcscd's socket is stopped",
        breaks="systemctl stop pcscd.service pcscd.socket",
        check="units",
        found="unit_inactive",
        says="pcscd.socket",
    ),
    Row(
        name="pcscd's service is masked",
        breaks="systemctl mask pcscd.service",
        check="units",
        found="unit_masked",
        says="pcscd.service",
    ),
    Row(
        name="the weekly verification is masked",
        breaks="systemctl stop benchd-verify.timer; systemctl mask benchd-verify.timer",
        check="units",
        found="unit_masked",
        says="benchd-verify.timer",
    ),
    Row(
        name="udev is dead",
        breaks="systemctl stop systemd-udevd",
        check="units",
        found="udev_dead",
        says="systemd-udevd.service",
    ),
    Row(
        name="udev is masked",
        breaks="systemctl stop systemd-udevd; systemctl mask systemd-udevd",
        check="units",
        found="unit_masked",
        says="systemd-udevd.service",
    ),
    Row(
        name="the rules of udev aren't there",
        breaks="rm /usr/local/lib/udev/rules.d/72-benchd.rules",
        check="udev_rules",
        found="rules_missing",
        leaves_out=("udevadm",),
    ),
    Row(
        name="another service has the port",
        breaks="systemctl stop benchd;"
        f" systemd-run --quiet --unit=squatter {SQUATS}; sleep 2;"
        " systemctl start --no-block benchd",
        check="ports",
        found="port_taken",
        says="python3",
    ),
    Row(
        name="another process has the port",
        breaks=f"systemctl stop benchd; ({SQUATS} >/dev/null 2>&1 &); sleep 2",
        check="ports",
        found="port_taken",
        says="python3",
    ),
    Row(
        name="an adb server on TCP",
        breaks='systemd-run --quiet --unit=other-adb /usr/bin/python3 -c "'
        + LISTENS
        + '"; sleep 2',
        check="adb",
        found="adb_on_tcp",
        says="5037",
    ),
    Row(
        name="adb's socket is open to others",
        breaks=f"mkdir -p {OPEN_ADB}; printf '[Socket]\\nSocketMode=0666\\n' >{OPEN_ADB}/open.conf;"
        " systemctl daemon-reload; systemctl stop benchd-adb.service;"
        " systemctl restart benchd-adb.socket",
        check="adb",
        found="adb_open",
        says="0666",
        by_hand=f"rm -r {OPEN_ADB}; systemctl daemon-reload; systemctl stop benchd-adb.service",
    ),
    Row(
        name="another process holds the ledger",
        breaks="systemctl stop benchd; systemd-run --quiet --unit=holder"
        f" /usr/bin/flock {LEDGER}.lock sleep 600; sleep 2",
        check="ledger",
        found="ledger_held",
        says="flock",
    ),
    Row(
        name="a torn ledger",
        breaks=f"systemctl stop benchd; dd if=/dev/zero of={LEDGER} bs=1024 count=1 seek=6"
        " conv=notrunc status=none",
        check="ledger",
        found="ledger_refused",
        by_hand=BACK,
        leaves_out=("benchd ledger verify",),
    ),
    Row(
        name="a ledger cut short",
        breaks=f"systemctl stop benchd; truncate -s 12288 {LEDGER}",
        check="ledger",
        found="ledger_refused",
        by_hand=BACK,
        leaves_out=("benchd ledger verify",),
    ),
    Row(
        name="a ledger without its signed head",
        breaks=f"systemctl stop benchd; rm {LEDGER}.head",
        check="ledger",
        found="ledger_refused",
        says="head",
        by_hand=BACK,
        leaves_out=("benchd ledger verify",),
    ),
    Row(
        name="a database that is no ledger",
        breaks=f'systemctl stop benchd; rm {LEDGER}; python3 -c "import sqlite3;'
        f" sqlite3.connect('{LEDGER}').execute('CREATE TABLE other (x)')\"; chown benchd: {LEDGER}",
        check="ledger",
        found="ledger_refused",
        says="not a ledger",
        by_hand=BACK,
        leaves_out=("benchd ledger verify",),
    ),
    Row(
        name="files of root's in the state folder",
        breaks=f"systemctl stop benchd; chown root: {LEDGER}",
        check="state_folder",
        found="file_of_another",
        says="ledger.sqlite",
    ),
    Row(
        name="a state folder that others may enter",
        breaks="chmod 0755 /var/lib/benchd",
        check="state_folder",
        found="folder_open",
    ),
    Row(
        name="a file where certificates go",
        breaks="systemctl stop benchd; mv /var/lib/benchd/certificates /var/lib/benchd/away;"
        " touch /var/lib/benchd/certificates",
        check="certificate_folder",
        found="folder_no_folder",
    ),
    Row(
        name="no key",
        breaks=f"systemctl stop benchd; rm {KEY}",
        check="key",
        found="key_missing",
        by_hand=f"cp -a {KEPT}/etc/certificate_key.pem {KEY}",
        leaves_out=("benchd key create",),
    ),
    Row(
        name="a key that isn't one",
        breaks=f"systemctl stop benchd; echo none >{KEY}",
        check="key",
        found="key_unusable",
        by_hand=f"cp -a {KEPT}/etc/certificate_key.pem {KEY}",
        leaves_out=("benchd key create",),
    ),
    Row(
        name="a key that others read",
        breaks=f"chmod 0644 {KEY}",
        check="key",
        found="key_open",
        leaves_out=("benchd key rotate",),
    ),
    Row(
        name="a key of an ordinary user's",
        breaks=f"chown daemon: {KEY}",
        check="key",
        found="key_open",
        says="uid",
        leaves_out=("benchd key rotate",),
    ),
    Row(
        name="a configuration that anybody may change",
        breaks=f"chmod 0666 {CONFIG}",
        check="configuration",
        found="not_own",
        says="0666",
    ),
    Row(
        name="a folder of the key that another may change",
        breaks="chown daemon: /etc/benchd",
        check="key",
        found="not_own",
        says="/etc/benchd ",
    ),
    Row(
        name="never backed up",
        breaks="true",
        check="backup",
        found="backup_never",
        by_hand="mkdir -p /mnt/backup; mount -t tmpfs none /mnt/backup",
        stays="backup_never",
    ),
    Row(
        name="a backup that has never run",
        breaks="true",
        check="backup",
        found="backup_never",
    ),
    Row(
        name="never verified",
        breaks="true",
        check="backup",
        found="verified_never",
    ),
    # From here on: what somebody broke who had read docs/admin.md and docs/service.md and no code.
    Row(
        name="a configuration that only root may read",
        breaks=f"chmod 0600 {CONFIG}; systemctl restart benchd || true",
        check="rights",
        found="rights_missing",
        says=CONFIG,
    ),
    Row(
        name="recipes that only root may read",
        breaks="chmod 0700 /etc/benchd/recipes; systemctl restart benchd || true",
        check="rights",
        found="rights_missing",
        says="/etc/benchd/recipes",
    ),
    Row(
        name="a folder that only root may enter",
        breaks="chmod 0700 /etc/benchd; systemctl restart benchd || true",
        check="rights",
        found="rights_missing",
        says="by the rights of /etc/benchd",
    ),
    Row(
        name="a key of the pages that benchd can't read",
        breaks=f"{TLS}install -D -m 0600 -t /etc/benchd/tls /srv/rack.pem /srv/rack_key.pem;"
        " chmod 0644 /etc/benchd/tls/rack.pem; systemctl restart benchd || true",
        check="rights",
        found="rights_missing",
        says="rack_key.pem",
        then=f"cp -a {KEPT}/etc/benchd.toml {CONFIG}; systemctl restart benchd",
    ),
    Row(
        name="a hook's secret that benchd can't read",
        breaks="(umask 077; echo whsec_$(head -c 32 /dev/urandom | base64)"
        " >/etc/benchd/stock.secret)"
        f'; printf \'[[hooks]]\nname = "stock"\nurl = "http://127.0.0.1:8499/"\n'
        f'secret = "/etc/benchd/stock.secret"\n\' >>{CONFIG}; systemctl restart benchd || true',
        check="rights",
        found="rights_missing",
        says="stock.secret",
        then=f"cp -a {KEPT}/etc/benchd.toml {CONFIG}; systemctl restart benchd",
    ),
    Row(
        name="a drop-in with a typo",
        breaks=f"mkdir -p {DROP_IN}; printf '[Service]\nIPAdressAllow=192.0.2.0/24\n'"
        f" >{DROP_IN}/override.conf; systemctl daemon-reload; systemctl restart benchd",
        check="units",
        found="unit_mistake",
        says="IPAdressAllow",
        by_hand=f"sed -i s/IPAdressAllow/IPAddressAllow/ {DROP_IN}/override.conf",
    ),
    Row(
        name="a drop-in that names a folder which isn't there",
        breaks=f"mkdir -p {DROP_IN}; printf '[Service]\nReadWritePaths=/mnt/anchr\n'"
        f" >{DROP_IN}/override.conf; systemctl daemon-reload; systemctl restart benchd || true",
        check="daemon",
        found="daemon_ended",
        says="/mnt/anchr",
        # Shown first, then taken out.
        by_hand=f"systemctl cat benchd | grep anchr; rm -r {DROP_IN}",
        leaves_out=("systemctl cat",),
    ),
    Row(
        name="a drop-in that systemd hasn't read",
        breaks=f"mkdir -p {DROP_IN}; printf '[Service]\nIPAddressAllow=192.0.2.0/24\n'"
        f" >{DROP_IN}/override.conf",
        check="units",
        found="unit_changed",
        says="benchd.service",
        then=f"rm -r {DROP_IN}; systemctl daemon-reload; systemctl restart benchd",
    ),
    Row(
        name="the ledger's folder is another's, as after a mount that failed",
        breaks="systemctl stop benchd; mv /var/lib/benchd /srv/away; systemctl start benchd",
        check="notices",
        found="no_administrator",
        by_hand="systemctl stop benchd; rm -r /var/lib/benchd; mv /srv/away /var/lib/benchd;"
        " systemctl start benchd",
        leaves_out=("findmnt", "benchd setup"),
    ),
    Row(
        name="no more files on the disk",
        breaks=SMALL.format("nr_inodes=40"),
        check="space",
        found="space_files",
        says="/var/lib/benchd: ",
        by_hand="systemctl stop benchd; umount /var/lib/benchd",
    ),
    Row(
        name="the disk is full",
        breaks=SMALL.format("size=200m"),
        check="space",
        found="space_free",
        says="/var/lib/benchd: ",
        by_hand="systemctl stop benchd; umount /var/lib/benchd",
    ),
    Row(
        name="the disk is read-only",
        breaks=SMALL.format("size=900m") + "systemctl stop benchd; mount -o remount,ro"
        " /var/lib/benchd; systemctl start --no-block benchd",
        check="space",
        found="read_only",
        says="/var/lib/benchd lies",
        then="systemctl stop benchd; umount /var/lib/benchd; systemctl start benchd",
    ),
    Row(
        name="a stranger's file beside the ledger",
        breaks="install -o daemon -m 0644 /dev/null /var/lib/benchd/film.mkv",
        check="state_folder",
        found="file_of_nobodys",
        says="film.mkv",
        by_hand="mv /var/lib/benchd/film.mkv /srv",
        leaves_out=("ls",),
    ),
    Row(
        name="a start for which the key wasn't there",
        breaks=f"systemctl stop benchd; rm {KEY}; systemctl start benchd || true",
        check="daemon",
        found="daemon_ended",
        says="CREDENTIALS",
        by_hand=f"cp -a {KEPT}/etc/certificate_key.pem {KEY}",
    ),
    Row(
        name="a certificate of root's among the others",
        breaks="install -m 0600 /dev/null /var/lib/benchd/certificates/copied.json;"
        " systemctl restart benchd",
        check="certificate_folder",
        found="file_of_another",
        says="copied.json",
    ),
    Row(
        name="a certificates' folder of root's",
        breaks="chown root: /var/lib/benchd/certificates; systemctl restart benchd || true",
        check="certificate_folder",
        found="folder_of_another",
        says="/var/lib/benchd/certificates",
    ),
    Row(
        name="another rack's key",
        breaks="systemctl stop benchd; benchd key create /srv/other.pem;"
        f" cat /srv/other.pem >{KEY}; systemctl start --no-block benchd; rm /srv/other.pem*",
        check="key",
        found="key_of_another",
        by_hand=f"systemctl stop benchd; cp -a {KEPT}/etc/certificate_key.pem {KEY}",
        leaves_out=("benchd key public",),
    ),
    Row(
        name="another rack's public key",
        breaks=f"benchd key create /srv/other.pem; cat /srv/other.pem.pub >{KEY}.pub;"
        " rm /srv/other.pem*",
        check="key",
        found="key_of_another",
    ),
    Row(
        name="no public key",
        breaks=f"rm {KEY}.pub",
        check="key",
        found="key_without_public",
    ),
    Row(
        name="a ring that isn't one",
        breaks=f"systemctl stop benchd; echo '{{}}' >{KEY}.ring; systemctl start --no-block benchd",
        check="key",
        found="key_unusable",
        says="ring",
        by_hand=f"systemctl stop benchd; rm {KEY}.ring",
    ),
    Row(
        name="nothing that keeps the clock right",
        breaks="true",
        check="clock",
        found="clock_free",
        stays="clock_free",
        then="systemctl cat systemd-timesyncd",
    ),
    Row(
        name="a time daemon that doesn't run",
        breaks="systemctl disable --now systemd-timesyncd",
        check="clock",
        found="clock_free",
        says="",
        # In a container its unit is skipped: the clock is the machine's.
        stays="clock_free",
        then="systemctl is-enabled systemd-timesyncd",
    ),
)
