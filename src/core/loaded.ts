/** Loaded and validated projects. */
import type { AlertTarget } from "./alert.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Digest } from "./digest.ts";
import type { DocumentNode, MapNode, Origin } from "./document.ts";
import type { AdapterName } from "./names.ts";
import type { PermissionLayer } from "./permissions.ts";
import type { Persona, Pipeline, Resources } from "./pipeline.ts";
import type { ContractFile } from "./ports.ts";

/** A file that a manifest names, as it was read. */
export type NamedFile =
  | { readonly kind: "text"; readonly path: string; readonly text: string; readonly digest: Digest }
  | { readonly kind: "missing" | "outside" | "binary"; readonly path: string }
  | { readonly kind: "too-large"; readonly path: string; readonly size: number; readonly limit: number }
  | { readonly kind: "unreadable"; readonly path: string; readonly detail: string };

/** One pipeline document: a file under `pipelines:`. Inline pipelines are part of the manifest. */
export interface LoadedPipeline {
  /** The key under `pipelines:`. */
  readonly name: string;
  readonly version?: string;
  readonly active: boolean;
  /** Undefined if the file could not be parsed, which a diagnostic reports. */
  readonly document?: DocumentNode;
  readonly file: string;
  /** The place in the manifest that names the file. */
  readonly reference: Origin;
}

/** A persona with its own file: in `.wave/personas/`, or named under `personas:`. */
export interface LoadedPersona {
  readonly name: string;
  readonly file: string;
  /** In the shape of a persona definition; the body of a Markdown file is its `system_prompt`. */
  readonly document: DocumentNode;
}

export interface LoadedProject {
  /** Manifest files as given, relative to the project root; each overlay follows the files that it overlays. */
  readonly manifestFiles: readonly string[];
  /** Merged and substituted. Undefined if the first file is not a map. */
  readonly manifest?: MapNode;
  readonly pipelines: readonly LoadedPipeline[];
  readonly personas: readonly LoadedPersona[];
  /**
   * Every file that was read or was missing, by path: manifests, pipelines, personas, prompts, schemas and the files
   * that schemas refer to.
   */
  readonly files: ReadonlyMap<string, NamedFile>;
  readonly diagnostics: readonly Diagnostic[];
}

/** A persona that steps of the project can use. */
export interface KnownPersona {
  readonly persona: Persona;
  readonly adapter?: AdapterName;
  readonly command?: readonly string[] | string;
  readonly permissions?: PermissionLayer;
  readonly resources: Partial<Resources>;
  readonly secrets: readonly string[];
}

/** A valid manifest. */
export interface ValidatedProject {
  /** Personas of the manifest and of files, then the built-in ones that they do not replace. */
  readonly personas: readonly KnownPersona[];
  readonly pipelines: readonly { readonly pipeline: Pipeline; readonly active: boolean }[];
  /** Files that contracts refer to, by path. */
  readonly contractFiles: ReadonlyMap<string, ContractFile>;
  /** Names of all declared secrets. */
  readonly secrets: readonly string[];
  /** Webhooks that receive alerts. */
  readonly alerts: readonly AlertTarget[];
}
