/** What every rule may look at: the loaded project, the manifest's defaults, and where findings go. */
import type { MapNode, Origin } from "../../core/document.ts";
import type { LoadedProject, NamedFile } from "../../core/loaded.ts";
import type { AdapterName } from "../../core/names.ts";
import type { ContractDefinition } from "../../core/pipeline.ts";
import type { ContractFile, ContractProblem } from "../../core/ports.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";
import type { PersonaDocument } from "../schema/manifest.ts";
import type { Findings } from "./findings.ts";

/** What the spine hands to the validator. */
export interface ValidateOptions {
  /** `--adapter`. */
  readonly adapter?: AdapterName;
  /** The adapter of steps for which nobody names one: what the environment has the means for. */
  readonly defaultAdapter?: AdapterName;
  /** Personas that stand under the manifest's own. */
  readonly library: ReadonlyMap<string, PersonaDocument>;
  /** Whether a contract's definition can be evaluated. */
  readonly checkContract: (contract: ContractDefinition, files: ReadonlyMap<string, ContractFile>) => Promise<readonly ContractProblem[]>;
}

export interface Scope {
  readonly loaded: LoadedProject;
  readonly manifest: MapNode;
  readonly options: ValidateOptions;
  readonly findings: Findings;
}

/** A file that the manifest names, as it was loaded; nothing when it was not asked for. */
function fileAt(loaded: LoadedProject, written: string): NamedFile | undefined {
  return loaded.files.get(normalizePath(written));
}

/**
 * The text of a file that the manifest names; reports why there is none. `what` is its purpose, as in "the prompt"; `absent` is the hint for a
 * missing file.
 */
export function requireText(
  scope: Scope,
  written: string,
  what: string,
  origin: Origin,
  absent = "paths are relative to the manifest's directory",
): Extract<NamedFile, { kind: "text" }> | undefined {
  const file = fileAt(scope.loaded, written);
  if (file?.kind === "text") return file;
  const path = `\`${written}\``;
  if (file?.kind === "outside" || !staysInside(written)) {
    scope.findings.error("W304", `${what} ${path} lies outside the project`, origin, {
      hint: "name a path below the directory of the manifest",
    });
    return undefined;
  }
  switch (file?.kind) {
    case undefined:
    case "missing": {
      const known = [...scope.loaded.files].flatMap(([name, { kind }]) => (kind === "text" ? [name] : []));
      scope.findings.error("W303", `${what} ${path} does not exist`, origin, scope.findings.guess(written, known, absent));
      return undefined;
    }
    case "binary":
      scope.findings.error("W303", `${what} ${path} is not text in UTF-8`, origin);
      return undefined;
    case "too-large":
      scope.findings.error("W303", `${what} ${path} has ${file.size} bytes; at most ${file.limit} are read`, origin);
      return undefined;
    case "unreadable":
      scope.findings.error("W303", `${what} ${path} cannot be read: ${file.detail}`, origin);
      return undefined;
  }
}
