"""What an error code or a lock-screen symptom means for sign-in with a pass. For people: nothing branches on it.

Microsoft says that AADSTS numbers and texts change (S31), so an unknown one says nothing. Offline, and data only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tapctl.rules.rule import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One row of the table."""

    title: str
    codes: tuple[str, ...] = ()
    """Numbers as in AADSTS130506, without the letters."""
    phrases: tuple[str, ...] = ()
    """Texts that people see, or a characteristic part of one."""
    meaning: str
    cause: str
    """What brings it about in this configuration."""
    action: str
    """What to do."""
    rules: tuple[str, ...] = ()
    """Rules of the catalogue that find the cause."""
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...] = ()
    """Keys of `catalogue.SOURCES`."""


SYMPTOMS: tuple[Symptom, ...] = (
    Symptom(
        title="AADSTS130506: an access pass must be used for web sign-in",
        codes=("130506",),
        phrases=("Access Pass must be used for Web Sign In",),
        meaning="this build's web sign-in accepts a Temporary Access Pass and nothing else",
        cause="Windows 10, or Windows 11 before 22H2 with KB5030310; or the person has no valid pass",
        action="issue a pass, check that the person is in scope of the policy, and update Windows to build "
        "10.0.22621.2361",
        rules=("WSI008", "XRES001"),
        evidence=("D", "C"),
        sources=("S25", "S1"),
    ),
    Symptom(
        title="AADSTS130502: blocked due to User Credential Policy",
        codes=("130502",),
        phrases=(
            "Temporary Access Pass sign in was blocked due to User Credential Policy",
            "blocked due to User Credential Policy",
        ),
        meaning="the TAP policy refuses this pass (that the number belongs to the text is general knowledge)",
        cause="the person is not included or is excluded, the policy became one-time after the pass was issued, or a "
        "one-time pass was used already",
        action="run tapctl explain USER, mend scope or issue a new pass; wait a few minutes after a change of scope",
        rules=("TAP012", "TAP004"),
        evidence=("D", "K"),
        sources=("S2", "S25"),
    ),
    Symptom(
        title="AADSTS130501: sign-in blocked due to User Credential Policy",
        codes=("130501",),
        meaning="the methods policy refuses another method, such as certificates",
        cause="the person is not in scope of the method that was tried",
        action="use the pass instead, or put the person in scope of that method",
        evidence=("D",),
        sources=("S6",),
    ),
    Symptom(
        title="AADSTS130503 or AADSTS130505",
        codes=("130503", "130505"),
        meaning="no source that tapctl's authors read documents this number; read the text beside it",
        cause="unknown; numbers of this family come from the methods policy and passes",
        action="look the text up instead of the number: tapctl explain --symptom TEXT",
        evidence=("K",),
    ),
    Symptom(
        title="AADSTS130504: the pass has expired",
        codes=("130504",),
        phrases=("Your Temporary Access Pass has expired",),
        meaning="the pass, or a session that began with it, has ended",
        cause="its lifetime is over; refresh tokens of sessions that began with a pass end as well",
        action="issue a new pass; let service accounts and scripts sign in with something else",
        rules=("TAP009",),
        evidence=("C",),
    ),
    Symptom(
        title="AADSTS130507: no access pass found for the user",
        codes=("130507",),
        phrases=("An access pass could not be found or verified for the user",),
        meaning="a session wanted a new token, and the person has no valid pass",
        cause="the pass was deleted, replaced or ended behind a session that is still open",
        action="sign out and in again with a registered method or a new pass",
        evidence=("C",),
    ),
    Symptom(
        title="A pass cannot be added to an external guest user",
        phrases=("Temporary Access Pass cannot be added to an external guest user",),
        meaning="issuing was refused: the account is an external guest",
        cause="only members and internal guests can hold a pass",
        action="use the account in its home tenant, or make an internal one",
        rules=("GRP007",),
        evidence=("D",),
        sources=("S2",),
    ),
    Symptom(
        title="The pass is not offered, a password is asked for",
        phrases=("password asked instead", "asked for a password", "TAP not offered", "pass is not offered"),
        meaning="Entra sees no pass that this person could use now",
        cause="no valid pass, out of scope, or the change has not reached every server yet",
        action="run tapctl explain USER; wait a few minutes after issuing; in Windows 10 first setup enter any "
        "password "
        "once, then choose the other sign-in method",
        evidence=("D", "C"),
        sources=("S2", "S1"),
    ),
    Symptom(
        title="53000, 53001, 53003: conditional access says no",
        codes=("53000", "53001", "53003"),
        phrases=("You can't get there from here",),
        meaning="53003 blocked by conditional access, 53000 device not compliant, 53001 device not domain joined",
        cause="a conditional access policy stops people who hold only a pass, or a device that is still enrolling",
        action="find the policy in the sign-in log; leave Intune enrolment and security information a way through",
        rules=("XRES006",),
        evidence=("D", "C"),
        sources=("S31", "S30"),
    ),
    Symptom(
        title="53010: methods may be set up only from certain places or devices",
        codes=("53010",),
        phrases=("ProofUpBlockedDueToSecurityInfoAcr",),
        meaning="the sign-in was good, registering a method is what conditional access stops",
        cause="the policy for “Register security information” does not accept the pass, place or device",
        action="add the TAP mode in use to the strength of that policy, or a way around it for onboarding",
        rules=("XRES005",),
        evidence=("D",),
        sources=("S31", "S8"),
    ),
    Symptom(
        title="50072, 50074, 50076, 50079: multi-factor authentication wanted",
        codes=("50072", "50074", "50076", "50079"),
        meaning="multi-factor authentication is not satisfied, or has to be set up first",
        cause="the wanted strength does not list the TAP mode, or the person signed in with a password",
        action="sign in with the pass; compare the strength with oneTime of the policy",
        rules=("XRES005", "XRES006"),
        evidence=("D", "I"),
        sources=("S31", "S7"),
    ),
    Symptom(
        title="50135, 50137, 50142: a password change is demanded",
        codes=("50135", "50137", "50142"),
        meaning="risk, policy or conditional access wants a new password",
        cause="a person without a password cannot comply",
        action="clear the risk, or leave such people out of the password-change control",
        evidence=("D", "I"),
        sources=("S31",),
    ),
    Symptom(
        title="70043: the token is too old",
        codes=("70043",),
        meaning="the sign-in frequency of conditional access ended the session",
        cause="this is what that policy is for",
        action="sign in again",
        rules=("XRES007",),
        evidence=("D",),
        sources=("S31",),
    ),
    Symptom(
        title="130004 to 130008, 135011: Windows Hello key or device",
        codes=("130004", "130005", "130006", "130007", "130008", "135011"),
        meaning="a Windows Hello or device key is missing, or the device is disabled",
        cause="Windows Hello was not set up after the first sign-in, or the device object is disabled",
        action="enable the device in Entra; sign in with a pass and set up Windows Hello again",
        evidence=("D",),
        sources=("S31",),
    ),
    Symptom(
        title="240001, 50097, 50155: the device may not register or authenticate",
        codes=("240001", "50097", "50155"),
        phrases=("BulkAADJTokenUnauthorized",),
        meaning="registration of the device was refused, or its authentication failed or is required",
        cause="join settings, or a stale device object; not the pass",
        action="check who may join devices, and remove a stale device object",
        evidence=("D",),
        sources=("S31",),
    ),
    Symptom(
        title="50057, 50053, 50034: the account",
        codes=("50057", "50053", "50034"),
        meaning="50057 account disabled, 50053 locked or a bad address, 50034 unknown user",
        cause="for 50034 also a wrong preferredAadTenantDomainName, which completes short names",
        action="check the account; type the whole user principal name",
        rules=("WSI014",),
        evidence=("D", "I"),
        sources=("S31", "S4"),
    ),
    Symptom(
        title="The lock screen says that there is no internet",
        phrases=(
            "It doesn't look that you're connected to the Internet",
            "It doesn't look like you're connected to the Internet",
            "not connected to the internet",
        ),
        meaning="web sign-in needs the network at every sign-in; it keeps no cached credentials",
        cause="no network on the lock screen, or one that asks for a page first",
        action="connect, or leave with Ctrl+Alt+Del and use another method",
        evidence=("D",),
        sources=("S3",),
    ),
    Symptom(
        title="A page cannot be opened, or “Just a moment…” stays",
        phrases=("We can't open that page right now", "Just a moment"),
        meaning="web sign-in was sent to a host that it may not open",
        cause="the host is missing from configureWebSignInAllowedUrls, or an entry there is malformed",
        action="add the bare host name of the identity provider",
        rules=("WSI012", "WSI013"),
        evidence=("D", "C"),
        sources=("S29", "S27"),
    ),
    Symptom(
        title="The globe is missing although the registry value is 1",
        phrases=("globe icon absent", "globe is missing", "globe missing", "no globe", "web sign-in icon missing"),
        meaning="the setting arrived, the provider is not shown",
        cause="hybrid join, an old build, an excluded credential provider, the enrolment status page, or not "
        "restarted or "
        "locked since",
        action="run tapctl explain USER --device DEVICE; lock or restart the device once; look under Sign-in options",
        rules=("WSI004", "WSI007", "WSI008", "XRES004"),
        evidence=("D", "C"),
        sources=("S3", "S1", "S27"),
    ),
    Symptom(
        title="The globe vanishes after the first web sign-in (24H2, pre-provisioned)",
        phrases=("globe vanishes", "globe gone", "globe disappears"),
        meaning="reported for pre-provisioned devices; the cause is not known",
        cause="not known",
        action="try again on current updates, and keep a second method",
        evidence=("C",),
        sources=("S26",),
    ),
    Symptom(
        title="Black screen, then back to the lock screen",
        phrases=("black screen", "ShellAppRuntime.exe"),
        meaning="the host of web sign-in failed",
        cause="a Windows fault: 24H2 before KB5044384 (build 26100.2161); on 23H2 unresolved",
        action="update Windows",
        evidence=("C",),
        sources=("S1",),
    ),
    Symptom(
        title="System log: Security-Kerberos event 11, then back to the lock screen",
        phrases=(
            "Distinguished Name in the subject field of your smart card logon certificate",
            "Security-Kerberos event 11",
            "Kerberos event 11",
        ),
        meaning="known and unexplained: its cause was never established",
        cause="perhaps the hybrid trust of Windows Hello, or a policy about certificates for on-premises sign-on",
        action="check the trust type of Windows Hello and such policies",
        evidence=("C",),
        sources=("S1",),
    ),
    Symptom(
        title="A tile “New User” or “DefaultUser100000” without a sign-in option",
        phrases=("DefaultUser100000", "New User tile"),
        meaning="a leftover account of first setup or web sign-in",
        cause="a Windows fault",
        action="restart several times until “Other user” appears",
        evidence=("C",),
        sources=("S1",),
    ),
    Symptom(
        title="DefaultUser0 cannot sign on during the enrolment status page",
        phrases=("DefaultUser0",),
        meaning="automatic sign-on failed in enrolment",
        cause="a DeviceLock policy applies during the enrolment status page",
        action="assign that policy behind the enrolment; the documented way out on the device is a reset",
        rules=("XRES011",),
        evidence=("D",),
        sources=("S13",),
    ),
    Symptom(
        title="Audit log: an administrator registered a pass",
        phrases=(
            "Admin registered temporary access pass method for user",
            "Admin registered security info",
        ),
        meaning="a pass was issued (category UserManagement)",
        cause="an issuer, or a workflow",
        action="raise an alert when the person is privileged",
        evidence=("D",),
        sources=("S28",),
    ),
)


def look_up(text: str) -> tuple[Symptom, ...]:
    """The rows that a code (130506, AADSTS130506) or a text speaks of, in the order of the table; often none.

    A text matches a row when it contains one of its phrases, or is itself a part of one, at least three words long."""
    codes = set(re.findall(r"(?<![0-9])[0-9]{5,6}(?![0-9])", text, re.ASCII))
    words = _words(text)
    return tuple(
        symptom
        for symptom in SYMPTOMS
        if codes & set(symptom.codes) or any(_matches(words, _words(phrase)) for phrase in symptom.phrases)
    )


def _words(text: str) -> str:
    """A text for comparison: lower case, one space between words and at both ends, no punctuation or apostrophes."""
    plain = re.sub(r"['’`´]", "", text.casefold())
    words = re.findall(r"[^\W_]+", plain)
    return f" {' '.join(words)} "


def _matches(text: str, phrase: str) -> bool:
    return phrase in text or (text.count(" ") > 3 and text in phrase)
