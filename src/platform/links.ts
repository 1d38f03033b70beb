/** Resolves paths with symbolic links. */
import { lstatSync, readlinkSync } from "node:fs";
import path from "node:path";
import { realPlace } from "./files.ts";
import { isInside } from "./paths.ts";

/**
 * Whether a symbolic link in the parents of `place`, which is textually inside `root`, leads out of `root` or is broken. `place` itself
 * may be a link. Parents that do not exist yet are fine.
 */
export function leadsOut(root: string, place: string): boolean {
  const real = realPlace(root) ?? root;
  for (let parent = path.dirname(place); isInside(root, parent); parent = path.dirname(parent)) {
    const target = realPlace(parent);
    if (target !== undefined) return !isInside(real, target);
    if (exists(parent)) return true;
  }
  return false;
}

/** A symbolic link: its path, and its target as written. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** The most links that the kernel follows in one path (path_resolution(7)). */
const mostLinks = 40;

/** The symbolic links that the kernel follows to resolve an absolute path, in order, up to the first missing part. */
export function linksOnWay(place: string): readonly Link[] {
  const links: Link[] = [];
  let rest = place.split(path.sep).filter((part) => part !== "");
  let at: string = path.sep;
  while (rest.length > 0) {
    const [part = "", ...others] = rest;
    const next = path.join(at, part);
    const to = linkTarget(next);
    if (to === undefined) [at, rest] = [next, others];
    else {
      links.push({ from: next, to });
      if (links.length > mostLinks) break;
      rest = [...to.split(path.sep).filter((name) => name !== ""), ...others];
      if (path.isAbsolute(to)) at = path.sep;
    }
  }
  return links;
}

function linkTarget(place: string): string | undefined {
  try {
    return readlinkSync(place);
  } catch {
    return undefined;
  }
}

function exists(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false }) !== undefined;
}
