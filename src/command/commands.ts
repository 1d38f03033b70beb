/** The table of commands, in the order of help. */
import type { Command } from "./command.ts";
import { configCommand } from "./config.ts";
import { logsCommand } from "./logs.ts";
import { planCommand } from "./plan.ts";
import { resumeCommand } from "./resume.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { validateCommand } from "./validate.ts";

export const commands: readonly Command[] = [
  validateCommand,
  configCommand,
  planCommand,
  runCommand,
  resumeCommand,
  statusCommand,
  logsCommand,
];
