/** What every command that asks state begins with: the project that the words mean, and its memory. */
import type { Result } from "../core/result.ts";
import { ok } from "../core/result.ts";
import {
  locateProject,
  type Memory,
  openMemory,
  openPast,
  type PastMemory,
  type ProjectRequest,
  type ReadProject,
  readProject,
} from "../engine/open-project.ts";
import type { Invocation } from "./define-command.ts";
import { projectRequest } from "./project-request.ts";

export interface OpenedProject {
  readonly request: ProjectRequest;
  readonly read: ReadProject;
  readonly memory: Memory;
}

/** Reads the manifest, which need not hold, and opens state. Fails where there is no manifest. */
export async function openProjectMemory(invocation: Invocation): Promise<Result<OpenedProject>> {
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  return ok({ request, read: read.value, memory: openMemory(read.value, request) });
}

/** The same for a command that only reads state. */
export async function openProjectPast(invocation: Invocation): Promise<Result<{ readonly memory: PastMemory }>> {
  const request = projectRequest(invocation);
  const located = locateProject(request);
  return located.ok ? ok({ memory: await openPast(request, located.value) }) : located;
}
