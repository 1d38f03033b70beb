/**
 * Converts files of a changeset to the bytes that git stores, as configured by the project's attributes: line endings,
 * `ident`, other encodings and filters. `git apply` compares a patch with this form. Git converts copies of the files in a
 * directory of Wave's own, where no filter is configured, so it starts no program: this module writes LFS pointers, and
 * `clean` runs other filters.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Changeset, FileState } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { realPlace } from "../platform/files.ts";
import { openRepository, runGit, runGitIn, userSetting } from "../platform/git.ts";
import { type GitSetting, parseGitConfig } from "../platform/git-config-text.ts";
import { type GitRepository, readSmall } from "../platform/git-repository.ts";
import { fsPath, pathFromBytes, pathToBytes } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { below, lstatAt } from "./disk.ts";

/** Runs a filter's clean command on the bytes of a project file. Undefined if that is impossible or the command fails. */
export type CleanFilter = (command: string, file: string, bytes: Uint8Array) => Promise<Uint8Array | undefined>;

export interface StoredFormRequest {
  /** The project's directory, absolute. */
  readonly root: string;
  /** A git directory of Wave's own, which receives the objects; absolute. */
  readonly directory: string;
  readonly changes: Changeset;
  readonly blobs: BlobStore;
  readonly clean: CleanFilter;
}

/** A blob in the git directory; `isText` if it is UTF-8. */
export interface StoredForm {
  readonly oid: string;
  readonly isText: boolean;
}

export interface StoredForms {
  /** By {@link formKey}, for files to which a conversion may apply. */
  readonly forms: ReadonlyMap<string, StoredForm>;
  /** Paths of files whose filter did not run. */
  readonly unfiltered: readonly string[];
}

type Side = "before" | "after";

/** The key of one side of an entry. */
export function formKey(side: Side, file: string): string {
  return `${side}\0${file}`;
}

const attributesFile = ".gitattributes";
/** The largest attributes file that git reads, in bytes. */
const mostAttributes = 100 * 1024 * 1024;
const configBytes = 4 * 1024 * 1024;
const attributeNames = ["text", "crlf", "eol", "ident", "working-tree-encoding", "filter"];

/** Paths per call, as arguments. */
const atOnce = 200;

/** Converts the files. Converts none if git does not know the project. Fails like the store and with `workspace-failed`. */
export async function storedForms(request: StoredFormRequest): Promise<Result<StoredForms>> {
  const nothing: StoredForms = { forms: new Map(), unfiltered: [] };
  const opened = await openRepository(request.root);
  if (opened.kind !== "open") return ok(nothing);
  const files = request.changes.filter((entry) => isFile(entry.before) || isFile(entry.after)).map((entry) => entry.path);
  const setting = await settingOf(request, opened.repository);
  const attributes = await attributesOf(setting, files);
  if (!attributes.ok) return attributes;
  if (attributes.value.size === 0) return ok(nothing);
  const kept = await keptLineEnds(request, attributes.value, setting);
  const forms = new Map<string, StoredForm>();
  const unfiltered = new Set<string>();
  for (const side of ["before", "after"] as const) {
    const done = await convertSide(setting, side, attributes.value, kept, unfiltered);
    if (!done.ok) return done;
    for (const [file, form] of done.value) forms.set(formKey(side, file), form);
  }
  return ok({ forms, unfiltered: [...unfiltered].sort() });
}

type Attributes = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface Setting extends StoredFormRequest {
  /** The project's path from the top of its repository; empty, or ends in `/`. */
  readonly prefix: string;
  readonly top: string;
  readonly autocrlf: string;
  readonly config: readonly GitSetting[];
}

async function settingOf(request: StoredFormRequest, { top, common, directory }: GitRepository): Promise<Setting> {
  const inside = path
    .relative(top, realPlace(request.root) ?? request.root)
    .split(path.sep)
    .join("/");
  const texts = [...new Set([path.join(common, "config"), path.join(directory, "config.worktree")])].map((file) =>
    readSmall(file, configBytes),
  );
  const config = texts.flatMap((text) => parseGitConfig(text?.toString() ?? "") ?? []);
  const autocrlf = valueIn(config, "core.autocrlf") ?? (await userSetting("core.autocrlf")) ?? "false";
  const info = readSmall(path.join(common, "info", "attributes"), mostAttributes);
  mkdirSync(path.join(request.directory, "info"), { recursive: true });
  writeFileSync(path.join(request.directory, "info", "attributes"), info ?? "");
  return { ...request, top, prefix: inside === "" ? "" : `${inside}/`, autocrlf: autocrlf.toLowerCase(), config };
}

/** The conversions of each file that has any. */
async function attributesOf(setting: Setting, files: readonly string[]): Promise<Result<Attributes>> {
  const tree = layOutAttributes(setting, "attributes", files);
  const input = Buffer.concat(files.flatMap((file) => [pathToBytes(setting.prefix + file), Buffer.from("\0")]));
  const answer = await git(setting, tree, ["check-attr", "-z", "--stdin", ...attributeNames], input);
  if (!answer.ok) return answer;
  const fields = splitNul(answer.value);
  const found = new Map<string, Map<string, string>>();
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [file = "", name = "", value = ""] = fields.slice(at, at + 3);
    if (value === "unspecified" || (value === "unset" && name !== "text" && name !== "crlf")) continue;
    const own = file.slice(setting.prefix.length);
    found.set(own, (found.get(own) ?? new Map()).set(name, value));
  }
  const converts = ["true", "input"].includes(setting.autocrlf);
  if (converts) for (const file of files) if (!found.has(file)) found.set(file, new Map());
  return ok(found);
}

/** The paths with `text=auto` whose line endings git keeps, because they are CRLF in the index. */
async function keptLineEnds({ root }: StoredFormRequest, attributes: Attributes, { autocrlf }: Setting): Promise<ReadonlySet<string>> {
  const isAuto = (values: ReadonlyMap<string, string>) =>
    values.get("text") === "auto" || (autocrlf !== "false" && !values.has("text") && !values.has("crlf") && !values.has("eol"));
  const candidates = [...attributes].filter(([, values]) => isAuto(values)).map(([file]) => file);
  const kept = new Set<string>();
  for (let at = 0; at < candidates.length; at += atOnce) {
    const pathspecs = candidates.slice(at, at + atOnce).map((file) => `:(literal)${file}`);
    const answer = await runGit(["ls-files", "--eol", "-z", "--", ...pathspecs], root);
    for (const line of answer.ok ? splitNul(answer.value.stdout) : []) {
      const [eol = "", file = ""] = line.split("\t", 2);
      if (/^i\/(?:crlf|mixed)\b/.test(eol)) kept.add(file);
    }
  }
  return kept;
}

/** The stored form of the files of one side, by path. */
async function convertSide(
  setting: Setting,
  side: Side,
  attributes: Attributes,
  kept: ReadonlySet<string>,
  unfiltered: Set<string>,
): Promise<Result<ReadonlyMap<string, StoredForm>>> {
  const entries = setting.changes.filter((entry) => isFile(entry[side]) && attributes.has(entry.path));
  const tree = layOutAttributes(setting, side, entries.map((entry) => entry.path)); // biome-ignore format: one thought
  const ordinary: { readonly file: string; readonly isText: boolean }[] = [];
  const found = new Map<string, StoredForm>();
  for (const { path: file, [side]: state } of entries) {
    const bytes = await setting.blobs.get((state as { readonly digest: Digest }).digest);
    if (!bytes.ok) return bytes;
    const values = attributes.get(file);
    const filtered = await filter(setting, values?.get("filter"), file, bytes.value);
    if (filtered === undefined) unfiltered.add(file);
    const content = filtered ?? bytes.value;
    const isText = values?.has("working-tree-encoding") === true || isUtf8(content);
    const name = setting.prefix + file;
    if (!kept.has(file) && !isAttributes(file)) {
      writeOver(tree, name, content);
      ordinary.push({ file, isText });
      continue;
    }
    // Its path contains an attributes file, or no conversion applies.
    const copy = path.join(setting.directory, "content");
    writeFileSync(copy, content);
    const oid = await git(setting, tree, ["hash-object", "-w", ...(kept.has(file) ? ["--no-filters"] : ["--path", name]), copy]);
    if (!oid.ok) return oid;
    found.set(file, { oid: oid.value.toString().trim(), isText });
  }
  if (ordinary.length === 0) return ok(found);
  const names = Buffer.from(ordinary.map(({ file }) => `${quoted(setting.prefix + file)}\n`).join(""));
  const hashed = await git(setting, tree, ["hash-object", "-w", "--stdin-paths"], names);
  if (!hashed.ok) return hashed;
  const oids = hashed.value.toString().split("\n");
  for (const [at, { file, isText }] of ordinary.entries()) found.set(file, { oid: oids[at] ?? "", isText });
  return ok(found);
}

/** The bytes after the filter's clean command; unchanged if the filter is not configured. Undefined if the filter did not run. */
async function filter(
  { config, clean }: Setting,
  name: string | undefined,
  file: string,
  bytes: Uint8Array,
): Promise<Uint8Array | undefined> {
  if (name === undefined || name === "set") return bytes;
  const setting = async (key: string) => valueIn(config, `filter.${name}.${key}`) ?? (await userSetting(`filter.${name}.${key}`));
  const command = (await setting("clean")) ?? "";
  const process = (await setting("process")) ?? "";
  if (/\bgit-lfs\b/.test(`${command} ${process}`)) return pointerOf(bytes);
  if (command === "") return process === "" ? bytes : undefined;
  return clean(command, file, bytes);
}

/** The pointer that LFS stores for a file (git-lfs, "docs/spec.md"). Empty files and pointers are stored unchanged. */
function pointerOf(bytes: Uint8Array): Uint8Array {
  const version = "version https://git-lfs.github.com/spec/v1\n";
  const isPointer = bytes.length < 1024 && Buffer.from(bytes).toString("latin1").startsWith(version);
  if (bytes.length === 0 || isPointer) return bytes;
  return Buffer.from(`${version}oid sha256:${createHash("sha256").update(bytes).digest("hex")}\nsize ${bytes.length}\n`);
}

/** A work tree that contains only the attributes files that may apply to `files`. */
function layOutAttributes({ directory, root, top, prefix }: Setting, name: string, files: readonly string[]): string {
  const tree = path.join(directory, `tree.${name}`);
  mkdirSync(tree);
  const take = (source: string, inner: string, target: string) => {
    const file = below(inner, attributesFile);
    const text =
      isReachable(source, inner) && lstatAt(source, file)?.isFile() === true ? readSmall(fsPath(source, file), mostAttributes) : undefined;
    if (text === undefined) return;
    mkdirSync(fsPath(tree, target), { recursive: true });
    writeFileSync(fsPath(tree, below(target, attributesFile)), text);
  };
  for (const above of prefix === "" ? [] : ["", ...parentsOf(prefix.slice(0, -1))]) take(top, above, above);
  const directories = new Set(["", ...files.flatMap(parentsOf)]);
  for (const inner of directories) take(root, inner, `${prefix}${inner}`.replace(/\/$/, ""));
  return tree;
}

/**
 * Whether a path and all its parents in a tree are directories. An attempt may have replaced a file or symlink by a
 * directory: git reads no attributes there, and a symlink may point outside the project.
 */
function isReachable(root: string, directory: string): boolean {
  return directory === "" || [directory, ...parentsOf(directory)].every((parent) => lstatAt(root, parent)?.isDirectory() === true);
}

/** Writes a file, replacing a directory that is in the way. */
function writeOver(tree: string, file: string, bytes: Uint8Array): void {
  const place = fsPath(tree, file);
  rmSync(place, { recursive: true, force: true });
  const parent = file.lastIndexOf("/");
  if (parent > 0) mkdirSync(fsPath(tree, file.slice(0, parent)), { recursive: true });
  writeFileSync(place, bytes);
}

async function git(
  { directory, autocrlf }: Setting,
  tree: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(),
): Promise<Result<Buffer>> {
  const always = [`--work-tree=${tree}`, "-C", tree, "-c", `core.autocrlf=${autocrlf}`, "-c", "core.safecrlf=false"];
  const answer = await runGitIn(directory, [...always, ...args], input);
  if (!answer.ok) return answer;
  if (answer.value.code === 0) return ok(answer.value.stdout);
  return patchFailed(`git ${args[0]}: ${answer.value.stderr.trim()}`);
}

export function patchFailed(detail: string): Result<never> {
  return workspaceFailed("EPATCH", `the changes cannot be written as a patch: ${detail}`);
}

/** Quotes a name for `--stdin-paths`: every byte in octal, except letters, digits and common punctuation. */
function quoted(file: string): string {
  const text = [...pathToBytes(file)].map((byte) => (/[\w./+-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : octal(byte)));
  return `"${text.join("")}"`;
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, "0")}`;
}

function splitNul(bytes: Buffer): readonly string[] {
  const fields: string[] = [];
  for (let from = 0, end = bytes.indexOf(0); end !== -1; from = end + 1, end = bytes.indexOf(0, from))
    fields.push(pathFromBytes(bytes.subarray(from, end)));
  return fields;
}

function valueIn(config: readonly GitSetting[], key: string): string | undefined {
  const setting = config.findLast((one) => one.key === key);
  return setting === undefined ? undefined : (setting.value ?? "true");
}

function isFile(state: FileState | undefined): boolean {
  return state?.mode === "100644" || state?.mode === "100755";
}

function isAttributes(file: string): boolean {
  return file === attributesFile || file.endsWith(`/${attributesFile}`);
}
