/**
 * What other users keep to themselves in directories of the machine that a child sees. A child of root passes modes, so such places are
 * covered in its view: it sees no more of those directories than every user does.
 */
import { lstatSync } from "node:fs";
import path from "node:path";
import { capture } from "../platform/capture.ts";
import { realPlace } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { setupPath } from "./carried-environment.ts";

const known = new Map<string, Promise<readonly string[]>>();

/** For one `find`, in milliseconds. */
const limitMs = 20_000;

/** More would make the script of mounts longer than one word of a command line may be. */
const mostPlaces = 100;

/**
 * The uppermost closed places at and below `shown`, outside of the project. Absolute; no shown place is in another one. Each is searched
 * once per process; one that cannot be searched to its end is closed as a whole.
 */
export async function closedPlaces(shown: readonly string[], project: string): Promise<readonly string[]> {
  const reachable = shown.filter(isReachable);
  const fresh = reachable.filter((place) => !known.has(place));
  const search = fresh.length === 0 ? undefined : searchedTogether(fresh);
  if (search !== undefined) for (const place of fresh) known.set(place, (async () => (await search).get(place) ?? [place])());
  const found = await Promise.all(reachable.map((place) => known.get(place) ?? []));
  return fewer(found.flat().filter((place) => !isInside(project, place)));
}

/** What is closed in each place: one `find` for all, as starting it costs more than most searches; one for each if that fails. */
async function searchedTogether(places: readonly string[]): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const all = await searched(places);
  if (all !== undefined) return new Map(places.map((place) => [place, all.filter((one) => isInside(place, one))]));
  if (places.length === 1) return new Map();
  return new Map(await Promise.all(places.map(async (place) => [place, await searched([place])] as const)));
}

/** Whether other users can get to a place: below a directory that is closed to all but root, none of them keeps files. */
function isReachable(shown: string): boolean {
  for (let place = path.dirname(realPlace(shown) ?? shown); place !== "/"; place = path.dirname(place)) {
    const { uid, mode } = lstatSync(place, { throwIfNoEntry: false }) ?? { uid: 0, mode: 0o111 };
    if (uid === 0 && (mode & 0o011) === 0) return false;
  }
  return true;
}

/** With directories instead of the deepest places in them, until they are few enough. */
function fewer(places: readonly string[]): readonly string[] {
  const depth = (place: string) => place.split("/").length;
  const deepest = places.reduce((most, place) => Math.max(most, depth(place)), 0);
  if (places.length <= mostPlaces || deepest < 3) return places;
  const raised = new Set(places.map((place) => (depth(place) === deepest ? path.dirname(place) : place)));
  return fewer([...raised].filter((place) => !isBelowOne(place, raised)));
}

function isBelowOne(place: string, directories: ReadonlySet<string>): boolean {
  for (let at = path.dirname(place); at !== "/"; at = path.dirname(at)) if (directories.has(at)) return true;
  return false;
}

const type = (letter: string) => ["-type", letter];
const or = (...tests: readonly (readonly string[])[]) => ["(", ...tests.flatMap((test, at) => (at === 0 ? test : ["-o", ...test])), ")"];

/** Connecting to a socket and writing to a pipe work on read-only mounts, so they need both bits to be open. */
const closedTo = (read: string, both: string, search: string) =>
  or(
    [...type("d"), "!", "-perm", `-${search}`],
    [...or(type("s"), type("p")), "!", "-perm", `-${both}`],
    [...type("f"), "!", "-perm", `-${read}`],
  );

/** What is closed to all users but its owner; of root's own files what is closed to root. With options that BusyBox has too. */
const isClosed = or(["!", "-user", "0", ...closedTo("004", "006", "005")], ["-user", "0", ...closedTo("400", "600", "500")]);

/** Undefined if the search did not end well, or a name is not UTF-8. */
async function searched(shown: readonly string[]): Promise<readonly string[] | undefined> {
  const command = ["find", "-H", ...shown, ...isClosed, "-print0", "-prune"];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: "/", limitMs });
  if (!ran.ok || ran.value.code === undefined) return undefined;
  const { code, stderr } = ran.value;
  // What is removed meanwhile has nothing to hide.
  const isComplete = code === 0 || stderr.split("\n").every((line) => line === "" || line.endsWith(": No such file or directory"));
  if (!isComplete) return undefined;
  const places = ran.value.stdout.toString().split("\0").slice(0, -1);
  return places.some((one) => one.includes("\uFFFD")) ? undefined : places;
}
