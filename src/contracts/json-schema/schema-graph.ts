/**
 * Collects a contract's schema file and all schemas that it refers to. Resolves references to local files, by `$id` or path,
 * so that the evaluator needs no other files. Never fetches anything.
 */
import { posix } from "node:path";
import type { ContractFile, ContractProblem } from "../../core/ports.ts";
import { closest } from "../../text/suggest.ts";
import { parseJson, pointerSegments } from "../json-source.ts";
import { type Dialect, isMetaSchema } from "./dialect.ts";
import { absoluteUri, fileUri, type Reference, type Resource, readSchemaFile, type SchemaFile } from "./schema-files.ts";
import { type Resolved, rewriteSchemas, undecidable } from "./schema-rewrite.ts";
import { isSchemaObject } from "./schema-walk.ts";

/** Schemas for the evaluator of their draft. Every `$id` and `$ref` is absolute, and every `$ref` refers to one of them. */
export interface SchemaGraph {
  readonly dialect: Dialect;
  /** URI → schema. The contract's schema is the first. */
  readonly schemas: ReadonlyMap<string, unknown>;
}

interface Search {
  readonly files: ReadonlyMap<string, ContractFile>;
  readonly loaded: Map<string, SchemaFile | undefined>;
  /** Absolute URI → resource. A file's root has the URI of its path too. */
  readonly byUri: Map<string, Resource>;
  readonly problems: ContractProblem[];
  dialect: Dialect;
  /** `$id` → path, for all files. Created on first use. */
  declaredIds?: ReadonlyMap<string, string>;
}

/** Reads a schema and all schemas it refers to. Returns problems instead of a graph if there are any. */
export function gatherSchemas(
  path: string,
  files: ReadonlyMap<string, ContractFile>,
): { graph?: SchemaGraph; problems: readonly ContractProblem[] } {
  const search: Search = { files, loaded: new Map(), byUri: new Map(), problems: [], dialect: "2020-12" };
  const root = loadFile(search, path);
  if (root === undefined) {
    if (!files.has(path)) search.problems.push({ message: `the schema file \`${path}\` does not exist`, ...suggestion(path, files) });
    return { problems: search.problems };
  }
  const resolved: Resolved[] = [];
  // The map grows during the loop, because references add files.
  for (const file of search.loaded.values()) for (const reference of file?.references ?? []) resolved.push(...follow(search, reference));
  const loaded = [...search.loaded.values()].filter((file) => file !== undefined);
  if (search.problems.length === 0) search.problems.push(...undecidable(resolved, loaded));
  return search.problems.length > 0
    ? { problems: search.problems }
    : { graph: { dialect: search.dialect, schemas: rewriteSchemas(resolved, loaded) }, problems: [] };
}

/** Reads a file once, and returns its root. */
function loadFile(search: Search, path: string): Resource | undefined {
  const source = search.files.get(path);
  if (source === undefined) return undefined;
  if (!search.loaded.has(path)) {
    const first = search.loaded.size === 0;
    const file = readSchemaFile(source, search.dialect, (problem) => search.problems.push(problem));
    if (first && file?.declared !== undefined) search.dialect = file.declared;
    search.loaded.set(path, file);
    for (const resource of file?.resources ?? []) register(search, resource);
  }
  return search.loaded.get(path)?.resources[0];
}

function register(search: Search, resource: Resource): void {
  const { file, path } = resource;
  const other = search.byUri.get(resource.uri);
  if (other !== undefined && other.file !== file) {
    search.problems.push(
      file.problemAt(
        [...path, "$id"],
        `the \`$id\` \`${resource.uri}\` is already used in \`${other.file.path}\``,
        "give each schema a unique `$id`",
      ),
    );
  } else if (other !== undefined) {
    search.problems.push(
      file.problemAt(
        [...path, "$id"],
        `the \`$id\` \`${resource.uri}\` occurs twice in \`${file.path}\``,
        "give each schema a unique `$id`",
      ),
    );
  }
  search.byUri.set(resource.uri, resource);
  if (path.length === 0 && !search.byUri.has(fileUri(file.path))) search.byUri.set(fileUri(file.path), resource);
}

/** Resolves one reference, or reports why it cannot. A reference to a meta-schema stays unchanged. */
function follow(search: Search, reference: Reference): Resolved[] {
  const { keyword, resource, path, ref } = reference;
  const [target = "", fragment = ""] = splitFragment(ref);
  const report = (message: string, hint?: string) => {
    search.problems.push(resource.file.problemAt(path, message, hint));
    return [];
  };
  const uri = target === "" ? resource.uri : absoluteUri(target, resource.uri);
  if (uri !== undefined && target !== "" && isMetaSchema(uri, search.dialect)) return [];
  const destination = target === "" ? resource : locate(search, resource, target, uri);
  if (destination === undefined) {
    if (brokenFile(search, resource, target)) return [];
    const remote = /^(?:https?:)?\/\//i.test(target) || (uri !== undefined && /^https?:/.test(uri) && !isRelative(target));
    if (remote)
      return report(
        `\`${keyword}\` refers to \`${target}\`, which is remote; schemas are not fetched`,
        "add a copy to the project and refer to it by path",
      );
    return report(
      `\`${keyword}\` refers to \`${target}\`, which is not a schema file of this project`,
      suggestion(pathOf(resource, target) ?? target, search.files).hint,
    );
  }
  const declared = destination.file.declared ?? search.dialect;
  if (declared !== search.dialect) {
    return report(
      `\`${keyword}\` refers to \`${destination.file.path}\`, whose draft is ${declared}, from a schema whose draft is ${search.dialect}`,
      "use the same draft in both",
    );
  }
  const pointer = pointerOf(destination, fragment);
  if (pointer === undefined) return report(`\`${keyword}\` refers to \`${ref}\`, but \`${destination.file.path}\` has no schema there`);
  return [{ reference, target: destination, pointer, fragment }];
}

/** Finds a resource by URI in the loaded files, by `$id` in all files, or by path. */
function locate(search: Search, from: Resource, target: string, uri: string | undefined): Resource | undefined {
  const loaded = uri === undefined ? undefined : search.byUri.get(uri);
  if (loaded !== undefined) return loaded;
  search.declaredIds ??= declaredIds(search.files);
  const declaring = uri === undefined ? undefined : search.declaredIds.get(uri);
  const path = declaring ?? pathOf(from, target);
  return path === undefined ? undefined : loadFile(search, path);
}

/** Whether the reference leads to a file whose own problems are already reported. */
function brokenFile(search: Search, from: Resource, target: string): boolean {
  const path = pathOf(from, target);
  return path !== undefined && search.loaded.has(path) && search.loaded.get(path) === undefined;
}

/** The project path of a reference relative to its file. Undefined if it is not a path or leads out of the project. */
function pathOf(from: Resource, target: string): string | undefined {
  if (!isRelative(target)) return undefined;
  const decoded = percentDecoded(target);
  if (decoded === undefined) return undefined;
  const path = decoded.startsWith("/") ? decoded.slice(1) : posix.join(posix.dirname(from.file.path), decoded);
  return path.startsWith("../") ? undefined : path;
}

function isRelative(target: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:/i.test(target) && !target.startsWith("//");
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function splitFragment(ref: string): [string, string] {
  const hash = ref.indexOf("#");
  return hash === -1 ? [ref, ""] : [ref.slice(0, hash), ref.slice(hash + 1)];
}

/** A fragment as a percent-encoded JSON pointer relative to the resource. Undefined if no schema is there. */
function pointerOf(resource: Resource, fragment: string): string | undefined {
  if (fragment === "") return "";
  if (!fragment.startsWith("/")) {
    const anchored = resource.anchors.get(fragment);
    return anchored === undefined ? undefined : anchored.split("/").map(encodeURIComponent).join("/");
  }
  const pointer = percentDecoded(fragment);
  if (pointer === undefined) return undefined;
  let value = resource.value;
  for (const segment of pointerSegments(pointer)) {
    if (Array.isArray(value)) value = value[Number(segment)];
    else if (isSchemaObject(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return isSchemaObject(value) || typeof value === "boolean" ? fragment : undefined;
}

/** Absolute `$id` → path, for references by `$id` to files that are not loaded yet. */
function declaredIds(files: ReadonlyMap<string, ContractFile>): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const { path, text } of files.values()) {
    if (!text.includes("$id")) continue;
    const parsed = parseJson(text);
    const id = parsed.ok && isSchemaObject(parsed.value) ? parsed.value["$id"] : undefined;
    const uri = typeof id === "string" ? absoluteUri(id, fileUri(path)) : undefined;
    if (uri !== undefined && !ids.has(uri)) ids.set(uri, path);
  }
  return ids;
}

function suggestion(path: string, files: ReadonlyMap<string, ContractFile>): { hint?: string } {
  const guess = closest(path, [...files.keys()]);
  return guess === undefined ? {} : { hint: `did you mean \`${guess}\`?` };
}
