#!/usr/bin/env node
/** The entry of the `wave` command. */
import { buildProgram } from "./cli/program.ts";
import { enter } from "./platform/entry.ts";

enter({
  main: (io) => buildProgram(io).main(process.argv.slice(2)),
  onBug: (io) => io.stderr.write("error: this is a bug in wave, please report it\n"),
  onTrouble: (io, text) => io.stderr.write(`error: ${text}\n`),
});
