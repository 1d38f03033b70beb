/**
 * The Action's `post`, which runs after the job's other steps. It saves state and completes reports if `main` was cancelled
 * or killed before it could. Otherwise it does nothing.
 */
import path from "node:path";
import { getState } from "@actions/core";
import { localBlobs } from "../blobs/local-blobs.ts";
import type { Io } from "../core/io.ts";
import { version } from "../core/version.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { type JobInputs, readJobInputs } from "../platform/actions/inputs.ts";
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

/** The state that `prepare-state.ts` saved for `post`. */
interface PostState {
  readonly stateDir: string;
  readonly workspace: string;
  readonly subject: StateSubject;
}

/** Completes the reports and saves the remaining state. */
export async function endJob(io: Io, variables: Io["env"]): Promise<void> {
  const log = openJobLog(io);
  const { inputs, problem } = readJobInputs();
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
  const post = postState();
  const run = getState("run");
  if (post === undefined || run === "" || getState("saved") === "true") return;
  const { stateDir, workspace, subject } = post;
  const toolkit = openToolkit({ env: variables, onLine: forwardMask(io), clock: systemClock, services });
  const temp = jobTemp(variables, stateDir);
  try {
    const state = await openJobState({ toolkit, stateDir, workspace, temp, subject, inputs, context, warn: log.warn });
    // State was redacted when it was written.
    const redactor = createRedactor([]);
    const store = {
      stateDir,
      stateRoot: stateDir,
      redactor,
      blobs: localBlobs(stateDir),
      state: openState({ stateDir, redactor, version, clock: systemClock }),
    };
    await Promise.all([state.uploadRest(store, run), ...(getState("cache") === "attempted" ? [] : [state.save(store, 2)])]);
  } finally {
    await toolkit.close();
  }
}

function postState(): PostState | undefined {
  const text = getState("state");
  return text === "" ? undefined : (JSON.parse(text) as PostState);
}
