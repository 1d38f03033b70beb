/** What is left to do when a job's other steps are done, however they ended. Never fails the job. */
import { warning } from "@actions/core";
import { endJob } from "./job/end-job.ts";
import { processIo } from "./platform/process-io.ts";

const io = processIo();
endJob(io, { ...process.env }).catch((error: unknown) => {
  warning("What was left of the run could not be saved: this is a bug in wave, please report it.", { title: "Wave" });
  io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
});
