/** The Action: a runner's variables in, exit status out; nothing else. */
import { setFailed } from "@actions/core";
import { runJob } from "./job/run-job.ts";
import { processIo } from "./platform/process-io.ts";

const io = processIo();
// Stands if nothing is left to wait for and nobody has said how it ended.
process.exitCode = 70;
runJob(io, { ...process.env }).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    setFailed("This is a bug in wave, please report it.");
    io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 70;
  },
);
