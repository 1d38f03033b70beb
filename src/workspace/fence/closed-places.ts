/**
 * Files of other users that only those may read, in directories of the machine that a child sees. A root child passes their modes, so
 * they are covered in its view: the sandbox shows it no more of such directories than every user sees.
 */
import { lstatSync } from "node:fs";
import path from "node:path";
import { capture } from "../../platform/capture.ts";
import { realPlace } from "../../platform/files.ts";
import { setupPath } from "./carried-environment.ts";

/** A place to cover. Absolute, spelled as the view shows it. */
export interface ClosedPlace {
  readonly place: string;
  readonly isDirectory: boolean;
}

const known = new Map<string, Promise<readonly ClosedPlace[] | undefined>>();

/** Looked at by one `find`, in milliseconds. */
const limitMs = 20_000;

/**
 * The uppermost places below the directories that belong to another user than root and are closed to other users. Each directory is
 * searched once per process; a directory that cannot be searched to its end, or has more than 200, is covered as a whole.
 */
export async function closedPlaces(directories: readonly string[]): Promise<readonly ClosedPlace[]> {
  const found = await Promise.all(
    directories.filter(isReachable).map(async (directory) => {
      const search = known.get(directory) ?? searched(directory);
      known.set(directory, search);
      return (await search) ?? [{ place: directory, isDirectory: true }];
    }),
  );
  // A place that is gone cannot be mounted on.
  return found.flat().filter(({ place }) => lstatSync(place, { throwIfNoEntry: false }) !== undefined);
}

/** Whether other users can get to a directory: below one that is closed to all but root, none of them keeps files. */
function isReachable(directory: string): boolean {
  for (let place = realPlace(directory) ?? directory; place !== "/"; place = path.dirname(place)) {
    const { uid, mode } = lstatSync(place, { throwIfNoEntry: false }) ?? { uid: 0, mode: 0o111 };
    if (uid === 0 && (mode & 0o011) === 0) return false;
  }
  return true;
}

/** More places in one directory would make the script of mounts longer than a word of a command line can be. */
const mostPlaces = 200;

/** Undefined if the search did not end well, or found too many places. */
async function searched(directory: string): Promise<readonly ClosedPlace[] | undefined> {
  const closed = ["(", "-type", "d", "!", "-perm", "-005", "-o", "!", "-type", "d", "!", "-type", "l", "!", "-perm", "-004", ")"];
  const command = ["find", "-H", directory, "!", "-uid", "0", ...closed, "-printf", "%y%p\\0", "-prune"];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: "/", limitMs });
  if (!ran.ok || ran.value.code !== 0) return undefined;
  const records = ran.value.stdout.toString().split("\0").slice(0, -1);
  if (records.length > mostPlaces) return undefined;
  return records.map((record) => ({ place: record.slice(1), isDirectory: record.startsWith("d") }));
}
