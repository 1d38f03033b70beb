/** The input of every validation rule: the loaded project, the options and the findings. */
import type { MapNode, Origin } from "../../core/document.ts";
import type { LoadedProject, NamedFile } from "../../core/loaded.ts";
import type { AdapterName } from "../../core/names.ts";
import type { ContractDefinition } from "../../core/pipeline.ts";
import type { ContractFile, ContractProblem } from "../../core/ports.ts";
import { isUrl, normalizePath, staysInside } from "../../core/project-path.ts";
import type { PersonaDocument } from "../schema/manifest.ts";
import type { Findings } from "./findings.ts";

/** Options of the validator. */
export interface ValidateOptions {
  /** `--adapter`. */
  readonly adapter?: AdapterName;
  /** The adapter of steps without one, detected from the environment. */
  readonly defaultAdapter?: AdapterName;
  /** Built-in personas. */
  readonly library: ReadonlyMap<string, PersonaDocument>;
  /** Checks that a contract's definition can be evaluated. */
  readonly checkContract: (contract: ContractDefinition, files: ReadonlyMap<string, ContractFile>) => Promise<readonly ContractProblem[]>;
}

export interface Scope {
  readonly loaded: LoadedProject;
  readonly manifest: MapNode;
  readonly options: ValidateOptions;
  readonly findings: Findings;
}

/** A loaded file. Undefined if it was not loaded. */
function fileAt(loaded: LoadedProject, written: string): NamedFile | undefined {
  return loaded.files.get(normalizePath(written));
}

/**
 * The text of a file that the manifest names. Reports an error and returns undefined if it has none. `what` is its purpose, such as "the prompt";
 * `absent` is the hint for a missing file.
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
  if (isUrl(written)) {
    scope.findings.error("W303", `${what} ${path} is a URL; only files in the project are supported`, origin, {
      hint: "save the file in the project and use its path",
    });
    return undefined;
  }
  if (file?.kind === "outside" || !staysInside(written)) {
    scope.findings.error("W304", `${what} ${path} is outside the project`, origin, {
      hint: "use a path in the directory of the manifest",
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
      scope.findings.error("W303", `${what} ${path} is not UTF-8 text`, origin);
      return undefined;
    case "too-large":
      scope.findings.error("W303", `${what} ${path} is too large: ${file.size} bytes, the limit is ${file.limit}`, origin);
      return undefined;
    case "unreadable":
      scope.findings.error("W303", `${what} ${path} cannot be read: ${file.detail}`, origin);
      return undefined;
  }
}
