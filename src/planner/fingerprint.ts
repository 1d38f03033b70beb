/**
 * The fingerprint of a step: a digest of everything that its outcome depends on, and of everything that judges it. Plan, run
 * and resume share this one function. What is not in it cannot make work stale: the run's id, the attempt, paths on this
 * machine, secret values, limits, and where in a file something is written.
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

/** Grows when the meaning of a part changes, so that work of older versions is not taken for equal. */
const format = digestOfBytes("wave fingerprint 1");

/**
 * The work and gate fingerprints of a step, with the parts they are made of. Absent parts (no model, no `env`) are left out.
 *
 * - work: `format`, `ignored` (files that git ignores; absent if they were not looked at), `task`, `persona`, `adapter`, `model`, `permissions`, `env`, `secrets`, `include` (of ignored changes), `artifacts`, `base`, `changes` (those it builds on), `platform` (only for
 *   the `command` adapter), `replayed` (only for the `replay` adapter: nobody did the work), and `input:NAME` for each input;
 * - gate: `contract:NAME` for each contract, `gate-file:PATH` for each file they name, `gate-tree` where a command judges
 *   (it reads the whole project), and `gate-protected` where its files come from another commit.
 */
export function fingerprintStep(source: FingerprintSource): FingerprintRef {
  const work = workParts(source);
  const gate = contractParts(source);
  return { work: digestOfParts(work), gate: digestOfParts(gate), parts: { ...work, ...gate } };
}

/**
 * The files that a step's contracts are judged by, path → digest: their schemas, and what those refer to, followed through. A
 * reference that names none of the files (an absolute `$id`, say) brings all of them in: that can only cost a recheck.
 */
export function contractFilesOf(step: Step, files: ReadonlyMap<string, ContractFile>): Record<string, Digest> {
  const found: Record<string, Digest> = {};
  const open = step.contracts.flatMap((contract) => (contract.type === "json_schema" ? [contract.schema] : []));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = files.get(path);
    if (file === undefined || Object.hasOwn(found, path)) continue;
    found[path] = file.digest;
    for (const reference of referencesOf(file)) {
      const target = posix.normalize(posix.join(posix.dirname(path), reference));
      open.push(...(files.has(target) ? [target] : files.keys()));
    }
  }
  return found;
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
  for (const contract of step.contracts) parts[`contract:${contract.name}`] = digestOfShared(judgedBy(contract));
  for (const [path, digest] of Object.entries(contractFiles)) parts[`gate-file:${path}`] = digest;
  if (step.contracts.some((contract) => contract.type === "test_suite")) {
    parts["gate-tree"] = tree;
    if (ignored !== undefined) parts["gate-ignored"] = ignored.contracts;
    if (protectedFiles !== undefined) parts["gate-protected"] = protectedFiles;
  }
  return parts;
}

/** What a contract judges, without how often and when: a warning that becomes a gate has to be judged again, a longer backoff not. */
function judgedBy(contract: ContractDefinition): JsonValue {
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

/** The files that a schema refers to, as written, without fragments. A text that is no JSON, or one whose `$id` moves its references elsewhere, may refer to any: `*`. */
function referencesOf(file: ContractFile): readonly string[] {
  const known = references.get(file);
  if (known !== undefined) return known;
  const found = new Set<string>();
  try {
    collectReferences(JSON.parse(file.text), found);
  } catch {
    found.add("*");
  }
  const list = found.has(moved) && found.size > 1 ? ["*"] : [...found].filter((reference) => reference !== moved);
  references.set(file, list);
  return list;
}

/** Stands for a `$id` among the references; no file can be called that. */
const moved = "\0";
const referenceKeys = new Set(["$ref", "$dynamicRef", "$recursiveRef"]);

function collectReferences(root: JsonValue, found: Set<string>): void {
  const open: (JsonValue | undefined)[] = [root];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...node);
    else if (isJsonObject(node)) {
      for (const [key, member] of Object.entries(node)) {
        if (referenceKeys.has(key) && typeof member === "string") addReference(member, found);
        else if (key === "$id" && typeof member === "string" && !member.startsWith("#")) found.add(moved);
        else open.push(member);
      }
    }
  }
}

function addReference(reference: string, found: Set<string>): void {
  const [file = ""] = reference.split("#", 1);
  if (file === "") return;
  try {
    found.add(decodeURIComponent(file));
  } catch {
    found.add(file);
  }
}

/** Over names and digests; neither can hold a NUL. */
function digestOfParts(parts: Readonly<Record<string, Digest>>): Digest {
  return digestOfBytes(
    Object.keys(parts)
      .sort()
      .map((name) => `${name}\0${parts[name]}\0`)
      .join(""),
  );
}

const digests = new Map<string, Digest>();
const remembered = 1000;

/** The digest of a value that many steps share: a pipeline of thousands of steps has a handful of adapters and permission sets. */
function digestOfShared(value: JsonValue | readonly (JsonValue | undefined)[]): Digest {
  const text = JSON.stringify(value);
  const known = digests.get(text);
  if (known !== undefined) return known;
  const digest = digestOfBytes(text);
  if (digests.size >= remembered) digests.clear();
  digests.set(text, digest);
  return digest;
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
