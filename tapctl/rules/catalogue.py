"""All rules, and the documentation written from them: `python -m tapctl.rules.catalogue > tapctl/rules/README.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tapctl.rules import cross, groups, profiles, tap
from tapctl.rules.rule import Rule

RULES: tuple[Rule, ...] = (*tap.RULES, *groups.RULES, *profiles.RULES, *cross.RULES)
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}

SOURCES: Mapping[str, str] = {
    "S1": "petervanderwoude.nl, “Enabling web sign-in … TAP”, with its readers' comments (2022 to 2024)",
    "S2": "Microsoft Entra, “Configure a Temporary Access Pass”",
    "S3": "Windows, “Web sign-in for Windows”",
    "S4": "Windows, Policy CSP Authentication",
    "S5": "Windows, “Windows passwordless experience”",
    "S6": "Microsoft Entra, “Manage authentication methods”",
    "S7": "Microsoft Entra, “Conditional access authentication strengths”",
    "S8": "Microsoft Entra, “Control security information registration with conditional access”",
    "S9": "Microsoft Entra, “Service limits and restrictions” (where nested groups are supported)",
    "S10": "Microsoft Entra, “Privileged roles and permissions” (who can act on whom)",
    "S11": "Microsoft Graph reference: temporaryAccessPassAuthenticationMethodConfiguration and its operations",
    "S12": "Microsoft Intune, “Assign device profiles” (inclusion and exclusion of groups)",
    "S13": "Microsoft Intune, “Enrollment Status Page”; Windows Autopilot known issues",
    "S15": "Microsoft Intune, “Filter properties, operators, and rules”",
    "S16": "Microsoft Intune, “Monitor device profiles”",
    "S17": "Microsoft Entra, “Lifecycle workflow tasks”",
    "S18": "Microsoft Entra, “Account recovery overview”",
    "S19": "Maester: EIDSCA.AT01, EIDSCA.AT02, MT.1050",
    "S20": "Microsoft Zero Trust Assessment: tests 21845 and 21846",
    "S22": "OpenIntuneBaseline, “Credential Management - D - Passwordless”",
    "S23": "Microsoft Graph metadata (CSDL)",
    "S25": "GitHub, MicrosoftDocs: azure-docs #70884, #76936, #106769, #110782; windows-itpro-docs #9976",
    "S26": "patchmypc.com and evil365.com on Autopilot, TAP and restarts (2025)",
    "S27": "Iru, Set-WebSignInAllowedUrls; notes of a managed service provider on credential provider GUIDs (2026)",
    "S29": "Windows, “PIN reset”; FederatedAuthentication CSP",
    "S30": "j0eyv/ConditionalAccessBaseline #27 (2026)",
}
"""Where a rule's claim was read. None of it was tested against a live tenant."""

EVIDENCE: Mapping[str, str] = {
    "D": "Microsoft's documentation or metadata",
    "B": "the source of a benchmark or baseline",
    "C": "community or field report of one or few people",
    "I": "inferred from such facts",
    "K": "general knowledge, not verified",
}

_MODES = {"off": "files", "live": "live tenant", "plan": "plan"}

_INTRODUCTION = """\
# Lint rules

Written from the catalogue by `python -m tapctl.rules.catalogue`; a test keeps it equal. `tapctl validate` judges what
the files alone can tell, `tapctl plan` also what needs the live tenant or the planned changes.

A value that no file names is not managed, so it is unknown, and no rule guesses it. Members of external groups are
unknown too. Rules look at the entries as declared, whether or not their `until` has passed.

A finding that was considered is suppressed in the tenant file, with its reason: `suppress: [{rule: TAP007, reason: ...,
until: 2027-06-30}]`. It stays visible as suppressed. A suppression whose day has passed no longer applies
(`expired-suppression`), one that suppresses nothing is a warning (`unused-suppression`), one that names no rule is an
error (`unknown-rule`). What the schema refuses, `guardrail-schema` and `break-glass` cannot be suppressed.

Two checks beside the catalogue: `guardrail-schema` holds the merged tenant against `guardrails.schema`, without
fetching anything; `break-glass` is an error when a managed policy's exclude list lacks a group of `tenant.breakGlass`.

A *pass* is a Temporary Access Pass, *devices* are Windows devices.
"""


def markdown() -> str:
    """The README of this package: every rule, the sources and the evidence tags."""
    parts = [_INTRODUCTION, "| rule | severity | needs | fires when |", "| --- | --- | --- | --- |"]
    parts += [
        f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity} | {_needs(rule)} | {_cell(rule.condition)} |"
        for rule in RULES
    ]
    for rule in RULES:
        parts += ["", *_section(rule)]
    parts += ["", "## Sources", ""]
    parts += [f"- **{key}**: {text}" for key, text in SOURCES.items()]
    parts += ["", "Evidence: " + "; ".join(f"**{tag}** {text}" for tag, text in EVIDENCE.items()) + ".", ""]
    return "\n".join(parts)


def rule_help() -> dict[str, tuple[str, ...]]:
    """For tools that show rules beside findings: when each fires, why, and what to do."""
    return {rule.id: (f"Fires when {rule.condition}.", f"Why: {rule.why}.", f"Fix: {rule.fix}.") for rule in RULES}


def _section(rule: Rule) -> Iterator[str]:
    variants = f"; {rule.variants}" if rule.variants else ""
    yield f"## {rule.id}"
    yield ""
    yield f"**{rule.severity}**{variants}. Needs: {_needs(rule)}."
    yield ""
    yield f"- *Fires when* {rule.condition}."
    yield f"- *Why:* {rule.why}."
    yield f"- *Fix:* {rule.fix}."
    yield f"- *What tapctl checks:* {rule.coverage}."
    yield f"- *Sources:* {', '.join(rule.sources)}; evidence {', '.join(rule.evidence)}."
    if not rule.is_suppressible:
        yield "- Cannot be suppressed."


def _needs(rule: Rule) -> str:
    return ", ".join(_MODES[mode] for mode in rule.modes)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
