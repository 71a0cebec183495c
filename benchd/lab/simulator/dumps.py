"""What `dumpsys` prints of a virtual handset, release by release.

The layout is AOSP's (frameworks/base); where nothing else is said, what stands in it is
constructed. A parser that reads these must read the real ones too, so odd lines are kept.
"""

from __future__ import annotations

from benchd.lab.simulator.android import AndroidState
from benchd.lab.simulator.plan import HandsetPlan, User

_OWNER_FLAGS_BY_SDK = ((31, 0xC13), (0, 0x13))
_SERVICE = (
    "    ServiceInfo: AuthenticatorDescription {{type={type}}}, ComponentInfo{{com.google"
    ".android.gms/com.google.android.gms.auth.account.authenticator.{name}}}, uid 10114"
)
_ANDROID_12, _ANDROID_13, _ANDROID_14, _ANDROID_15 = 31, 33, 34, 35


def all_users(plan: HandsetPlan, state: AndroidState) -> tuple[User, ...]:
    """The owner and everybody else on the handset."""
    flags = next(flags for sdk, flags in _OWNER_FLAGS_BY_SDK if plan.model.sdk >= sdk)
    return (User(number=0, name="Owner", flags=flags), *state.users)


def users_listed(plan: HandsetPlan, state: AndroidState) -> str:
    """The answer of `pm list users`; as parsers of Android 12 to 14 quote it."""
    lines = [f"\t{user_info(user)} running" for user in all_users(plan, state)]
    return "\n".join(["Users:", *lines]) + "\n"


def user_info(user: User) -> str:
    """How android.content.pm.UserInfo names a user."""
    return f"UserInfo{{{user.number}:{user.name}:{user.flags:x}}}"


def battery(plan: HandsetPlan, percent: int) -> str:
    """BatteryService.dumpInternal; "Dock powered" came with 13, the charging lines with 14."""
    lines = [
        "Current Battery Service state:",
        "  AC powered: false",
        "  USB powered: true",
        "  Wireless powered: false",
    ]
    if plan.model.sdk >= _ANDROID_13:
        lines.append("  Dock powered: false")
    lines += [
        "  Max charging current: 500000",
        "  Max charging voltage: 5000000",
        f"  Charge counter: {percent * 30000}",
        "  status: 2",
        "  health: 2",
        "  present: true",
        f"  level: {percent}",
        "  scale: 100",
        "  voltage: 4123",
        f"  temperature: {round(plan.battery_temperature_c * 10)}",
        "  technology: Li-ion",
    ]
    if plan.model.sdk >= _ANDROID_14:
        lines += ["  Charging state: 0", "  Charging policy: 0"]
    return "\n".join(lines) + "\n"


def health(plan: HandsetPlan) -> str:
    """Health.dump of the vendor's service, which is there from Android 13 on; wear since 14.

    Sample: the same of a handset with Android 16, which a public parser's own test quotes.
    """
    if plan.model.sdk < _ANDROID_13:
        return "Can't find service: android.hardware.health.IHealth/default\n"
    told = plan.model.sdk >= _ANDROID_14
    cycles, full, design = (
        number if told else 0
        for number in (plan.battery_cycles, plan.battery_full_uah, plan.battery_design_uah)
    )
    return (
        "ac: 0 usb: 1 wireless: 0 dock: 0 current_max: 500000 voltage_max: 5000000\n"
        "status: 2 health: 2 present: 1\n"
        f"cycle count: {cycles}\nFull charge: {full}\n\n"
        "getHealthInfo -> HealthInfo{chargerAcOnline: false, chargerUsbOnline: true,"
        " batteryStatus: CHARGING, batteryHealth: GOOD, batteryPresent: true,"
        f" batteryCycleCount: {cycles}, batteryFullChargeUah: {full},"
        f" batteryTechnology: Li-ion, batteryFullChargeDesignCapacityUah: {design},"
        " chargingState: INVALID, chargingPolicy: INVALID, batteryHealthData: (null)}\n"
    )


def accounts(plan: HandsetPlan, state: AndroidState) -> str:
    """AccountManagerService.dumpUser; sample: Dhizuku issue 158 and materialistic issue 811."""
    parts: list[str] = []
    for user in all_users(plan, state):
        owned = (*plan.maker_accounts, *state.accounts) if user.number == 0 else ()
        parts += [
            f"User {user_info(user)}:",
            f"  Accounts: {len(owned)}",
            *(f"    Account {{name={account.name}, type={account.type}}}" for account in owned),
            "",
            "  AccountId, Action_Type, timestamp, UID, TableName, Key",
            "  Accounts History",
            "",
            "  Active Sessions: 0",
            "",
            "  RegisteredServicesCache: 2 services",
            _SERVICE.format(type="com.google", name="GoogleAccountAuthenticatorService"),
            _SERVICE.format(type="com.google.work", name="WorkAccountAuthenticatorService"),
            "",
            "  Account visibility:",
            "",
        ]
    return "\n".join(parts) + "\n"


def device_policy(plan: HandsetPlan, state: AndroidState) -> str:
    """DevicePolicyManagerService.dump and Owners.dump."""
    lines = ["Current Device Policy Manager state:"]
    if plan.model.sdk >= _ANDROID_12:
        lines += [
            "  Immutable state:",
            "    mHasFeature=true",
            "    mIsWatch=false",
            "    mIsAutomotive=false",
            "    mHasTelephonyFeature=true",
            "    mSafetyChecker=null",
            "",
        ]
    if state.device_owner is not None:
        package = state.device_owner.partition("/")[0]
        lines += [
            "  Device Owner: ",
            f"    admin=ComponentInfo{{{state.device_owner}}}",
            "    name=",
            f"    package={package}",
            "    User ID: 0",
            "",
        ]
    lines.append("  Enabled Device Admins (User 0, provisioningState: 0):")
    if state.device_owner is not None:
        lines += [f"    {state.device_owner}:", "      uid=10201", "      testOnlyAdmin=false"]
    encrypted = "per-user" if plan.crypto_state == "encrypted" else "unsupported"
    lines += ["    mPasswordOwner=-1", "", f"  Encryption Status: {encrypted}"]
    return "\n".join(lines) + "\n"


def nfc(plan: HandsetPlan, state: AndroidState) -> str:
    """The head of NfcService.dump, in the words of AOSP's packages/apps/Nfc."""
    lines = [
        f"mState={'on' if state.nfc_on else 'off'}",
        "mIsZeroClickRequested=false",
        f"mScreenState={'OFF_LOCKED' if plan.asleep else 'ON_UNLOCKED'}",
        "mIsSecureNfcEnabled=false",
    ]
    return "\n".join(lines) + "\n"


def trust(plan: HandsetPlan, state: AndroidState) -> str:
    """TrustManagerService.dumpUser; sample: appium-adb pull request 407 (Android 9).

    A locked device is what a set lock makes of a handset that comes out of a box.
    """
    locked = int(state.screen_lock)
    if plan.model.sdk >= _ANDROID_13:
        state_of_owner = f"trustState=UNTRUSTED, trustManaged=0, deviceLocked={locked},"
        state_of_owner += f" isActiveUnlockRunning=0, strongAuthRequired={locked:#x}"
    else:
        state_of_owner = f"trusted=0, trustManaged=0, deviceLocked={locked},"
        state_of_owner += f" strongAuthRequired={locked:#x}"
    lines = ["Trust manager state:"]
    for user in all_users(plan, state):
        if user.number == 0:
            lines += [
                f' User "{user.name}" (id=0, flags={user.flags:#x}) (current): {state_of_owner}',
                "   Enabled agents:",
                "   Events:",
            ]
        else:
            lines += [
                f' User "{user.name}" (id={user.number}, flags={user.flags:#x})(managed profile)',
                "   disabled because switching to this user is not possible.",
            ]
    return "\n".join(lines) + "\n"


def user_service(plan: HandsetPlan, state: AndroidState) -> str:
    """UserManagerService.dump, its first lines."""
    lines = ["Current user: 0", "", "Users:"] if plan.model.sdk >= _ANDROID_15 else ["Users:"]
    unlocked = "RUNNING_LOCKED" if state.screen_lock else "RUNNING_UNLOCKED"
    for user in all_users(plan, state):
        lines += [
            f"  {user_info(user)} serialNo={user.number} isPrimary={str(user.number == 0).lower()}",
            f"    Flags: {user.flags}",
            f"    State: {unlocked}",
            "    Created: <unknown>",
            "    Last logged in: <unknown>",
        ]
    return "\n".join(lines) + "\n"
