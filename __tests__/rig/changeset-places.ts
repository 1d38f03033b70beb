/** Places where an attempt edits a project: a copy, and overlays as root and in a user namespace. Edits are shell scripts. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { applyChangeset } from "../../src/changeset/apply-changes.ts";
import { type CollectedChanges, collectChanges } from "../../src/changeset/collect-changes.ts";
import { copyTree } from "../../src/changeset/copy-tree.ts";
import type { CopySource, OverlaySource } from "../../src/changeset/end-trees.ts";
import { layOut } from "../../src/changeset/lay-out.ts";
import type { ProjectStart } from "../../src/changeset/project-start.ts";
import { takeSnapshot } from "../../src/changeset/snapshot.ts";
import type { Changeset } from "../../src/core/changeset.ts";
import type { BlobStore, Redactor } from "../../src/core/ports.ts";
import { ok, type Result } from "../../src/core/result.ts";
import { createRedactor } from "../../src/redaction/redactor.ts";
import { pathFromBytes, pathToBytes } from "../../src/text/path-bytes.ts";
import { memoryBlobs } from "./memory-blobs.ts";
import { removeDirectory } from "./remove-directory.ts";

/** What every attempt of these tests leaves out. */
export const isState = (file: string) => file === ".wave/state" || file.startsWith(".wave/state/");

export interface Attempt {
  /** Runs a script in the tree; it fails the test when it fails. */
  edit(script: string): void;
  collect(options?: CollectOptions): Promise<Result<CollectedChanges>>;
  /** A plain copy of the tree as the attempt left it. */
  dump(): string;
}

export interface CollectOptions {
  readonly include?: readonly string[];
  readonly redactor?: Redactor;
  readonly limits?: { readonly fileBytes: number };
}

export interface Opening {
  readonly root: string;
  readonly start?: Changeset;
  readonly blobs?: BlobStore;
  /** Files that the attempt does not see. */
  readonly hidden?: readonly string[];
  /** The project before the attempt, if it is edited meanwhile. */
  readonly project?: ProjectStart;
}

export interface Place {
  readonly name: string;
  open(opening: Opening): Promise<Attempt>;
}

const scratched: string[] = [];
afterAll(removeScratch, 120_000);

/** Removes every directory that `scratch` returned so far, for tests that use up many. */
export function removeScratch(): void {
  for (const directory of scratched.splice(0)) removeDirectory(directory);
}

/** A directory that is gone after the tests. */
export function scratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-changes-"));
  scratched.push(directory);
  chmodSync(directory, 0o755);
  return directory;
}

export function must<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function collecting(opening: Opening, source: CopySource | OverlaySource) {
  const { root, start = [], blobs = memoryBlobs(), hidden, project } = opening;
  return ({ redactor = createRedactor([]), include = [], ...options }: CollectOptions = {}) =>
    collectChanges({
      ...{ root, start, source, blobs, redactor, isExcluded: isState, ignored: { include }, ...options },
      ...(project === undefined ? {} : { project }),
      ...(hidden === undefined ? {} : { hidden: (file: string) => hidden.includes(file) }),
    });
}

export const copyPlace: Place = {
  name: "copy",
  async open(opening) {
    const directory = scratch();
    must(await copyTree({ root: opening.root, directory, isExcluded: isState }));
    if (opening.start !== undefined)
      must(await applyChangeset({ root: directory, changes: opening.start, blobs: opening.blobs ?? memoryBlobs() }));
    for (const file of opening.hidden ?? []) rmSync(path.join(directory, file));
    const snapshot = must(await takeSnapshot(directory));
    return {
      edit: (script) => void execFileSync("bash", ["-euc", script], { cwd: directory }),
      collect: collecting(opening, { kind: "copy", directory, snapshot }),
      dump: () => directory,
    };
  },
};

function overlayPlace(name: string, unshare: readonly string[], options: string): Place {
  return {
    name,
    async open(opening) {
      const place = scratch();
      for (const layer of ["upper", "work", "merged", "start", "hide"]) mkdirSync(path.join(place, layer));
      const { removed } = must(
        await layOut({
          directory: path.join(place, "start"),
          root: opening.root,
          changes: opening.start ?? [],
          blobs: opening.blobs ?? memoryBlobs(),
        }),
      );
      for (const [layer, files] of [
        ["start", removed],
        ["hide", opening.hidden ?? []],
      ] as const) {
        for (const file of files)
          execFileSync("bash", ["-euc", 'mkdir -p "$(dirname "$0")"; mknod "$0" c 0 0', file], { cwd: path.join(place, layer) });
      }
      const mount = `mount -t overlay overlay -o ${options}lowerdir=${place}/hide:${place}/start:${opening.root},upperdir=${place}/upper,workdir=${place}/work ${place}/merged`;
      const inside = (script: string) => execFileSync("unshare", [...unshare, "bash", "-euc", `${mount}\ncd ${place}/merged\n${script}`]);
      const source: OverlaySource = {
        kind: "overlay",
        upper: path.join(place, "upper"),
        async listMerged(directories) {
          writeFileSync(
            path.join(place, "asked"),
            Buffer.concat(directories.flatMap((one) => [Buffer.from("./"), pathToBytes(one), Buffer.from("\0")])),
          );
          inside(`xargs -0 -a ${place}/asked -I{} find {} -mindepth 1 -maxdepth 1 -printf '%H\\0%f\\0' > ${place}/listed`);
          const listed = new Map<string, string[]>(directories.map((one) => [one, []]));
          const fields = split(readFileSync(path.join(place, "listed")));
          for (let at = 0; at + 1 < fields.length; at += 2) listed.get(fields[at]?.slice(2) ?? "")?.push(fields[at + 1] ?? "");
          return ok(listed);
        },
      };
      return {
        edit: (script) => void inside(script),
        collect: collecting(opening, source),
        dump() {
          const directory = scratch();
          inside(`cp -a . ${directory}`);
          return directory;
        },
      };
    },
  };
}

function split(bytes: Buffer): string[] {
  const fields: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    fields.push(pathFromBytes(bytes.subarray(from, end)));
    from = end + 1;
  }
  return fields;
}

const mounting =
  "d=$(mktemp -d); cd $d; mkdir l u w m; mount -t overlay overlay -o $0lowerdir=l,upperdir=u,workdir=w m; umount m; cd /; rm -r $d";
const canMount = (unshare: readonly string[], options: string) =>
  process.platform === "linux" &&
  process.geteuid?.() === 0 &&
  spawnSync("unshare", [...unshare, "sh", "-euc", mounting, options]).status === 0;

const asRoot = ["-m"];
const asUser = ["-Urm"];

/** The places that this machine has: a copy everywhere, overlays where they can be mounted. */
export const places: readonly Place[] = [
  copyPlace,
  ...(canMount(asRoot, "redirect_dir=off,metacopy=off,") ? [overlayPlace("overlay", asRoot, "redirect_dir=off,metacopy=off,")] : []),
  ...(canMount(asUser, "userxattr,") ? [overlayPlace("overlay in a user namespace", asUser, "userxattr,")] : []),
];
