/** From an invocation's options to the project that they mean. */

import path from "node:path";
import { defined } from "../core/defined.ts";
import type { ProjectRequest } from "../engine/open-project.ts";
import { type Invocation, textOption } from "./define-command.ts";

/** `-C`, `-f`, `--env` and `--adapter`, where the command has them. */
export function projectRequest(invocation: Invocation): ProjectRequest {
  const { io, options } = invocation;
  const files = Array.isArray(options["file"]) ? (options["file"] as readonly string[]) : [];
  const environment = textOption(invocation, "env");
  const adapter = textOption(invocation, "adapter");
  return {
    cwd: path.resolve(io.cwd, textOption(invocation, "directory") ?? "."),
    env: io.env,
    files,
    signal: io.signal,
    announce: (text) => io.stderr.write(`${text}\n`),
    onSecrets: io.secrets.add,
    warn: (text) => io.stderr.write(`warning: ${text}\n`),
    ...invocation.project,
    ...defined({ environment, adapter }),
  };
}
