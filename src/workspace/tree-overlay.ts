/**
 * Provides the project's tree under an overlay. The attempt's writes go to a separate directory (`upper`), from which its
 * changes are collected. `upper` initially contains the changes of earlier steps and what hides files that the step may not read; changes
 * are relative to that start. Overlays are mounted only inside a child's view, never on the machine itself.
 */
import { lstatSync, mkdirSync, unlinkSync } from "node:fs";
import path from "node:path";
import { collectChanges } from "../changeset/collect-changes.ts";
import { layOut } from "../changeset/lay-out.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { capture, noLimitMs } from "../platform/capture.ts";
import { relativeInside } from "../platform/paths.ts";
import { completeRenames } from "../sandbox/complete-renames.ts";
import { hideInTree, listInView, listMerged, readInView, treeView } from "../sandbox/inspect.ts";
import { firstNonDirectoryParent } from "../sandbox/path-safety.ts";
import type { OverlayLayer, Tree } from "../sandbox/view.ts";
import { refusedPath } from "../sandbox/write-area.ts";
import { writeIntoView } from "../sandbox/write-into-view.ts";
import { type AttemptTree, changesetStart, type TreeRequest, type TreeSetting } from "./attempt-tree.ts";

/** Prepares the layer. Fails with `workspace-failed`, and like reading blobs. */
export async function overlaidTree(setting: TreeSetting, request: TreeRequest): Promise<Result<AttemptTree>> {
  const { root, stateDir, stateRoot = stateDir, isolation, blobs, redactor, isExcluded, isKnownToGit } = setting;
  const { start, dirs, reads, hidden } = request;
  const layer = layerIn(dirs.directory);
  const tree: Tree = { kind: "overlay", base: root, layers: [layer] };
  const laid = await layOut({ directory: layer.upper, root, changes: start, blobs });
  if (!laid.ok) return laid;
  const gone = [...laid.value.removed, ...hidden];
  const prepared = gone.length === 0 ? ok(undefined) : await hideInTree(isolation, root, tree, gone);
  if (!prepared.ok) return prepared;
  const view = treeView(root, tree, [stateRoot]);
  const whole = treeView(root, tree);
  let trees = 0;
  let completed: Promise<Result<void>> | undefined;
  const complete = () => {
    completed ??= completeRenames({ isolation, project: root, tree, layer, masked: visible(request, root) });
    return completed;
  };
  return ok({
    place: root,
    written: { directory: layer.upper, bytes: 0 },
    tree,
    async forContract(restore) {
      const renames = await complete();
      if (!renames.ok) return renames;
      const directory = path.join(dirs.directory, `contract-tree.${++trees}`);
      const contractTree = await treeForContract(setting, request, layer, directory);
      if (!contractTree.ok || restore === undefined) return contractTree;
      const draft = path.join(directory, "draft");
      const restored = await writeIntoView({ isolation, project: root, tree: contractTree.value.tree, draft }, restore);
      if (restored.ok) return contractTree;
      await contractTree.value.release();
      return restored;
    },
    read: (file, limit) => readInView(isolation, view, file, limit),
    list: (glob) => listInView(isolation, view, glob, isExcluded),
    write: async (entries) =>
      refusedPath(entries, isExcluded) ??
      writeIntoView({ isolation, project: root, tree, draft: path.join(dirs.directory, "draft") }, entries),
    async changeset() {
      const renames = await complete();
      if (!renames.ok) return renames;
      return collectChanges({
        ...changesetStart(request, isKnownToGit),
        root,
        isExcluded: (file: string) => isExcluded(file) || request.isRepository(file),
        blobs,
        redactor,
        ...(reads === undefined ? {} : { hidden: (file: string) => !reads(file) }),
        source: { kind: "overlay", upper: layer.upper, listMerged: (directories) => listMerged(isolation, whole, directories) },
      });
    },
  });
}

/** The masked paths in the project that are visible to the step otherwise. Relative. */
function visible({ hidden, masked }: TreeRequest, root: string): () => Promise<readonly string[]> {
  return async () =>
    ((await masked?.()) ?? [])
      .flatMap((place) => relativeInside(root, place) ?? [])
      .filter((place) => !hidden.some((other) => place === other || place.startsWith(`${other}/`)));
}

/**
 * The attempt's tree below a temporary layer. If files were hidden from the step, its layer is copied without what hid
 * them, because contracts read everything.
 */
async function treeForContract(
  { root }: TreeSetting,
  { hidden }: TreeRequest,
  layer: OverlayLayer,
  directory: string,
): Promise<Result<{ readonly tree: Tree; release(): Promise<void> }>> {
  mkdirSync(directory);
  const own = layerIn(directory);
  const release = async () => void (await removeTree(directory));
  if (hidden.length === 0) return ok({ tree: { kind: "overlay", base: root, layers: [layer, own] }, release });
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C" };
  const copied = await capture({
    command: ["cp", "-a", "--reflink=auto", "--", `${layer.upper}/.`, own.upper],
    env,
    cwd: "/",
    limitMs: noLimitMs,
  });
  if (!copied.ok) return copied;
  if (copied.value.code !== 0)
    return workspaceFailed("EIO", `cannot copy the attempt's layer: ${copied.value.stderr.trim().split("\n")[0]}`);
  for (const file of hidden) {
    if (firstNonDirectoryParent(own.upper, file) !== undefined) continue;
    const whiteout = path.join(own.upper, file);
    if (lstatSync(whiteout, { throwIfNoEntry: false })?.isCharacterDevice() === true) unlinkSync(whiteout);
  }
  return ok({ tree: { kind: "overlay", base: root, layers: [own] }, release });
}

function layerIn(directory: string): OverlayLayer {
  const layer = { upper: path.join(directory, "upper"), work: path.join(directory, "work") };
  for (const part of [layer.upper, layer.work]) mkdirSync(part);
  return layer;
}
