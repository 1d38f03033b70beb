/**
 * Reads project files from a commit, for the manifest of a pull request from a fork. Objects come from the host, never from the checkout, whose git
 * configuration the author of the pull request controls. Symbolic links and submodules do not count as files.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import type { CommitEntry, CommitObjects } from "../../core/commit.ts";
import type { Failure } from "../../core/failure.ts";
import type { FileRead, FileSource, TrustedFile, TrustedFiles } from "../../core/ports.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";
import { err, ok, type Result } from "../../core/result.ts";

export interface CommitSource {
  readonly source: FileSource;
  /** All files in the directory, to restore protected ones. */
  readonly files: TrustedFiles;
  /** The first failure of the host. Files read after it may be reported as unreadable or missing. */
  failure(): Failure | undefined;
}

/** The entries of a directory by name; undefined if the commit has no such directory. */
type Directory = ReadonlyMap<string, CommitEntry> | undefined;

/**
 * Opens a directory of a commit. `directory` is relative to the repository's root, with forward slashes; `""` is the root. Each file is read on
 * first use and cached. Fails with `usage` if `commit` is not a commit id, and with failures of the host.
 */
export async function openCommit(objects: CommitObjects, commit: string, directory: string): Promise<Result<CommitSource>> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return err({ reason: "usage", message: `\`${commit}\` is not a commit id` });
  const tree = commitTree(objects, commit);
  const preloaded = await tree.preload(normalizePath(`./${directory}`));
  if (!preloaded.ok) return preloaded;
  const blobs = new Map<string, Promise<Result<Uint8Array>>>();
  let failed: Failure | undefined;
  const readBlob = ({ id }: CommitEntry) => {
    const known = blobs.get(id) ?? objects.readBlob(id).then((read) => verified(read, id));
    blobs.set(id, known);
    return known;
  };
  const unreadable = (failure: Failure): FileRead => {
    failed ??= failure;
    return { kind: "unreadable", code: "EIO", detail: `commit ${commit.slice(0, 12)} could not be read` };
  };
  const source: FileSource = {
    async read(file, limit, scope = "project") {
      const place = placeOf(directory, file, scope);
      if (place === undefined) return { kind: "outside" };
      const found = await tree.find(place);
      if (!found.ok) return unreadable(found.error);
      const entry = found.value;
      if (entry === undefined) return { kind: "missing" };
      if (entry.kind !== "file") return { kind: "unreadable", code: "EINVAL", detail: notRegular(entry, commit) };
      if (entry.size > limit) return { kind: "too-large", size: entry.size, limit };
      const bytes = await readBlob(entry);
      return bytes.ok ? { kind: "bytes", bytes: bytes.value } : unreadable(bytes.error);
    },
    async list(wanted) {
      const place = placeOf(directory, `${wanted}/.`, "project");
      if (place === undefined) return [];
      const listed = await tree.directory(place);
      if (!listed.ok) {
        failed ??= listed.error;
        return [];
      }
      return [...(listed.value?.values() ?? [])]
        .filter(({ kind }) => kind === "file")
        .map((entry) => path.posix.basename(entry.path))
        .sort();
    },
  };
  return ok({ source, files: trustedFiles(tree, normalizePath(`./${directory}`), readBlob), failure: () => failed });
}

/** The path of a project file relative to the repository's root; undefined if it is outside the project or the repository. */
function placeOf(directory: string, file: string, scope: "project" | "anywhere"): string | undefined {
  if (scope === "project" && !staysInside(file)) return undefined;
  const place = path.posix.join(directory, file);
  return path.posix.isAbsolute(file) || !staysInside(place) ? undefined : normalizePath(place);
}

function trustedFiles(
  tree: ReturnType<typeof commitTree>,
  root: string,
  readBlob: (entry: CommitEntry) => Promise<Result<Uint8Array>>,
): TrustedFiles {
  const within = (place: string) => (root === "." ? place : place.slice(root.length + 1));
  return {
    async list(matches) {
      const found: TrustedFile[] = [];
      const open = [root];
      for (let place = open.pop(); place !== undefined; place = open.pop()) {
        const listed = await tree.directory(place);
        if (!listed.ok) return listed;
        for (const [name, { kind, id }] of listed.value ?? []) {
          const file = path.posix.join(place, name);
          if (kind === "directory") open.push(file);
          else if (kind !== "submodule" && matches(within(file))) found.push({ path: within(file), id });
        }
      }
      return ok(found.sort((a, b) => (a.path < b.path ? -1 : 1)));
    },
    async read(file) {
      const found = await tree.find(path.posix.join(root, file));
      if (!found.ok) return found;
      if (found.value === undefined)
        return err({ reason: "file-unreadable", path: file, code: "ENOENT", detail: "it does not exist in the commit" });
      const bytes = await readBlob(found.value);
      const { kind, executable } = found.value;
      const mode = kind === "link" ? "120000" : executable === true ? "100755" : "100644";
      return bytes.ok ? ok({ mode, bytes: bytes.value }) : bytes;
    },
  };
}

function notRegular({ kind }: CommitEntry, commit: string): string {
  const what = kind === "link" ? "a symbolic link" : kind === "directory" ? "a directory" : "a submodule";
  return `it is ${what} in commit ${commit.slice(0, 12)}`;
}

/** Verifies a blob by its id, which is the digest of its bytes. */
function verified(read: Result<Uint8Array>, id: string): Result<Uint8Array> {
  if (!read.ok) return read;
  const hash = createHash(id.length === 40 ? "sha1" : "sha256");
  if (hash.update(`blob ${read.value.length}\0`).update(read.value).digest("hex") === id) return read;
  return err({
    reason: "github-failed",
    doing: "read a file of a commit",
    detail: `the contents of blob ${id.slice(0, 12)} do not match its digest`,
  });
}

/** Directories of a commit, each read once. All directories below the preloaded one need one request in total, unless the host truncates it. */
function commitTree(objects: CommitObjects, commit: string) {
  const directories = new Map<string, Promise<Result<Directory>>>();
  const read = async (place: string): Promise<Result<Directory>> => {
    const id = place === "." ? ok(commit) : await idOf(place);
    if (!id.ok) return id;
    if (id.value === undefined) return ok(undefined);
    const listed = await objects.readTree(id.value, false);
    if (!listed.ok) return listed;
    // Without `recursive`, the host lists up to 100,000 entries.
    if (listed.value.truncated) return err(tooLarge(place));
    return ok(new Map(listed.value.entries.map((entry) => [entry.path, entry])));
  };
  const directory = (place: string): Promise<Result<Directory>> => {
    const known = directories.get(place) ?? read(place);
    directories.set(place, known);
    return known;
  };
  const find = async (place: string): Promise<Result<CommitEntry | undefined>> => {
    const above = await directory(path.posix.dirname(place));
    return above.ok ? ok(above.value?.get(path.posix.basename(place))) : above;
  };
  const idOf = async (place: string): Promise<Result<string | undefined>> => {
    const found = await find(place);
    return found.ok ? ok(found.value?.kind === "directory" ? found.value.id : undefined) : found;
  };
  return {
    directory,
    find,
    async preload(place: string): Promise<Result<void>> {
      const id = place === "." ? ok(commit) : await idOf(place);
      if (!id.ok) return id;
      if (id.value === undefined) return ok(undefined);
      const listed = await objects.readTree(id.value, true);
      if (!listed.ok) return listed;
      if (listed.value.truncated) return ok(undefined);
      for (const [name, entries] of byDirectory(listed.value.entries)) {
        directories.set(path.posix.join(place, name), Promise.resolve(ok(entries)));
      }
      return ok(undefined);
    },
  };
}

function byDirectory(entries: readonly CommitEntry[]): ReadonlyMap<string, Map<string, CommitEntry>> {
  const found = new Map<string, Map<string, CommitEntry>>([[".", new Map()]]);
  for (const entry of entries) {
    if (entry.kind === "directory") found.set(entry.path, found.get(entry.path) ?? new Map());
    const above = path.posix.dirname(entry.path);
    const siblings = found.get(above) ?? new Map<string, CommitEntry>();
    siblings.set(path.posix.basename(entry.path), entry);
    found.set(above, siblings);
  }
  return found;
}

function tooLarge(place: string): Failure {
  const detail = `the directory \`${place}\` has more entries than GitHub lists`;
  return { reason: "github-failed", doing: "read the files of a commit", detail };
}
