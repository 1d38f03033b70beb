/**
 * Lets an attempt write to git directories outside the project: to overlay layers of its own, or to copies if this machine
 * cannot mount overlays. No reference, index or object of an attempt reaches the repository or becomes part of a
 * changeset.
 */
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { copyGitDirectories } from "../changeset/copy-repository.ts";
import { gitConfigFiles } from "../changeset/git-config.ts";
import { ok, type Result } from "../core/result.ts";
import { alternatesOf } from "../platform/git-alternates.ts";
import type { Isolation } from "./isolation.ts";
import type { Bind, OverlayLayer, OverlayTree } from "./view.ts";

/** Mounts for the views of one attempt, in place of git directories outside the project. */
export interface GitLayers {
  readonly layered: readonly OverlayTree[];
  readonly binds: readonly Bind[];
  /** Directories that grow when the attempt writes. */
  readonly written: readonly string[];
  /** The layers for a contract's command: it sees the attempt's layers and writes to new ones below `directory`. */
  forContract(directory: string): readonly OverlayTree[];
}

/** For an attempt without git directories outside its tree. */
export const noLayers: GitLayers = { layered: [], binds: [], written: [], forContract: () => [] };

/** `directory` belongs to the attempt; `places` are absolute. Fails like copying files. Throws file system errors. */
export async function openGitLayers(isolation: Isolation, directory: string, places: readonly string[]): Promise<Result<GitLayers>> {
  const overlaid = places.filter((place) => canLayer(isolation, place));
  const layered = overlaid.map((base, index): OverlayTree => {
    return { kind: "overlay", base, layers: [layerAt(path.join(directory, `git.${index}`))] };
  });
  const copies: Bind[] = [];
  const written = layered.flatMap(({ layers }) => layers.map(({ upper }) => upper));
  for (const place of places.filter((one) => !overlaid.includes(one))) {
    const copy = path.join(directory, `git-copy.${copies.length}`);
    const copied = await copyGitDirectories(place, copy);
    if (!copied.ok) return copied;
    written.push(copy);
    copies.push({ source: copy, target: place, writable: true });
  }
  const lent = copies.flatMap((copy, index) => lentObjects(copy, directory, `git.${index}`));
  return ok({
    layered,
    binds: [...copies, ...lent],
    written,
    forContract: (own) =>
      layered.map(({ base, layers }, index) => ({
        kind: "overlay",
        base,
        layers: [...layers, layerAt(path.join(own, `git.${index}`))],
      })),
  });
}

/** In a user namespace, an overlay cannot copy up files whose owners are not mapped there. */
function canLayer({ mode, overlay, identity }: Isolation, place: string): boolean {
  return overlay && (mode !== "user-namespace" || lstatSync(place).uid === identity.uid);
}

function layerAt(directory: string): OverlayLayer {
  const layer = { upper: path.join(directory, "upper"), work: path.join(directory, "work") };
  for (const part of [layer.upper, layer.work]) mkdirSync(part, { recursive: true });
  return layer;
}

/** A copy mounted over `target` borrows the objects of the original, which is mounted at a path of its own. */
function lentObjects({ source: copy, target }: Bind, scratch: string, name: string): readonly Bind[] {
  return gitConfigFiles(copy).flatMap((config, index) => {
    const repository = path.dirname(config);
    const objects = path.join(target, repository, "objects");
    const alternates = path.join(copy, repository, "objects", "info", "alternates");
    if (path.basename(config) !== "config" || lstatSync(alternates, { throwIfNoEntry: false }) === undefined) return [];
    return lend({ objects, alternates, scratch, name: `${name}.${index}` });
  });
}

interface Lending {
  /** The object directory that the copied repository borrows from. */
  readonly objects: string;
  /** The copied repository's `alternates` file, which is rewritten. */
  readonly alternates: string;
  /** The attempt's own directory. */
  readonly scratch: string;
  /** Part of the names of the mount points, unique in the attempt. */
  readonly name: string;
}

/**
 * Rewrites a copied repository's list of alternates for a sandbox and returns the binds that it needs. Every directory of
 * the chain gets its own line; the lists along the chain are shown empty.
 */
export function lend({ objects, alternates, scratch, name }: Lending): readonly Bind[] {
  const sources = [objects, ...alternatesOf(objects).map(({ source }) => source)];
  const empty = path.join(scratch, "no-alternates");
  writeFileSync(empty, "");
  const places = sources.map((source, index) => ({ source, target: `/wave/objects.${name}.${index}` }));
  writeFileSync(alternates, places.map(({ target }) => `${target}\n`).join(""));
  return places.flatMap(({ source, target }): readonly Bind[] => {
    const list = "info/alternates";
    const chained = lstatSync(path.join(source, list), { throwIfNoEntry: false })?.isFile() === true;
    return [
      { source, target, writable: false },
      ...(chained ? [{ source: empty, target: `${target}/${list}`, writable: false, isFile: true }] : []),
    ];
  });
}
