/** The table of commands, in the order of help. */
import { artifactsCommand } from "./artifacts.ts";
import { cancelCommand } from "./cancel.ts";
import { cleanupCommand } from "./cleanup.ts";
import { configCommand } from "./config.ts";
import type { Command } from "./define-command.ts";
import { doctorCommand } from "./doctor.ts";
import { logsCommand } from "./logs.ts";
import { metricsCommand } from "./metrics.ts";
import { personaCommand } from "./persona.ts";
import { planCommand } from "./plan.ts";
import { resumeCommand } from "./resume.ts";
import { rollbackCommand } from "./rollback.ts";
import { runCommand } from "./run.ts";
import { stateCommand } from "./state.ts";
import { statusCommand } from "./status.ts";
import { testCommand } from "./test.ts";
import { traceCommand } from "./trace.ts";
import { validateCommand } from "./validate.ts";
import { workspaceCommand } from "./workspace.ts";

export const commands: readonly Command[] = [
  validateCommand,
  configCommand,
  planCommand,
  personaCommand,
  runCommand,
  testCommand,
  resumeCommand,
  cancelCommand,
  statusCommand,
  logsCommand,
  traceCommand,
  artifactsCommand,
  rollbackCommand,
  workspaceCommand,
  cleanupCommand,
  stateCommand,
  metricsCommand,
  doctorCommand,
];
