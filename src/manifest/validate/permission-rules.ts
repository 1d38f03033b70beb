/** Reads permission layers, and warns about rules without effect, which readers would rely on. */
import type { DocumentNode } from "../../core/document.ts";
import { type Capability, type PermissionLayer, type PermissionRule, parsePermission } from "../../core/permissions.ts";
import type { Findings } from "./findings.ts";
import { type Located, member, textItems } from "./read-node.ts";

interface WrittenRule extends Located {
  readonly rule: PermissionRule;
}

/** Reads a `permissions` map. Undefined without one. `outer` is the persona's layer if the map belongs to a step. */
export function readPermissions(
  node: DocumentNode | undefined,
  source: PermissionLayer["source"],
  findings: Findings,
  outer?: PermissionLayer,
): PermissionLayer | undefined {
  if (node === undefined) return undefined;
  const allow = rulesOf(member(node, "allow"));
  const deny = rulesOf(member(node, "deny"));
  reportRepeated(allow, findings);
  reportRepeated(deny, findings);
  for (const written of [...allow, ...deny]) {
    const { capability, pattern } = written.rule;
    if (!isFile(capability) || !pattern.split("/").includes("..")) continue;
    findings.warning("W403", `\`${written.text}\` has no effect: paths in the project never contain \`..\``, written.origin, {
      hint: "write the pattern relative to the project's root",
    });
  }
  for (const written of allow) reportDenied(written, deny, outer, findings);
  return { source, allow: allow.map(({ rule }) => rule), deny: deny.map(({ rule }) => rule) };
}

/** Warns about `command:` deny rules of a step with the adapter `command`, which does not enforce them. */
export function reportUnenforced(denied: readonly Located[], adapter: string | undefined, findings: Findings): void {
  if (adapter !== "command") return;
  for (const { text, origin } of denied) {
    if (parsePermission(text)?.capability !== "command") continue;
    findings.warning("W405", `\`${text}\` is not enforced: the adapter \`command\` does not check what its program runs`, origin, {
      hint: "restrict files and hosts with `file_read`, `file_write` and `network_access` rules",
    });
  }
}

function rulesOf(node: DocumentNode | undefined): WrittenRule[] {
  return textItems(node).flatMap((written) => {
    const rule = parsePermission(written.text);
    return rule === undefined ? [] : [{ ...written, rule }];
  });
}

function reportRepeated(rules: readonly WrittenRule[], findings: Findings): void {
  const first = new Map<string, WrittenRule>();
  for (const written of rules) {
    const before = first.get(written.text);
    if (before === undefined) first.set(written.text, written);
    else {
      findings.warning("W403", `\`${written.text}\` has no effect: it is a duplicate`, written.origin, {
        hint: "remove it",
        related: [{ message: "the first one", origin: before.origin }],
      });
    }
  }
}

function reportDenied(written: WrittenRule, deny: readonly WrittenRule[], outer: PermissionLayer | undefined, findings: Findings): void {
  const here = deny.find(({ rule }) => covers(rule, written.rule));
  if (here !== undefined) {
    findings.warning("W403", `\`${written.text}\` has no effect: \`${here.text}\` denies everything that it allows`, written.origin, {
      hint:
        here.origin.file === written.origin.file
          ? "deny rules take precedence"
          : "deny rules take precedence; `permissions: { replace: true }` drops inherited rules",
      related: [{ message: "denied here", origin: here.origin }],
    });
    return;
  }
  const outside = outer?.deny.find((rule) => covers(rule, written.rule));
  if (outside === undefined) return;
  findings.warning("W403", `\`${written.text}\` has no effect: the persona denies \`${outside.text}\``, written.origin, {
    hint: "deny rules take precedence",
  });
}

/** Whether a deny rule certainly covers an allow rule. Patterns are only compared for equality. */
function covers(deny: PermissionRule, allow: PermissionRule): boolean {
  return (
    deny.capability === allow.capability && (deny.pattern === allow.pattern || deny.pattern === (isFile(deny.capability) ? "**" : "*"))
  );
}

function isFile(capability: Capability): boolean {
  return capability === "file_read" || capability === "file_write";
}
