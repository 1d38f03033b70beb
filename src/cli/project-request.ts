/** Turns options into the request for the project that they select. */
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { Io } from "../core/io.ts";
import type { KnownProject, ProjectRequest } from "../engine/open-project.ts";

/** The parts of an invocation that locate a project: options by camel-cased name, and a project that the Action located. */
interface CommandLine {
  readonly io: Io;
  readonly options: Readonly<Record<string, unknown>>;
  readonly project?: KnownProject;
}

/** `-C`, `-f`, `--env` and `--adapter`, if the command has them. */
export function projectRequest({ io, options, project }: CommandLine): ProjectRequest {
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined);
  return {
    cwd: path.resolve(io.cwd, text("directory") ?? "."),
    env: io.env,
    files: Array.isArray(options["file"]) ? options["file"] : [],
    signal: io.signal,
    hooks: {
      onProgress: (line) => io.stderr.write(`${line}\n`),
      onSecrets: io.secrets.add,
      warn: (line) => io.stderr.write(`warning: ${line}\n`),
    },
    ...defined({ known: project, environment: text("env"), adapter: text("adapter") }),
  };
}
