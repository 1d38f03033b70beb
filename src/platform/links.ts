/** Places that are reached through symbolic links. */
import { lstatSync } from "node:fs";
import path from "node:path";
import { realPlace } from "./files.ts";
import { isInside } from "./paths.ts";

/**
 * Whether a link on the way to `place`, which is textually inside `root`, leads out of `root` or nowhere. `place` itself may be a link. Parts that do
 * not exist yet lead nowhere else.
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

function exists(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false }) !== undefined;
}
