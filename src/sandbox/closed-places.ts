/**
 * Finds files that other users keep private in directories that a child sees. A child of root bypasses modes, so its view
 * covers these paths: it sees no more of the directories than an ordinary user does.
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

/** With more, the mount script would exceed the length limit of one argument. */
const mostPlaces = 100;

/**
 * The topmost closed paths at and below `shown`, outside the project; absolute. No path of `shown` may be inside another.
 * Each is searched once per process; one that cannot be searched completely is closed as a whole.
 */
export async function closedPlaces(shown: readonly string[], project: string): Promise<readonly string[]> {
  const reachable = shown.filter(isReachable);
  const fresh = reachable.filter((place) => !known.has(place));
  const search = fresh.length === 0 ? undefined : searchedTogether(fresh);
  if (search !== undefined) for (const place of fresh) known.set(place, (async () => (await search).get(place) ?? [place])());
  const found = await Promise.all(reachable.map((place) => known.get(place) ?? []));
  return fewer(found.flat().filter((place) => !isInside(project, place)));
}

/**
 * The closed paths in each directory. Uses one `find` for all, because starting it costs more than most searches, and one
 * `find` per directory if that fails.
 */
async function searchedTogether(places: readonly string[]): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const all = await searched(places);
  if (all !== undefined) return new Map(places.map((place) => [place, all.filter((one) => isInside(place, one))]));
  if (places.length === 1) return new Map();
  return new Map(await Promise.all(places.map(async (place) => [place, await searched([place])] as const)));
}

/** Whether other users can reach a path. They keep no files below a directory that is closed to all but root. */
function isReachable(shown: string): boolean {
  for (let place = path.dirname(realPlace(shown) ?? shown); place !== "/"; place = path.dirname(place)) {
    const { uid, mode } = lstatSync(place, { throwIfNoEntry: false }) ?? { uid: 0, mode: 0o111 };
    if (uid === 0 && (mode & 0o011) === 0) return false;
  }
  return true;
}

/** Replaces the deepest paths by their directories until `mostPlaces` is met. */
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

/** Connecting to a socket and writing to a pipe work on read-only mounts, so both bits count. */
const closedTo = (read: string, both: string, search: string) =>
  or(
    [...type("d"), "!", "-perm", `-${search}`],
    [...or(type("s"), type("p")), "!", "-perm", `-${both}`],
    [...type("f"), "!", "-perm", `-${read}`],
  );

/** Closed to all users except the owner; for root's own files, closed to root. Uses only options that BusyBox has too. */
const isClosed = or(["!", "-user", "0", ...closedTo("004", "006", "005")], ["-user", "0", ...closedTo("400", "600", "500")]);

/** Undefined if the search failed or a name is not UTF-8. */
async function searched(shown: readonly string[]): Promise<readonly string[] | undefined> {
  const command = ["find", "-H", ...shown, ...isClosed, "-print0", "-prune"];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: "/", limitMs });
  if (!ran.ok || ran.value.code === undefined) return undefined;
  const { code, stderr } = ran.value;
  // Files that were removed during the search need no cover.
  const isComplete = code === 0 || stderr.split("\n").every((line) => line === "" || line.endsWith(": No such file or directory"));
  if (!isComplete) return undefined;
  const places = ran.value.stdout.toString().split("\0").slice(0, -1);
  return places.some((one) => one.includes("\uFFFD")) ? undefined : places;
}
