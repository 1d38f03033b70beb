/** The parts of a job that stay the same from its start to its end. */
import type { GitHub } from "../core/github.ts";
import type { Io } from "../core/io.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { JobLog } from "./job-log.ts";
import type { JobServices } from "./job-services.ts";

export interface JobParts {
  readonly io: Io;
  readonly log: JobLog;
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  /** Undefined if there is no token. */
  readonly github?: GitHub;
  readonly services: JobServices;
  /** The checkout, absolute. */
  readonly workspace: string;
  /** A directory of the job for temporary files. */
  readonly temp: string;
  /** The file of the job summary. Undefined if GitHub names none. */
  readonly summaryFile: string | undefined;
}
