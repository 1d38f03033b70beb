/**
 * Finds source locations in the output of a test command, so that reports can point at lines. `location-formats.ts` lists the
 * known formats. A stack is one location: its innermost frame in a project file.
 */
import { hash } from "node:crypto";
import type { Violation } from "../../core/failure.ts";
import { LocationReader, type LocationRule, type OnLocation } from "./location-reader.ts";
import { readOutputLines } from "./output-lines.ts";

/** Maximum number of locations that are kept, and that are counted. */
const limits = { locations: 500, counted: 100_000 } as const;

/** One message with its candidate locations. The first one whose file exists counts. */
interface NamedLocation {
  readonly message: string;
  readonly rule: LocationRule;
  readonly candidates: readonly NonNullable<Violation["location"]>[];
}

export interface FoundLocations {
  /** In output order, without duplicates. */
  readonly locations: readonly NamedLocation[];
  /** File → number of its locations that are not in `locations`. */
  readonly omitted: ReadonlyMap<string, number>;
}

export interface SourceLines {
  push(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  found(): FoundLocations;
}

/** `relative` returns the path relative to the project; undefined for a path outside it. */
export function sourceLines(relative: (file: string) => string | undefined): SourceLines {
  const locations: NamedLocation[] = [];
  const omitted = new Map<string, number>();
  const seen = new Set<string>();
  const onLocation: OnLocation = (calls, message, rule) => {
    const candidates = calls.flatMap(({ file, line, column }) => {
      const path = relative(file);
      return path === undefined || isDependency(path) ? [] : [{ file: path, line, column }];
    });
    const [first] = candidates;
    // A digest limits the memory that a long output takes.
    const key = hash("sha1", JSON.stringify([first, message]), "base64");
    if (first === undefined || seen.has(key) || seen.size >= limits.counted) return;
    seen.add(key);
    if (locations.length < limits.locations) locations.push({ message, rule, candidates });
    else omitted.set(first.file, (omitted.get(first.file) ?? 0) + 1);
  };
  const readers = { stdout: new LocationReader(onLocation), stderr: new LocationReader(onLocation) };
  const lines = {
    stdout: readOutputLines((line) => readers.stdout.line(line)),
    stderr: readOutputLines((line) => readers.stderr.line(line)),
  };
  return {
    push: (chunk, stream) => lines[stream].push(chunk),
    found() {
      for (const stream of ["stdout", "stderr"] as const) {
        lines[stream].end();
        readers[stream].end();
      }
      return { locations, omitted };
    },
  };
}

/** Whether a file belongs to an installed dependency. */
function isDependency(file: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages)\//.test(file);
}
