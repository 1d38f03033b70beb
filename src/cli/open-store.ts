/** What every command that asks state begins with: the project that the words mean, and its memory. */
import type { Result } from "../core/result.ts";
import { ok } from "../core/result.ts";
import {
  locateProject,
  openReadonlyStore,
  openStore,
  type ProjectRequest,
  type ReadonlyRunStore,
  type ReadProject,
  type RunStore,
  readProject,
} from "../engine/open-project.ts";
import type { Invocation } from "./define-command.ts";
import { projectRequest } from "./project-request.ts";

export interface OpenedProject {
  readonly request: ProjectRequest;
  readonly read: ReadProject;
  readonly store: RunStore;
}

/** Reads the manifest, which need not hold, and opens state. Fails where there is no manifest. */
export async function openProjectStore(invocation: Invocation): Promise<Result<OpenedProject>> {
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  return ok({ request, read: read.value, store: openStore(read.value, request) });
}

/** The same for a command that only reads state. */
export async function openProjectPast(invocation: Invocation): Promise<Result<{ readonly store: ReadonlyRunStore }>> {
  const request = projectRequest(invocation);
  const located = locateProject(request);
  return located.ok ? ok({ store: await openReadonlyStore(request, located.value) }) : located;
}
