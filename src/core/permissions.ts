/**
 * Permission rules: grammar, layers and matching. Pure; `enforcement.ts` decides how rules are enforced.
 *
 * - A request is allowed when every layer (persona, step) allows it and none denies it.
 * - A layer without an allow rule for a capability allows all of it, as `**` or `*` would.
 * - `file_read`, `file_write`: globs over project paths, as in {@link pathPattern}. A deny rule covers what it matches
 *   and everything below it. `.git` is allowed only by an allow rule that spells `.git` as a segment, and then every layer with
 *   allow rules for the capability must do so; a deny rule need not.
 * - `network_access`: `host` or `host:port`, where `*` is any run of characters (dots too), case-insensitive. A rule
 *   without a port holds for all ports; one with a port holds for a subject with that port. Hosts are compared in the
 *   spelling of {@link canonicalHost}. A wildcard never covers this machine and its private networks.
 * - `command`: a pattern over the arguments joined by single spaces, where `*` is any run of characters; `git *` also
 *   matches `git` alone.
 */

import { namesGit, pathPattern, subtreePattern, wildcard } from "../text/glob.ts";
import { canonicalHost } from "../text/host-name.ts";
import { canonicalJson } from "./digest.ts";

export const capabilities = ["file_read", "file_write", "network_access", "command"] as const;
export type Capability = (typeof capabilities)[number];

/** `capability:pattern`. */
export interface PermissionRule {
  readonly capability: Capability;
  readonly pattern: string;
  /** As written. */
  readonly text: string;
}

export interface StepPermissions {
  /** One entry per layer (persona, step). A request must be allowed by each and denied by none. */
  readonly layers: readonly PermissionLayer[];
}

export interface PermissionLayer {
  readonly source: "persona" | "step";
  readonly allow: readonly PermissionRule[];
  readonly deny: readonly PermissionRule[];
  /** Inherited deny rules, as written, that `replace: true` drops. Shown in plans; undefined if there are none. */
  readonly dropped?: readonly string[];
}

/** A rule that restricts: a deny rule, or an allow rule that does not allow everything. */
export interface Restriction {
  readonly rule: PermissionRule;
  readonly kind: "allow" | "deny";
  readonly source: "persona" | "step";
}

/** Splits `capability:pattern`; undefined if the capability is unknown or the pattern empty. */
export function parsePermission(text: string): PermissionRule | undefined {
  const colon = text.indexOf(":");
  const capability = capabilities.find((known) => known === text.slice(0, colon));
  const pattern = text.slice(colon + 1);
  return capability === undefined || pattern === "" ? undefined : { capability, pattern, text };
}

/**
 * Whether a request is allowed. The subject is a path relative to the project root (`file_read`, `file_write`), a `host` or
 * `host:port` (`network_access`), or arguments joined by spaces (`command`).
 */
export function isAllowed(permissions: StepPermissions, capability: Capability, subject: string): boolean {
  return accessTo(permissions, capability)(subject);
}

/**
 * The rules that deny a request, as written: the first deny rule that covers it, else the allow rules of the first
 * layer that does not allow it. Undefined if rules allow it, or if it is denied without a rule (`.git`).
 */
export function denyingRules({ layers }: StepPermissions, capability: Capability, subject: string): readonly string[] | undefined {
  const denied = layers.flatMap(({ deny }) => deny).find((rule) => rule.capability === capability && matcher(rule, "deny")(subject));
  if (denied !== undefined) return [denied.text];
  const allows = layers.map(({ allow }) => allow.filter((rule) => rule.capability === capability));
  return allows.find((allow) => allow.length > 0 && !allow.some((rule) => matcher(rule, "allow")(subject)))?.map(({ text }) => text);
}

/** Whether a deny rule covers a request. */
export function isDenied(permissions: StepPermissions, capability: Capability, subject: string): boolean {
  return permissions.layers.some(({ deny }) => deny.some((rule) => rule.capability === capability && matcher(rule, "deny")(subject)));
}

/**
 * Whether an allow rule contains a host without a wildcard, given `host` or `host:port`. The rule's port may be a
 * wildcard.
 */
export function namesHost(permissions: StepPermissions, subject: string): boolean {
  return permissions.layers.some(({ allow }) =>
    allow.some(
      (rule) => rule.capability === "network_access" && !/[*?]/.test(splitPort(rule.pattern).host) && hostPattern(rule.pattern)(subject),
    ),
  );
}

/** Returns a test for the paths that a step may read. Compiles patterns on the first call. */
export function readFilter(permissions: StepPermissions): (path: string) => boolean {
  let access: ((path: string) => boolean) | undefined;
  return (path) => {
    access ??= accessTo(permissions, "file_read");
    return access(path);
  };
}

/**
 * The key of the files that a step may read: equal keys mean equal sets of files. `all` if there is no `file_read`
 * rule; else the canonical JSON of the layers' patterns, sorted and without duplicates. `file_read:**` is a rule like
 * any other: it excludes `.git`.
 */
export function viewKey(step: { readonly permissions: StepPermissions }): string {
  const layers = step.permissions.layers.map(({ allow, deny }) => ({ allow: allow.filter(isRead), deny: deny.filter(isRead) }));
  if (layers.every(({ allow, deny }) => allow.length + deny.length === 0)) return "all";
  const keys = layers.flatMap(({ allow, deny }) =>
    allow.length + deny.length === 0 ? [] : [canonicalJson({ allow: patterns(allow), deny: patterns(deny) })],
  );
  return `[${[...new Set(keys)].sort().join(",")}]`;
}

/** Whether a view with this key may contain `.git`, whose state is not part of file digests. May return true for one that does not. */
export function viewNamesGit(key: string): boolean {
  return key !== "all" && /["/]\.git["/]/.test(key);
}

/**
 * The restricting rules, in the order written, persona before step, each text once. An allow rule restricts nothing if
 * its layer also allows everything (`file_read:**`). Every `network_access` rule restricts: `network_access:*` excludes
 * this machine and its private networks.
 */
export function restrictions(permissions: StepPermissions): readonly Restriction[] {
  const match = new Map<string, Restriction>();
  for (const { source, allow, deny } of permissions.layers) {
    const open = new Set(allow.filter((rule) => isUniversal(rule) && rule.capability !== "network_access").map((rule) => rule.capability));
    for (const rule of allow) if (!open.has(rule.capability)) add({ rule, kind: "allow", source });
    for (const rule of deny) add({ rule, kind: "deny", source });
  }
  return [...match.values()];

  function add(restriction: Restriction): void {
    const key = `${restriction.kind} ${restriction.rule.text}`;
    if (!match.has(key)) match.set(key, restriction);
  }
}

/** The capabilities that no rule of any layer names. */
export function unrestrictedOf({ layers }: StepPermissions): readonly Capability[] {
  const named = new Set(layers.flatMap(({ allow, deny }) => [...allow, ...deny].map(({ capability }) => capability)));
  return capabilities.filter((capability) => !named.has(capability));
}

/** Whether `file_read` rules exclude `.git` from the files that a step may read. Always false without such rules. */
export function leavesOutGit(permissions: StepPermissions): boolean {
  const layers = permissions.layers.map(({ allow, deny }) => ({ allow: allow.filter(isRead), deny: deny.filter(isRead) }));
  if (layers.every(({ allow, deny }) => allow.length + deny.length === 0)) return false;
  const allows = layers.map(({ allow }) => allow).filter((allow) => allow.length > 0);
  const spelled = allows.length > 0 && allows.every((allow) => allow.some(({ pattern }) => namesGit(pattern)));
  return !spelled || isDenied(permissions, "file_read", ".git");
}

/**
 * The subtrees that a step may not write, as project paths: those that its deny rules name as a whole (`src/**`,
 * `.env`). Other patterns match files that may not exist yet.
 */
export function unwritableSubtrees(permissions: StepPermissions): readonly string[] {
  const rules = permissions.layers.flatMap(({ deny }) => deny.filter((rule) => rule.capability === "file_write"));
  return [...new Set(rules.flatMap(({ pattern }) => /^(?:\.?\/)*([^*?[\]{}\\]+?)(?:\/\*\*)?\/?$/.exec(pattern)?.[1] ?? []))];
}

function accessTo(permissions: StepPermissions, capability: Capability): (subject: string) => boolean {
  const isFile = capability === "file_read" || capability === "file_write";
  const layers = permissions.layers.map((layer) => ({
    allow: layer.allow.filter((rule) => rule.capability === capability).map((rule) => matcher(rule, "allow")),
    deny: layer.deny.filter((rule) => rule.capability === capability).map((rule) => matcher(rule, "deny")),
  }));
  const denies = layers.flatMap((layer) => layer.deny);
  const allows = layers.map((layer) => layer.allow).filter((allow) => allow.length > 0);
  return (subject) => {
    if (denies.some((matches) => matches(subject))) return false;
    if (isFile && allows.length === 0 && namesGit(subject)) return false;
    return allows.every((allow) => allow.some((matches) => matches(subject)));
  };
}

function matcher(rule: PermissionRule, kind: "allow" | "deny"): (subject: string) => boolean {
  switch (rule.capability) {
    case "file_read":
    case "file_write":
      return kind === "deny" ? subtreePattern(rule.pattern) : pathPattern(rule.pattern);
    case "network_access":
      return hostPattern(rule.pattern);
    case "command": {
      const matches = wildcard(rule.pattern);
      const alone = rule.pattern.endsWith(" *") ? rule.pattern.slice(0, -2) : undefined;
      return (subject) => matches(subject) || (alone !== undefined && wildcard(alone)(subject));
    }
  }
}

function hostPattern(pattern: string): (subject: string) => boolean {
  const rule = splitPort(pattern.toLowerCase());
  const host = wildcard(/[*?]/.test(rule.host) ? rule.host : (canonicalHost(rule.host) ?? rule.host));
  return (subject) => {
    const request = splitPort(subject.toLowerCase());
    return (
      host(canonicalHost(request.host) ?? request.host) && (rule.port === undefined || rule.port === "*" || rule.port === request.port)
    );
  };
}

/** `[::1]:443` and `::1` are one host: a port follows only the last bracket, or the only colon outside brackets. */
function splitPort(text: string): { host: string; port?: string } {
  const match = /^(\[[^\]]*\]|[^:]*):([0-9]+|\*)$/.exec(text);
  const bare = (host: string) => host.replace(/^\[([^\]]*)\]$/, "$1");
  return match?.[1] === undefined || match[2] === undefined ? { host: bare(text) } : { host: bare(match[1]), port: match[2] };
}

/** Whether a rule alone covers all of its capability (`.git` and private networks aside). */
export function isUniversal({ capability, pattern }: PermissionRule): boolean {
  if (capability === "network_access") return /^\*+(?::\*)?$/.test(pattern);
  if (capability === "command") return /^\*+$/.test(pattern);
  return /^(?:\.?\/)*(?:(?:\*\*\/)*\*\*(?:\/\*?)?|\.?)$/.test(pattern);
}

function isRead(rule: PermissionRule): boolean {
  return rule.capability === "file_read";
}

function patterns(rules: readonly PermissionRule[]): string[] {
  return [...new Set(rules.map((rule) => rule.pattern))].sort();
}
