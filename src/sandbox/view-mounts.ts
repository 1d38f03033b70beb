/**
 * Orders the mounts of a view: the project's tree, layers, binds over them, masks, and directories that are pinned. Pure:
 * returns lines for `mount`; `view-script.ts` turns them into a script.
 */

import path from "node:path";
import { isInside } from "../platform/paths.ts";
import { type MountLine, notRedirecting, overlayLines, readOnlyBind, redirecting, writableBind } from "./mount-lines.ts";
import type { SandboxView, Tree } from "./view.ts";

/** A directory of the machine that the setup uses to assemble a view. */
export const stagingDirectory = "/sys";

/** The tree and everything mounted over it, after `covers`, in mount order. */
export function treeAndBinds(
  view: SandboxView,
  root: string,
  overlayOptions: string,
  covers: readonly MountLine[] = [],
): readonly MountLine[] {
  const { project, tree, binds, layered = [] } = view;
  // In the open view the tree covers the machine's own project, including attempt files kept there. `aside` keeps these
  // reachable.
  const isCovered = (source: string) => root === "" && isUnder(project, source);
  const aside: MountLine = {
    what: project,
    where: `${stagingDirectory}/p`,
    inStaging: true,
    type: "none",
    options: "rbind",
    optional: false,
  };
  const reached = (source: string) => (isCovered(source) ? `${aside.where}${source.slice(project.length)}` : source);
  const bound = (source: string, target: string) => ({ what: reached(source), where: `${root}${target}` });
  // The open view shows devices as the machine does.
  const ownBind = root === "" ? "bind" : writableBind;
  const bindings = binds.map(({ source, target, writable, isFile }): MountLine => {
    const options = writable ? ownBind : readOnlyBind;
    const inTree = root === "" || isUnder(project, target);
    const made = inTree ? undefined : isFile === true ? path.posix.dirname(target) : target;
    return { ...bound(source, target), type: "none", options, made, optional: false };
  });
  // A layered directory around the project hides the project's tree and the layers inside it.
  const isHiddenHere = root === "" && layered.some(({ base }) => isUnder(base, project));
  const linesOf = (one: Tree, where: string, options: string, prefix?: string) =>
    treeLines(
      isHiddenHere ? movedTree(one, (place) => (place === project ? aside.where : reached(place))) : one,
      `${root}${where}`,
      root === "" ? undefined : where,
      options,
      prefix,
    );
  const own = linesOf(tree, project, overlayOptions);
  // Masks have fixed paths: if git's directory were renamed, a later view would show its configuration.
  const ofLayers = overlayOptions.replace(redirecting, notRedirecting);
  const layers = layered.map((one, index) => ({ where: `${root}${one.base}`, lines: linesOf(one, one.base, ofLayers, `g${index}.`) }));
  const sorted = [...bindings].sort((a, b) => depth(a.where) - depth(b.where));
  const inTree = (line: MountLine) => isUnder(project, line.where.slice(root.length));
  const covering: readonly MountLine[] =
    view.hidden === undefined
      ? []
      : [{ ...bound(view.hidden.instead, view.hidden.place), type: "none", options: readOnlyBind, optional: false }];
  const first = isHiddenHere || binds.some(({ source }) => isCovered(source)) ? [aside] : [];
  return [
    ...first,
    ...withPlaces([...covers, ...withLayers(layers, sorted.filter((line) => !inTree(line))), ...own]), // biome-ignore format: one thought
    ...pinned(view, root, overlayOptions),
    ...frozenLines(view, root),
    ...covering,
    ...maskLines(view, root),
    ...sorted.filter(inTree),
  ];
}

function frozenLines({ readOnly }: SandboxView, root: string): readonly MountLine[] {
  const places = readOnly.map((target) => `${root}${target}`);
  return places.map((where) => ({ what: where, where, type: "none", options: readOnlyBind, optional: true }));
}

/** The masks, and mount points inside them. */
function maskLines({ masks, binds }: SandboxView, root: string): readonly MountLine[] {
  const inside = masks.flatMap((mask) => placesIn(mask, binds, root));
  const masked = masks.map((target): MountLine => {
    const options = placesIn(target, binds, root).length > 0 ? "" : ",ro";
    return { what: "wave", where: `${root}${target}`, type: "mask", options, optional: true };
  });
  return [...masked, ...inside];
}

interface LayerLines {
  readonly where: string;
  readonly lines: readonly MountLine[];
}

/** Layered directories cover the repository around the project; binds inside them, such as configurations, cover the layers. */
function withLayers(layers: readonly LayerLines[], lines: readonly MountLine[]): readonly MountLine[] {
  const isInLayer = ({ where }: MountLine) => layers.some((layer) => isUnder(layer.where, where));
  return [...lines.filter((line) => !isInLayer(line)), ...layers.flatMap((layer) => layer.lines), ...lines.filter(isInLayer)];
}

function movedTree(tree: Tree, moved: (place: string) => string): Tree {
  if (tree.kind === "directory") return { ...tree, source: moved(tree.source) };
  const layers = tree.layers.map(({ upper, work }) => ({ upper: moved(upper), work: moved(work) }));
  return { ...tree, base: moved(tree.base), layers };
}

/**
 * Mounts directories around hidden or replaced paths on themselves. A mount point cannot be renamed or removed in its
 * namespace (EBUSY). Without this a child could move a hidden path out of its mask: on the machine, in a tree mounted
 * directly; for later views, whose masks have fixed paths, in an overlay with redirects.
 *
 * In an overlay these are the parents of the state directory and the directories that contain masks or replaced files,
 * which are repositories. Their parents are not pinned, because files cannot be renamed across mount points:
 * `completeRenames` checks them.
 */
function pinned(view: SandboxView, root: string, overlayOptions: string): readonly MountLine[] {
  const { project, tree, masks, hidden } = view;
  const pin = (place: string, optional: boolean) => ({ place, optional });
  const around = (place: string) => parentsBetween(project, place);
  let pins: readonly { readonly place: string; readonly optional: boolean }[] = [];
  if (tree.kind === "overlay") {
    if (!overlayOptions.includes(redirecting)) return [];
    const state = hidden === undefined ? [] : around(hidden.place);
    pins = [
      ...state.map((place) => pin(place, false)),
      ...(root === "" ? [] : maskedDirectories(view).filter((place) => !state.includes(place))).map((place) => pin(place, true)),
    ];
  } else if (root !== "" && tree.source === project) {
    // A copy does not contain state.
    pins = [...new Set(masks.flatMap(around))].map((place) => pin(place, true));
  }
  const options = root === "" ? "bind" : writableBind;
  return [...pins]
    .sort((a, b) => depth(a.place) - depth(b.place))
    .map(({ place, optional }) => ({ what: `${root}${place}`, where: `${root}${place}`, type: "none", options, optional }));
}

/** The directories in the project that contain a mask or a replaced file, except those inside a mask or in state. */
function maskedDirectories({ project, binds, masks, hidden }: SandboxView): readonly string[] {
  const covers = [...masks, ...(hidden === undefined ? [] : [hidden.place])];
  const files = binds.flatMap(({ target, isFile }) => (isFile === true ? [target] : []));
  const directories = [...masks, ...files].map((place) => path.posix.dirname(place));
  return [...new Set(directories)].filter(
    (directory) => isUnder(project, directory) && !covers.some((cover) => isInside(cover, directory)),
  );
}

function parentsBetween(project: string, mask: string): readonly string[] {
  const parents: string[] = [];
  for (let at = path.posix.dirname(mask); isUnder(project, at); at = path.posix.dirname(at)) parents.push(at);
  return parents;
}

/** Mount points inside a mask, which hides the originals. */
function placesIn(mask: string, binds: SandboxView["binds"], root: string): readonly MountLine[] {
  return binds
    .filter(({ target }) => isUnder(mask, target))
    .map(({ target, isFile }) => ({
      what: "",
      where: `${root}${target}`,
      type: isFile === true ? "file" : "place",
      options: "",
      optional: true,
    }));
}

/** Recreates mount points that an earlier mount hides. */
function withPlaces(lines: readonly MountLine[]): readonly MountLine[] {
  return lines.flatMap((line, index) => {
    const covered = line.where !== "" && lines.slice(0, index).some((above) => above.where !== "" && isUnder(above.where, line.where));
    return covered && line.inStaging !== true ? placed(line) : [line];
  });
}

/** `made` is undefined for the open view. */
function treeLines(tree: Tree, where: string, made: string | undefined, overlayOptions: string, prefix?: string): readonly MountLine[] {
  if (tree.kind === "directory") {
    const options = made === undefined ? "bind" : writableBind;
    return tree.source === where ? [] : [{ what: tree.source, where, type: "none", options, made, optional: false }];
  }
  const options = [overlayOptions, ...(made === undefined ? [] : ["nosuid,nodev"])].filter((part) => part !== "").join(",");
  return overlayLines(tree, stagingDirectory, options, prefix).map((line) => (line.where === "" ? { ...line, where, made } : line));
}

/** A line and its mount point, which an earlier mount hides. */
export function placed(line: MountLine): readonly MountLine[] {
  return [{ ...line, what: "", type: "place", optional: true }, line];
}

/** Whether a mount point is below a directory. False for the directory itself. */
export function isUnder(directory: string, target: string): boolean {
  return target !== directory && isInside(directory, target);
}

function depth(place: string): number {
  return path.posix.normalize(place).split("/").length;
}
