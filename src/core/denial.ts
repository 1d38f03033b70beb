/** Accesses that permission rules denied to an attempt, as a possible cause of its failure. Pure. */
import type { Denial, Failure } from "./failure.ts";
import { denyingRules, type StepPermissions } from "./permissions.ts";
import type { Step } from "./pipeline.ts";

/** Rules per line. */
const maxRules = 3;

/** Denied accesses that a failure names. */
const maxDenials = 20;

/** `` denied by `file_write:src/**`: writing package.json ``. */
export function describeDenial({ access, rules }: Denial): string {
  return `denied${rules.length === 0 ? "" : ` by ${rulesText(rules)}`}: ${access}`;
}

/** `` `file_write:src/**`, `file_write:docs/**` and 2 more ``. */
export function rulesText(rules: readonly string[]): string {
  const shown = rules.slice(0, maxRules).map((rule) => `\`${rule}\``);
  return `${shown.join(", ")}${rules.length > maxRules ? ` and ${rules.length - maxRules} more` : ""}`;
}

/** The denial of a connection to `host:port`. */
export function connectionDenial(permissions: StepPermissions, subject: string): Denial {
  const rules = denyingRules(permissions, "network_access", subject);
  if (rules !== undefined) return { access: `connecting to ${subject}`, rules };
  return { access: `connecting to ${subject}, a private address, which only a rule with this host allows`, rules: [] };
}

/**
 * Denials that a child's output indicates: programs report a hidden file as missing and an unreachable host as unknown.
 * Returns only accesses that rules deny.
 */
export function denialsIn(
  { permissions, sandbox }: Pick<Step, "permissions" | "sandbox">,
  root: string,
  output: string,
): readonly Denial[] {
  if (sandbox === "off") return [];
  const found: Denial[] = [];
  for (const [, host = ""] of output.matchAll(
    /(?:could not resolve host:|ENOTFOUND|EAI_AGAIN|unable to resolve host address) [‘'"]?([\w.-]+)/gi,
  )) {
    const rules = denyingRules(permissions, "network_access", host);
    if (rules !== undefined) found.push({ access: `connecting to ${host}`, rules });
  }
  for (const [, missing] of output.matchAll(/([^\s:'"`‘’]+)['"’]?: No such file or directory/g)) addFile(missing);
  for (const [, missing] of output.matchAll(/ENOENT: no such file or directory, \w+ '([^'\n]+)'/g)) addFile(missing);
  return found;

  function addFile(written = ""): void {
    const file = (written.startsWith(`${root}/`) ? written.slice(root.length + 1) : written).replace(/^\.\//, "");
    if (file === "" || file.startsWith("/") || file.split("/").includes("..")) return;
    const rules = denyingRules(permissions, "file_read", file);
    if (rules !== undefined) found.push({ access: `reading ${file}, which is hidden from this step`, rules });
  }
}

/** The failure with the denied accesses, each once; the failure itself if there are none. */
export function withDenials(failure: Failure, denials: readonly Denial[]): Failure {
  const byAccess = new Map([...(failure.denied ?? []), ...denials].map((denial) => [denial.access, denial]));
  return byAccess.size === 0 ? failure : { ...failure, denied: [...byAccess.values()].slice(0, maxDenials) };
}
