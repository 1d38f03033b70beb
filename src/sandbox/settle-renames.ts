/**
 * Replaces directories that an attempt renamed by copies of themselves. With `redirect_dir=on` the kernel records a rename of a directory as a
 * redirect in the layer, and the files stay below the old path of the project. Here the kernel itself follows the redirects, in a mounted view, so
 * their values are never parsed: afterwards every change is in the layer as itself.
 */
import { lstatSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { capture, noLimitMs } from "../platform/capture.ts";
import { entriesBelow } from "../platform/walk.ts";
import { quote } from "../text/shell-quote.ts";
import { changeInView, failed, listed, lookAt, records, runInView } from "./inspect.ts";
import type { Isolation } from "./isolation.ts";
import { redirecting } from "./mount-lines.ts";
import { firstNonDirectoryParent } from "./path-safety.ts";
import { redirectReader } from "./redirect-reader.ts";
import type { OverlayLayer, Tree } from "./view.ts";

export interface RenameSetting {
  readonly isolation: Isolation;
  /** Absolute. */
  readonly project: string;
  /** The attempt's tree, of which `layer` is the last layer. */
  readonly tree: Tree;
  readonly layer: OverlayLayer;
  /** Places, relative to the project, of which the step saw nothing or something else. */
  masked(): Promise<readonly string[]>;
}

/**
 * Settles all of a layer. Nothing may run in it meanwhile. Fails with `workspace-failed`, also if a directory around a masked place was renamed:
 * masks do not follow a rename, so its copy would show what they hide.
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
    return err({
      reason: "workspace-failed",
      code: "EBUSY",
      detail: `the step renamed a directory around \`${exposed.value}\`, which the sandbox hides; \`workspace: { provider: copy }\` on the step allows it`,
    });
  const copied = await changeInView(isolation, lookAt(project, tree), ["xargs", "-0", "sh", "-c", copying, "sh"], listed(renamed.value));
  return copied.ok ? ok(undefined) : copied;
}

/** A rename leaves a directory in the layer: its new place, or one around it. */
function hasDirectory(upper: string): boolean {
  return [...entriesBelow(upper, { enter: () => false })].some(({ kind }) => kind === "directory");
}

/** The copy has a name of its own beside the directory until it is whole. A directory that was never below it has no redirect. */
const copying = [
  "for place; do",
  '  copy=$(mktemp -d -- "${place%/*}/.wave-rename.XXXXXXXX") || exit',
  '  cp -a --reflink=auto --no-target-directory -- "$place" "$copy" && rm -rf -- "$place" && mv -T -- "$copy" "$place" || exit',
  "done",
].join("\n");

/** The uppermost renamed directories, relative to the project. Read as root: others do not see these attributes, nor directories closed to them. */
async function renamedIn({ isolation, layer }: RenameSetting): Promise<Result<readonly string[]>> {
  const reader = (redirectReader() ?? ["false"]).map(quote).join(" ");
  const list = `cd ${quote(layer.upper)} && { find . -mindepth 1 -type d -print0 || echo "find ended with $?" >&2; } | ${reader}`;
  const command = [...(isolation.mode === "sudo" ? ["sudo", "-n", "--"] : []), "sh", "-c", list];
  const ran = await capture({ command, env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" }, cwd: "/", limitMs: noLimitMs });
  if (!ran.ok) return ran;
  const { code, stdout, stderr } = ran.value;
  // The status is the reader's.
  if (code !== 0 || stderr !== "")
    return failed(`renamed directories could not be found: ${stderr.trim().split("\n")[0] || `exit status ${code}`}`);
  const places: string[] = [];
  for (const record of records(stdout)) {
    const place = record.slice("./".length);
    // `find` lists a directory before its content.
    if (!places.some((outer) => place.startsWith(`${outer}/`))) places.push(place);
  }
  return ok(places);
}

/**
 * A masked place that is no longer where its mask is, or that a renamed directory contains. The file's time of change identifies it: a step cannot
 * set that time.
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
  const shown = await runInView(isolation, lookAt(project, tree), args, listed(places.map(({ place }) => place)));
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

/** Seconds with a fraction of ten digits, as `find` prints times. */
function nanoseconds(text: string): bigint {
  const [seconds = "0", fraction = ""] = text.split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}
