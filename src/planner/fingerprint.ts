/**
 * Computes a step's fingerprints: digests of everything that its result depends on, and of everything that its contracts
 * depend on. Plan, run and resume use the same function. Not included, so that changes do not invalidate results: the run's
 * id, the attempt, paths on this machine, secret values, limits, and positions in files.
 */
import { posix } from "node:path";
import { defined } from "../core/defined.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { BaseRef, FingerprintRef } from "../core/event.ts";
import { ignoredFor } from "../core/ignored-views.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { type StepPermissions, viewKey } from "../core/permissions.ts";
import type { ContractDefinition, Step } from "../core/pipeline.ts";
import type { FingerprintBase, FingerprintSource } from "../core/plan.ts";
import type { ContractFile } from "../core/ports.ts";

/** Change the number if a part changes its meaning, so that results of older versions are not reused. */
const format = digestOfBytes("wave fingerprint 1");

/**
 * The work and contract fingerprints of a step, with their parts. Unused parts (no model, no `env`) are omitted.
 *
 * - `work`: `format`, `ignored` (files ignored by git, if they were read), `task`, `persona`, `adapter`, `model`,
 *   `permissions`, `env`, `secrets`, `include` (of ignored changes), `artifacts`, `base`, `changes` (upstream), `platform`
 *   (only for the `command` adapter), `replayed` (only for the `replay` adapter), and `input:NAME` for each input;
 * - `gate`, for contracts: `contract:NAME` for each contract, `gate-file:PATH` for each schema file, `gate-tree` and
 *   `gate-ignored` for commands, which read the whole project, and `gate-protected` for files from another commit.
 */
export function fingerprintStep(source: FingerprintSource): FingerprintRef {
  const work = workParts(source);
  const contracts = contractParts(source);
  return { work: digestOfParts(work), gate: digestOfParts(contracts), parts: { ...work, ...contracts } };
}

/**
 * The schema files of a step's contracts, including all that they refer to: path → digest. A reference that is not a known
 * path (for example an absolute `$id`) includes all files, which costs at most a recheck.
 */
export function contractFilesOf(step: Step, files: ReadonlyMap<string, ContractFile>): Record<string, Digest> {
  const digests: Record<string, Digest> = {};
  const open = step.contracts.flatMap((contract) => (contract.type === "json_schema" ? [contract.schema] : []));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = files.get(path);
    if (file === undefined || Object.hasOwn(digests, path)) continue;
    digests[path] = file.digest;
    for (const reference of referencesOf(file)) {
      const target = posix.normalize(posix.join(posix.dirname(path), reference));
      open.push(...(files.has(target) ? [target] : files.keys()));
    }
  }
  return digests;
}

/** The digests of a base that the fingerprint of a step contains. */
export function fingerprintBase(step: Step, base: BaseRef): FingerprintBase {
  return { view: base.views[viewKey(step)] ?? base.tree, tree: base.tree, ...defined({ ignored: ignoredFor(step, base) }) };
}

function workParts({
  step,
  inputs,
  runInput,
  base: { view, ignored },
  changes,
  platform,
  adapterVersion,
}: FingerprintSource): Record<string, Digest> {
  const { adapter } = step;
  const parts: Record<string, Digest> = { format, persona: step.persona.digest, base: view };
  if (ignored !== undefined) parts.ignored = ignored.work;
  if (changes !== undefined) parts.changes = changes;
  const usesInput = step.task !== undefined && /\{\{\s*input\s*\}\}/.test(step.task);
  if (step.task !== undefined) parts.task = digestOfBytes(JSON.stringify([step.task, usesInput ? runInput : undefined]));
  if (adapter !== undefined) {
    const { name, command, baseUrl } = adapter;
    parts.adapter = digestOfShared([name, command, baseUrl, adapterVersion]);
  }
  const model = adapter?.model ?? step.persona.model;
  if (model !== undefined) parts.model = digestOfShared(model);
  const rules = rulesOf(step.permissions);
  if (rules.length > 0) parts.permissions = digestOfShared(rules);
  if (Object.keys(step.env).length > 0) parts.env = digestOfShared(Object.entries(step.env).sort(([a], [b]) => compare(a, b)));
  if (step.secrets.length > 0) parts.secrets = digestOfShared([...step.secrets].sort());
  if (step.changes !== "optional") parts.changes = digestOfShared(step.changes);
  if (step.changesInclude.length > 0) parts.include = digestOfShared(sortedOnce(step.changesInclude));
  if (step.artifacts.length > 0) parts.artifacts = digestOfBytes(JSON.stringify(artifactsOf(step)));
  if (adapter?.name === "replay") parts.replayed = digestOfShared(true);
  if (adapter?.name === "command") parts.platform = digestOfShared(platform);
  for (const [name, digest] of Object.entries(inputs)) parts[`input:${name}`] = digest;
  return parts;
}

function contractParts({ step, contractFiles, protectedFiles, base: { tree, ignored } }: FingerprintSource): Record<string, Digest> {
  const parts: Record<string, Digest> = {};
  for (const contract of step.contracts) parts[`contract:${contract.name}`] = digestOfShared(verdictSettings(contract));
  for (const [path, digest] of Object.entries(contractFiles)) parts[`gate-file:${path}`] = digest;
  if (step.contracts.some((contract) => contract.type === "test_suite")) {
    parts["gate-tree"] = tree;
    if (ignored !== undefined) parts["gate-ignored"] = ignored.contracts;
    if (protectedFiles !== undefined) parts["gate-protected"] = protectedFiles;
  }
  return parts;
}

/** The settings that affect a contract's verdict. Retries and backoff do not; whether it only warns does. */
function verdictSettings(contract: ContractDefinition): JsonValue {
  const binding = contract.onFailure !== "warn";
  switch (contract.type) {
    case "json_schema":
      return [contract.type, binding, contract.schema, contract.artifact];
    case "test_suite":
      return [
        ...[contract.type, binding, contract.command, contract.timeoutMs, contract.network],
        ...(contract.protect.length === 0 ? [] : [sortedOnce(contract.protect)]),
      ];
  }
}

function rulesOf({ layers }: StepPermissions): JsonValue[] {
  return layers
    .filter(({ allow, deny }) => allow.length + deny.length > 0)
    .map(({ allow, deny }) => [sortedOnce(allow.map((rule) => rule.text)), sortedOnce(deny.map((rule) => rule.text))]);
}

function artifactsOf(step: Step): unknown {
  return step.artifacts
    .map(({ name, path, optional, mediaType, scrub, source }) =>
      source === undefined
        ? ([name, path, optional, mediaType, scrub] as const)
        : ([name, path, optional, mediaType, scrub, source] as const),
    )
    .sort(([a], [b]) => compare(a, b));
}

const references = new WeakMap<ContractFile, readonly string[]>();

/** The references of a schema without fragments. `*`, which means all files, for invalid JSON and for references relative to an `$id`. */
function referencesOf(file: ContractFile): readonly string[] {
  const cached = references.get(file);
  if (cached !== undefined) return cached;
  const names = new Set<string>();
  try {
    collectReferences(JSON.parse(file.text), names);
  } catch {
    names.add("*");
  }
  const list = names.has(moved) && names.size > 1 ? ["*"] : [...names].filter((reference) => reference !== moved);
  references.set(file, list);
  return list;
}

/** Marks an `$id` in the set of references. Not a valid file name. */
const moved = "\0";
const referenceKeys = new Set(["$ref", "$dynamicRef", "$recursiveRef"]);

function collectReferences(root: JsonValue, names: Set<string>): void {
  const open: (JsonValue | undefined)[] = [root];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...node);
    else if (isJsonObject(node)) {
      for (const [key, member] of Object.entries(node)) {
        if (referenceKeys.has(key) && typeof member === "string") addReference(member, names);
        else if (key === "$id" && typeof member === "string" && !member.startsWith("#")) names.add(moved);
        else open.push(member);
      }
    }
  }
}

function addReference(reference: string, names: Set<string>): void {
  const [file = ""] = reference.split("#", 1);
  if (file === "") return;
  try {
    names.add(decodeURIComponent(file));
  } catch {
    names.add(file);
  }
}

/** Digest of names and digests, separated by NUL, which neither can contain. */
function digestOfParts(parts: Readonly<Record<string, Digest>>): Digest {
  return digestOfBytes(
    Object.keys(parts)
      .sort()
      .map((name) => `${name}\0${parts[name]}\0`)
      .join(""),
  );
}

const sharedDigests = new Map<string, Digest>();
const maxShared = 1000;

/** The cached digest of a value. Thousands of steps share a few adapters and permission sets. */
function digestOfShared(value: JsonValue | readonly (JsonValue | undefined)[]): Digest {
  const text = JSON.stringify(value);
  const cached = sharedDigests.get(text);
  if (cached !== undefined) return cached;
  const digest = digestOfBytes(text);
  if (sharedDigests.size >= maxShared) sharedDigests.clear();
  sharedDigests.set(text, digest);
  return digest;
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
