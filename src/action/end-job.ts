/**
 * The end of a job, after its other steps: what `action` could not save because it was cancelled, killed or cut off is saved now. Where all is
 * saved already, nothing is done.
 */
import path from "node:path";
import { getState } from "@actions/core";
import { localBlobs } from "../blobs/local-blobs.ts";
import type { Io } from "../core/io.ts";
import { version } from "../core/version.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { type JobInputs, readInputs } from "../platform/actions/inputs.ts";
import { forgetRunnerSecrets } from "../platform/actions/runner-secrets.ts";
import { openToolkit } from "../platform/actions/toolkit.ts";
import { readWorkflowContext } from "../platform/actions/workflow-environment.ts";
import { systemClock } from "../platform/clock.ts";
import { createRedactor } from "../redaction/redactor.ts";
import { openState } from "../store/open-store.ts";
import { completeReports } from "./complete-reports.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { type JobServices, openJobServices } from "./job-services.ts";
import { jobTemp, openJobState, type StateSubject } from "./job-state.ts";
import { forwardMask } from "./toolkit-masks.ts";

/** What `run-job.ts` noted for this. */
interface PostState {
  readonly stateDir: string;
  readonly workspace: string;
  readonly subject: StateSubject;
}

/** Completes and saves what is left. */
export async function endJob(io: Io, variables: Io["env"]): Promise<void> {
  const log = openJobLog(io);
  const { inputs, problem } = readInputs();
  const context = readWorkflowContext(variables);
  if (problem !== undefined || !context.ok) return;
  forgetRunnerSecrets();
  const workspace = path.resolve(variables["GITHUB_WORKSPACE"] || io.cwd);
  const summaryFile = variables["GITHUB_STEP_SUMMARY"];
  const services = openJobServices(log.warn, getState("services"));
  await Promise.all([
    completeReports({ log, inputs, context: context.value, io, variables, workspace, summaryFile, services }),
    saveRest({ log, inputs, context: context.value, io, variables, services }),
  ]);
  services.report();
}

interface Rest {
  readonly log: JobLog;
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  readonly io: Io;
  readonly variables: Io["env"];
  readonly services: JobServices;
}

async function saveRest({ log, inputs, context, io, variables, services }: Rest): Promise<void> {
  const noted = notedState();
  const run = getState("run");
  if (noted === undefined || run === "" || getState("saved") === "true") return;
  const { stateDir, workspace, subject } = noted;
  const toolkit = openToolkit({ env: variables, onLine: forwardMask(io), clock: systemClock, services });
  const temp = jobTemp(variables, stateDir);
  try {
    const state = await openJobState({ toolkit, stateDir, workspace, temp, subject, inputs, context, warn: log.warn });
    // Everything in state was scrubbed when it got there.
    const redactor = createRedactor([]);
    const store = {
      stateDir,
      stateRoot: stateDir,
      redactor,
      blobs: localBlobs(stateDir),
      state: openState({ stateDir, redactor, version, clock: systemClock }),
    };
    await Promise.all([state.uploadRest(store, run), ...(getState("cache") === "asked" ? [] : [state.save(store, 2)])]);
  } finally {
    await toolkit.close();
  }
}

function notedState(): PostState | undefined {
  const text = getState("state");
  return text === "" ? undefined : (JSON.parse(text) as PostState);
}
