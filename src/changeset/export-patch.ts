/**
 * Writes a changeset as a patch for `git apply`. Git itself writes it, from two trees in a temporary repository, with
 * files in the form that git stores (`stored-form.ts`). Content that is not UTF-8 is encoded in base 85, so that the patch
 * is text. Empty directories, which a patch cannot contain, are listed before the first file.
 */
import { isUtf8 } from "node:buffer";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { runGitIn } from "../platform/git.ts";
import { layOutGitDirectory } from "../platform/git-shadow.ts";
import { pathToBytes } from "../text/path-bytes.ts";
import { shown } from "./disk.ts";
import { removeTree } from "./remove-tree.ts";
import { formKey, patchFailed, type StoredForm, type StoredFormRequest, type StoredForms, storedForms } from "./stored-form.ts";

/** The blobs of the changes in the repository, by digest. */
type Objects = ReadonlyMap<Digest, StoredForm>;

type FormOf = (entry: ChangesetEntry, side: "before" | "after") => StoredForm | undefined;

/** Independent of the machine and of the user's settings. */
const diffOptions = [
  ...["-r", "-p", "--binary", "--full-index", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv"],
  ...["--src-prefix=a/", "--dst-prefix=b/"],
];
const settings = ["-c", "core.quotePath=true", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false"];

export interface PatchRequest {
  readonly changes: Changeset;
  readonly blobs: BlobStore;
  /** The project whose attributes convert files. If undefined, the patch contains files with their bytes on disk. */
  readonly project?: Pick<StoredFormRequest, "root" | "clean">;
}

export interface Patch {
  /** Empty if nothing changed. */
  readonly text: string;
  /** Files in the patch with their bytes on disk, because their filter did not run. */
  readonly unfiltered: readonly string[];
}

/**
 * Writes the patch. Fails like the store, with `spawn-failed` without git, and with `workspace-failed`. One kind of patch
 * is refused by `git apply`: files that replace a symlink to itself.
 */
export async function exportPatch({ changes, blobs, project }: PatchRequest): Promise<Result<Patch>> {
  if (changes.length === 0) return ok({ text: "", unfiltered: [] });
  let directory: string;
  try {
    directory = mkdtempSync(path.join(tmpdir(), "wave-patch-"));
  } catch (error) {
    return patchFailed(describeIoError(error).detail);
  }
  try {
    return await patchFrom(directory, { changes, blobs, ...defined({ project }) });
  } finally {
    await removeTree(directory);
  }
}

async function patchFrom(directory: string, { changes, blobs, project }: PatchRequest): Promise<Result<Patch>> {
  const converted = await prepare(directory, { changes, blobs, ...defined({ project }) });
  if (!converted.ok) return converted;
  const { forms, unfiltered } = converted.value;
  const objects = await storeObjects(directory, changes, blobs);
  if (!objects.ok) return objects;
  const formOf = (entry: ChangesetEntry, side: "before" | "after") => {
    const digest = digestOf(entry[side]);
    return digest === undefined ? undefined : (forms.get(formKey(side, entry.path)) ?? objects.value.get(digest));
  };
  const isText = (entry: ChangesetEntry) =>
    (["before", "after"] as const).every((side) => digestOf(entry[side]) === undefined || formOf(entry, side)?.isText === true);
  let patch = emptyDirectories(changes);
  for (const [part, attributes] of [
    [changes.filter(isText), "* !diff !text\n"],
    [changes.filter((one) => !isText(one)), "* -diff\n"],
  ] as const) {
    const trees: string[] = [];
    for (const side of ["before", "after"] as const) {
      const tree = await treeOf(directory, part, side, formOf);
      if (!tree.ok) return tree;
      trees.push(tree.value);
    }
    // This file overrides all other attributes.
    mkdirSync(path.join(directory, "info"), { recursive: true });
    writeFileSync(path.join(directory, "info", "attributes"), attributes);
    const diff = await git(directory, ["diff-tree", ...diffOptions, ...trees]);
    if (!diff.ok) return diff;
    patch += diff.value.toString();
  }
  return ok({ text: patch, unfiltered: unfiltered.map(shown) });
}

/** Creates the repository, and converts the files to which attributes apply. */
async function prepare(directory: string, { changes, blobs, project }: PatchRequest): Promise<Result<StoredForms>> {
  try {
    layOutGitDirectory(directory);
    return project === undefined ? ok({ forms: new Map(), unfiltered: [] }) : await storedForms({ ...project, directory, changes, blobs });
  } catch (error) {
    return patchFailed(describeIoError(error).detail);
  }
}

/** Stores the unconverted contents of both sides in the repository. */
async function storeObjects(directory: string, changes: Changeset, blobs: BlobStore): Promise<Result<Objects>> {
  const digests = [...new Set(changes.flatMap(({ before, after }) => [digestOf(before), digestOf(after)]))].filter(
    (digest) => digest !== undefined,
  );
  const texts: boolean[] = [];
  for (const [at, digest] of digests.entries()) {
    const bytes = await blobs.get(digest);
    if (!bytes.ok) return bytes;
    texts.push(isUtf8(bytes.value));
    try {
      if (at === 0) mkdirSync(path.join(directory, "contents"));
      writeFileSync(path.join(directory, "contents", String(at)), bytes.value);
    } catch (error) {
      return patchFailed(describeIoError(error).detail);
    }
  }
  if (digests.length === 0) return ok(new Map());
  const names = digests.map((_, at) => `contents/${at}\n`).join("");
  const hashed = await git(directory, ["hash-object", "-w", "--no-filters", "--stdin-paths"], Buffer.from(names));
  if (!hashed.ok) return hashed;
  const oids = hashed.value.toString().split("\n");
  return ok(new Map(digests.map((digest, at) => [digest, { oid: oids[at] ?? "", isText: texts[at] === true }])));
}

async function treeOf(directory: string, part: Changeset, side: "before" | "after", formOf: FormOf): Promise<Result<string>> {
  const lines = part.flatMap((entry) => {
    const state = entry[side];
    const object = formOf(entry, side);
    if (state === undefined || object === undefined) return [];
    return [Buffer.from(`${state.mode} ${object.oid}\t`), pathToBytes(entry.path), Buffer.from("\0")];
  });
  for (const [args, input] of [
    [["read-tree", "--empty"], Buffer.alloc(0)],
    [["update-index", "-z", "--index-info"], Buffer.concat(lines)],
  ] as const) {
    const done = await git(directory, args, input);
    if (!done.ok) return done;
  }
  const tree = await git(directory, ["write-tree"]);
  return tree.ok ? ok(tree.value.toString().trim()) : tree;
}

async function git(directory: string, args: readonly string[], input: Uint8Array = new Uint8Array()): Promise<Result<Buffer>> {
  const answer = await runGitIn(directory, [...settings, ...args], input);
  if (!answer.ok) return answer;
  return answer.value.code === 0 ? ok(answer.value.stdout) : patchFailed(`git ${args[0]}: ${answer.value.stderr.trim()}`);
}

function emptyDirectories(changes: Changeset): string {
  const lines = changes.flatMap(({ path: name, before, after }) => [
    ...(before?.mode === "040000" && after === undefined ? [`# removed empty directory: ${JSON.stringify(shown(name))}\n`] : []),
    ...(after?.mode === "040000" ? [`# empty directory: ${JSON.stringify(shown(name))}\n`] : []),
  ]);
  return lines.join("");
}

function digestOf(state: FileState | undefined): Digest | undefined {
  return state !== undefined && "digest" in state ? state.digest : undefined;
}
