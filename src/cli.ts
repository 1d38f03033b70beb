#!/usr/bin/env node
/** The `wave` command: words in, exit status out; nothing else. */
import { buildProgram } from "./command/program.ts";
import { processIo } from "./platform/process-io.ts";

const io = processIo();
try {
  process.exitCode = await buildProgram(io).main(process.argv.slice(2));
} catch (error) {
  io.stderr.write(
    `error: this is a bug in wave, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 70;
}
