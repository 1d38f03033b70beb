/** Where Actions artifacts are looked for: a list of places, each listed once. Archives are fetched and taken apart with nothing of them trusted. */

import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import type { Toolkit } from "../../platform/actions/toolkit.ts";
import type { ListedArtifact, RemoteRun, ToolkitProblem } from "../../platform/actions/toolkit-calls.ts";

/** A workflow run whose artifacts are looked at. */
export interface ArtifactPlace {
  /** Undefined: this workflow run, by the artifact service. */
  readonly from?: RemoteRun;
  /** Returns why nothing of it is used, as a clause without a stop; undefined if it is. Asked once, before its artifacts are listed. */
  readonly refusal?: () => Promise<string | undefined>;
}

export interface ArtifactPlacesRequest {
  readonly toolkit: Pick<Toolkit, "ask">;
  readonly temp: string;
  /** In the order in which they are asked, which may grow. */
  readonly places: readonly ArtifactPlace[];
  readonly warn: (text: string) => void;
}

export interface ArtifactPlaces {
  readonly count: number;
  /** What a place has; nothing where it could not be listed. */
  list(place: number): Promise<readonly ListedArtifact[] | undefined>;
  /** What was listed of this workflow run's own so far. */
  own(): readonly ListedArtifact[];
  /** Gives `use` the wanted files of an archive, in a directory that goes afterwards. Nothing where it cannot be fetched, or is refused; that is told. */
  open<T>(
    place: number,
    artifact: ListedArtifact,
    wanted: (name: string) => boolean,
    use: (files: readonly string[], root: string) => Promise<T>,
  ): Promise<T | undefined>;
}

/** Milliseconds. */
const limits = { listMs: 10_000, downloadMs: 10_000 } as const;
/** A download may take longer by a millisecond for so many bytes: 1 MB a second. */
const bytesPerMs = 1000;
/** Of one archive, unpacked, in bytes. */
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
          if (!isReportedElsewhere(packed.error)) warn(`artifact ${name} could not be fetched: ${packed.error.detail}`);
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

/** A missing service is reported by the uploads, one that does not answer where its health is kept: once for the job. */
function isReportedElsewhere({ code }: ToolkitProblem): boolean {
  return code === "unavailable" || code === "unanswered" || code === "given-up";
}

function wordsFor(from: RemoteRun | undefined): string {
  return from === undefined ? "the artifacts of this workflow run" : `the artifacts of workflow run ${from.workflowRun}`;
}
