#!/usr/bin/env node
/** The `wave` command: words in, exit status out; nothing else. */
import { buildProgram } from "./command/program.ts";
import { processIo } from "./platform/process-io.ts";

const io = processIo();
// Stands if nothing is left to wait for and nobody has said how it ended.
process.exitCode = 70;
buildProgram(io)
  .main(process.argv.slice(2))
  .then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      io.stderr.write(`error: this is a bug in wave, please report it\n${text}\n`);
      process.exitCode = 70;
    },
  );
