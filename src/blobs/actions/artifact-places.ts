/** Lists and downloads Actions artifacts of several workflow runs. Lists each run once. Archives are not trusted, see `unpack.ts`. */

import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import type { Toolkit } from "../../platform/actions/toolkit.ts";
import type { ListedArtifact, RemoteRun, ToolkitProblem } from "../../platform/actions/toolkit-calls.ts";

/** A workflow run whose artifacts are searched. */
export interface ArtifactPlace {
  /** Defaults to this workflow run, read from the artifact service. */
  readonly from?: RemoteRun;
  /** Returns why the artifacts must not be used, as a clause; undefined if they may be. Called once, before listing. */
  readonly refusal?: () => Promise<string | undefined>;
}

export interface ArtifactPlacesRequest {
  readonly toolkit: Pick<Toolkit, "ask">;
  readonly temp: string;
  /** In search order. The caller may append to it. */
  readonly places: readonly ArtifactPlace[];
  readonly warn: (text: string) => void;
}

export interface ArtifactPlaces {
  readonly count: number;
  /** The artifacts of a place; undefined if listing failed. */
  list(place: number): Promise<readonly ListedArtifact[] | undefined>;
  /** This workflow run's artifacts as of the last listing. */
  own(): readonly ListedArtifact[];
  /** Unpacks the wanted files into a temporary directory for `use`. Undefined, with a warning, if the download fails or is refused. */
  open<T>(
    place: number,
    artifact: ListedArtifact,
    wanted: (name: string) => boolean,
    use: (files: readonly string[], root: string) => Promise<T>,
  ): Promise<T | undefined>;
}

/** Milliseconds. */
const limits = { listMs: 10_000, downloadMs: 10_000 } as const;
/** Each 1000 bytes extend the download limit by 1 ms: 1 MB per second. */
const bytesPerMs = 1000;
/** The unpacked size of one archive, in bytes. */
const mostBytes = 4e9;

export function artifactPlaces({ toolkit, temp, places, warn }: ArtifactPlacesRequest): ArtifactPlaces {
  const listings = new Map<number, Promise<readonly ListedArtifact[] | undefined>>();
  let own: readonly ListedArtifact[] = [];
  const ask = async ({ from, refusal }: ArtifactPlace) => {
    const refused = await refusal?.();
    if (refused !== undefined) {
      warn(`${wordsFor(from)} are not used: ${refused}`);
      return undefined;
    }
    const listed = await toolkit.ask("listArtifacts", from === undefined ? {} : { from }, limits.listMs);
    if (!listed.ok && !isReportedElsewhere(listed.error)) warn(`${wordsFor(from)} could not be listed: ${listed.error.detail}`);
    if (listed.ok && from === undefined) own = listed.value;
    return listed.ok ? listed.value : undefined;
  };
  return {
    get count() {
      return places.length;
    },
    own: () => own,
    list(place) {
      const listing = listings.get(place) ?? ask(places[place] ?? {});
      listings.set(place, listing);
      return listing;
    },
    async open(place, { id, name, size, digest }, wanted, use) {
      const from = places[place]?.from;
      const directory = await mkdtemp(path.join(temp, "download-"));
      try {
        const packed = await toolkit.ask(
          "downloadArtifact",
          {
            id,
            directory: path.join(directory, "packed"),
            ...defined({ digest, from }),
          },
          limits.downloadMs + size / bytesPerMs,
        );
        if (!packed.ok) {
          if (!isReportedElsewhere(packed.error)) warn(`artifact ${name} could not be downloaded: ${packed.error.detail}`);
          return undefined;
        }
        const root = path.join(directory, "files");
        const { unpack } = await import("./unpack.ts");
        const files = await unpack({ file: packed.value.file, into: root, wanted, limit: mostBytes });
        if (files.ok) return await use(files.value, root);
        warn(`artifact ${name} was refused: ${files.error}`);
        return undefined;
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

/** The uploads report a missing service, and `service-health.ts` one that does not respond: once per job. */
function isReportedElsewhere({ code }: ToolkitProblem): boolean {
  return code === "unavailable" || code === "unanswered" || code === "given-up";
}

function wordsFor(from: RemoteRun | undefined): string {
  return from === undefined ? "the artifacts of this workflow run" : `the artifacts of workflow run ${from.workflowRun}`;
}
