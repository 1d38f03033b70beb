/** Lists the personas of a project, even if its manifest is missing or invalid. */
import type { Failure } from "../core/failure.ts";
import type { KnownPersona, LoadedProject } from "../core/loaded.ts";
import { ok, type Result } from "../core/result.ts";
import { knownPersonas } from "../manifest/validate/personas.ts";
import { personaLibrary } from "../prompt/library.ts";
import { locateProject, type ProjectRequest, readProject, requireValid } from "./open-project.ts";

export interface PersonaListing {
  readonly personas: readonly KnownPersona[];
  /** Why personas of the project can be missing or incomplete. */
  readonly problem?: Failure;
}

const noProject: LoadedProject = { manifestFiles: [], pipelines: [], personas: [], files: new Map(), diagnostics: [] };

/** Fails only if reading the project is cancelled. */
export async function listPersonas(request: ProjectRequest): Promise<Result<PersonaListing>> {
  const located = locateProject(request);
  if (!located.ok) return ok({ personas: knownPersonas(noProject, personaLibrary), problem: located.error });
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  const valid = requireValid(read.value);
  if (valid.ok) return ok({ personas: valid.value.personas });
  return ok({ personas: knownPersonas(read.value.loaded, personaLibrary), problem: valid.error });
}
