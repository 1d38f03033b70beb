/**
 * Fetches blobs from the Actions artifacts of this and earlier workflow runs. The service is not trusted: an artifact whose bytes do not
 * match the digest is refused with a warning.
 */
import type { Digest } from "../../core/digest.ts";
import type { ListedArtifact } from "../../platform/actions/toolkit-calls.ts";
import { tryIo } from "../../platform/files.ts";
import { blobFile, digestOfFile } from "../blob-files.ts";
import { importBlob } from "../import-blobs.ts";
import { namesDigest, namesState } from "./artifact-names.ts";
import { type ArtifactPlaces, type ArtifactPlacesRequest, artifactPlaces } from "./artifact-places.ts";

export interface RemoteRequest extends ArtifactPlacesRequest {
  readonly stateDir: string;
  /** Imports a state directory: all of it, or only its blobs. Returns a message for each refused file. */
  readonly importState: (directory: string, what: "all" | "blobs") => Promise<readonly string[]>;
}

export interface RemoteBlobs {
  /** Fetches one blob. Returns whether the local store now has it. */
  fetchBlob(digest: Digest): Promise<boolean>;
  /**
   * Fetches all parts of the state of a run, and of runs that the same job started after it, from the first place that has them all.
   * Returns the number of parts fetched.
   * `first` is the index of the first place to search; defaults to 0.
   */
  fetchState(run: string, first?: number): Promise<number>;
  /** Lists the artifacts of this workflow run. */
  list(): Promise<void>;
  /** The name of the artifact of this workflow run that contains a blob. Undefined if there is none, or before `list`. */
  nameOf(digest: Digest): string | undefined;
}

/** Parts that are fetched concurrently. */
const atOnce = 4;

export function openRemoteBlobs(request: RemoteRequest): RemoteBlobs {
  const places = artifactPlaces(request);
  const openState = stateOpener(request, places);
  let last: Promise<unknown> = Promise.resolve();
  const fetchBlob = async (digest: Digest): Promise<boolean> => {
    for (let place = 0; place < places.count; place += 1) {
      const listing = (await places.list(place)) ?? [];
      for (const artifact of listing.filter(({ name }) => namesDigest(name, digest))) {
        if (await fetchSingle(request, places, place, artifact, digest)) return true;
      }
      for (const artifact of newestState(listing)) {
        // Only blobs: journals are imported before a run is chosen, never while one is written.
        if ((await openState(place, artifact, "blobs")) && (await isHere(request.stateDir, digest))) return true;
      }
    }
    return false;
  };
  return {
    // One at a time: a fetched part of the state may contain the next blob.
    fetchBlob: (digest) => {
      const next = last.then(async () => (await isHere(request.stateDir, digest)) || fetchBlob(digest));
      last = next.catch(() => undefined);
      return next;
    },
    async fetchState(run, first = 0) {
      const fetched = new Set<string>();
      for (let place = first; place < places.count; place += 1) {
        const listing = await places.list(place);
        const parts = newestState(listing ?? []).filter(({ name }) => namesState(name, run));
        const missing = parts.filter(({ name }) => !fetched.has(name));
        for (let from = 0; from < missing.length; from += atOnce) {
          const some = missing.slice(from, from + atOnce);
          await Promise.all(
            some.map(async (artifact) => ((await openState(place, artifact, "all")) ? fetched.add(artifact.name) : undefined)),
          );
        }
        // The next place is another route to the same run, needed only if this one failed.
        if (listing !== undefined && parts.every(({ name }) => fetched.has(name))) break;
      }
      return fetched.size;
    },
    async list() {
      await places.list(0);
    },
    nameOf: (digest) => places.own().find(({ name }) => namesDigest(name, digest))?.name,
  };
}

async function fetchSingle(
  { stateDir, warn }: RemoteRequest,
  places: ArtifactPlaces,
  place: number,
  artifact: ListedArtifact,
  digest: Digest,
): Promise<boolean> {
  const isFile = (name: string) => !name.includes("/");
  const opened = await places.open(place, artifact, isFile, async ([file]) => ({
    refused: file === undefined ? "it contains no file" : await importBlob(file, digest, stateDir),
  }));
  if (opened?.refused !== undefined) warn(`artifact ${artifact.name} was refused: ${opened.refused}`);
  return opened !== undefined && opened.refused === undefined;
}

/** Returns a function that imports a part of the state once. It returns whether the part was imported. */
function stateOpener({ importState, warn }: RemoteRequest, places: ArtifactPlaces) {
  const opened = new Set<string>();
  return async (place: number, artifact: ListedArtifact, what: "all" | "blobs"): Promise<boolean> => {
    const whole = `${place} ${artifact.id}`;
    const key = what === "all" ? whole : `${whole} blobs`;
    if (opened.has(whole) || opened.has(key)) return false;
    opened.add(key);
    const refused = await places.open(place, artifact, isStatePath, (_files, root) => importState(root, what));
    for (const problem of refused ?? []) warn(`artifact ${artifact.name}: ${problem}`);
    return refused !== undefined;
  };
}

async function isHere(stateDir: string, digest: Digest): Promise<boolean> {
  const found = await tryIo(() => digestOfFile(blobFile(stateDir, digest)));
  return found.ok && found.value === digest;
}

function newestState(listing: readonly ListedArtifact[]): readonly ListedArtifact[] {
  return listing.filter(({ name }) => namesState(name)).sort((a, b) => b.id - a.id);
}

/** Whether a part of the state may contain a file of this name. */
function isStatePath(name: string): boolean {
  return /^(?:journals\/[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+\.jsonl|blobs\/sha256\/[0-9a-f]{2}\/[0-9a-f]{62})$/.test(name);
}
