/**
 * Finds blobs among the Actions artifacts of this workflow run and of earlier ones, and brings them here. The service's word counts for nothing:
 * what is brought has the digest that was asked for, or is told and left.
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
  /** Takes over a directory that is laid out as state is: all of it, or its blobs alone. Returns sentences that name what was refused. */
  readonly importState: (directory: string, what: "all" | "blobs") => Promise<readonly string[]>;
}

export interface RemoteBlobs {
  /** Brings one blob. Says whether it is here now. */
  fetchBlob(digest: Digest): Promise<boolean>;
  /**
   * Brings all parts of the state of a run and of what this workflow run began after it, from the first place that has them all. Returns how many.
   * `first` is the number of the first place to ask; defaults to 0.
   */
  fetchState(run: string, first?: number): Promise<number>;
  /** Asks what this workflow run has. */
  list(): Promise<void>;
  /** The artifact of this workflow run that holds a blob, by its name; nothing where none does, or it was not asked for yet. */
  nameOf(digest: Digest): string | undefined;
}

/** Parts that are brought at a time. */
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
        // Journals are taken over before a run is chosen, never while one is written.
        if ((await openState(place, artifact, "blobs")) && (await isHere(request.stateDir, digest))) return true;
      }
    }
    return false;
  };
  return {
    // One after the other: what one brings, the next may find here.
    fetchBlob: (digest) => {
      const next = last.then(async () => (await isHere(request.stateDir, digest)) || fetchBlob(digest));
      last = next.catch(() => undefined);
      return next;
    },
    async fetchState(run, first = 0) {
      const brought = new Set<string>();
      for (let place = first; place < places.count; place += 1) {
        const listing = await places.list(place);
        const parts = newestState(listing ?? []).filter(({ name }) => namesState(name, run));
        const missing = parts.filter(({ name }) => !brought.has(name));
        for (let from = 0; from < missing.length; from += atOnce) {
          const some = missing.slice(from, from + atOnce);
          await Promise.all(
            some.map(async (artifact) => ((await openState(place, artifact, "all")) ? brought.add(artifact.name) : undefined)),
          );
        }
        // The next place is the same run by another way: worth a look only where this one did not do.
        if (listing !== undefined && parts.every(({ name }) => brought.has(name))) break;
      }
      return brought.size;
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
    refused: file === undefined ? "it holds no file" : await importBlob(file, digest, stateDir),
  }));
  if (opened?.refused !== undefined) warn(`artifact ${artifact.name} was refused: ${opened.refused}`);
  return opened !== undefined && opened.refused === undefined;
}

/** Gives what takes a part of the state over, once. It says whether it was. */
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

/** What a part of the state may hold. */
function isStatePath(name: string): boolean {
  return /^(?:journals\/[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+\.jsonl|blobs\/sha256\/[0-9a-f]{2}\/[0-9a-f]{62})$/.test(name);
}
