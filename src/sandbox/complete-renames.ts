/**
 * Replaces the directories that an attempt renamed by copies. With `redirect_dir=on` the kernel records a renamed
 * directory as a redirect in the layer, and its files stay below the old path of the project. The kernel follows the
 * redirects in a mounted view, so their values are never parsed. Afterwards the layer itself contains every change.
 */
import { lstatSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { capture, noLimitMs } from "../platform/capture.ts";
import { entriesBelow } from "../platform/walk.ts";
import { quote } from "../text/shell-quote.ts";
import { changeInView, nulTerminated, records, runInView, treeView } from "./inspect.ts";
import type { Isolation } from "./isolation.ts";
import { redirecting } from "./mount-lines.ts";
import { firstNonDirectoryParent } from "./path-safety.ts";
import { redirectReader } from "./redirect-reader.ts";
import type { OverlayLayer, Tree } from "./view.ts";

export interface RenameSetting {
  readonly isolation: Isolation;
  /** Absolute. */
  readonly project: string;
  /** The attempt's tree; its last layer is `layer`. */
  readonly tree: Tree;
  readonly layer: OverlayLayer;
  /** Paths relative to the project that the view hid from the step or replaced. */
  masked(): Promise<readonly string[]>;
}

/**
 * Copies every renamed directory of a layer. No process may run in it meanwhile. Fails with `workspace-failed`, even if
 * only a directory around a masked path was renamed: masks do not follow a rename, so the copy would show what they hide.
 */
export async function completeRenames(setting: RenameSetting): Promise<Result<void>> {
  const { isolation, project, tree, layer } = setting;
  if (!isolation.overlayOptions.includes(redirecting) || !hasDirectory(layer.upper)) return ok(undefined);
  const renamed = await renamedIn(setting);
  if (!renamed.ok) return renamed;
  if (renamed.value.length === 0) return ok(undefined);
  const exposed = await exposedPlace(setting, renamed.value);
  if (!exposed.ok) return exposed;
  if (exposed.value !== undefined)
    return workspaceFailed(
      "EBUSY",
      `the step renamed a directory around \`${exposed.value}\`, which the sandbox hides; set \`workspace: { provider: copy }\` on the step to allow it`,
    );
  const copied = await changeInView(
    isolation,
    treeView(project, tree),
    ["xargs", "-0", "sh", "-c", copying, "sh"],
    nulTerminated(renamed.value),
  );
  return copied.ok ? ok(undefined) : copied;
}

/** A rename leaves a directory in the layer: the new path, or one of its parents. */
function hasDirectory(upper: string): boolean {
  return [...entriesBelow(upper, { enter: () => false })].some(({ kind }) => kind === "directory");
}

/** The copy has a name of its own next to the directory until it is complete. New directories have no redirect. */
const copying = [
  "for place; do",
  '  copy=$(mktemp -d -- "${place%/*}/.wave-rename.XXXXXXXX") || exit',
  '  cp -a --reflink=auto --no-target-directory -- "$place" "$copy" && rm -rf -- "$place" && mv -T -- "$copy" "$place" || exit',
  "done",
].join("\n");

/**
 * The topmost renamed directories, relative to the project. Read as root: other users see neither these attributes nor
 * directories closed to them.
 */
async function renamedIn({ isolation, layer }: RenameSetting): Promise<Result<readonly string[]>> {
  const reader = (redirectReader() ?? ["false"]).map(quote).join(" ");
  const list = `cd ${quote(layer.upper)} && { find . -mindepth 1 -type d -print0 || echo "find ended with $?" >&2; } | ${reader}`;
  const command = [...(isolation.mode === "sudo" ? ["sudo", "-n", "--"] : []), "sh", "-c", list];
  const ran = await capture({ command, env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" }, cwd: "/", limitMs: noLimitMs });
  if (!ran.ok) return ran;
  const { code, stdout, stderr } = ran.value;
  // The exit status is that of `reader`.
  if (code !== 0 || stderr !== "")
    return workspaceFailed("EIO", `cannot find the renamed directories: ${stderr.trim().split("\n")[0] || `exit status ${code}`}`);
  const places: string[] = [];
  for (const record of records(stdout)) {
    const place = record.slice("./".length);
    // `find` lists a directory before its content.
    if (!places.some((outer) => place.startsWith(`${outer}/`))) places.push(place);
  }
  return ok(places);
}

/**
 * A masked path that has moved away from its mask, or that a renamed directory contains. The ctime identifies the file: a
 * step cannot set it.
 */
async function exposedPlace(
  { isolation, project, tree, layer, masked }: RenameSetting,
  renamed: readonly string[],
): Promise<Result<string | undefined>> {
  const places = (await masked()).flatMap((place) => {
    const stats = lstatSync(path.join(project, place), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? [] : [{ place, changed: stats.ctimeNs }];
  });
  if (places.length === 0) return ok(undefined);
  const args = ["xargs", "-0", "sh", "-c", 'for place; do find "$place" -maxdepth 0 -printf "%p\\0%C@\\0" || :; done', "sh"];
  const shown = await runInView(isolation, treeView(project, tree), args, nulTerminated(places.map(({ place }) => place)));
  if (!shown.ok) return shown;
  const fields = records(shown.value.stdout);
  const times = new Map<string, bigint>();
  for (let at = 0; at + 1 < fields.length; at += 2) times.set((fields[at] ?? "").slice("./".length), nanoseconds(fields[at + 1] ?? ""));
  const isExposed = ({ place, changed }: { readonly place: string; readonly changed: bigint }) =>
    renamed.some((directory) => place.startsWith(`${directory}/`)) ||
    firstNonDirectoryParent(layer.upper, place) !== undefined ||
    times.get(place) !== changed;
  return ok(places.find(isExposed)?.place);
}

/** Converts a time as printed by `find`: seconds with a fraction of ten digits. */
function nanoseconds(text: string): bigint {
  const [seconds = "0", fraction = ""] = text.split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}
