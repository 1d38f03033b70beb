/** What is left to do when a job's other steps are done, however they ended. Never fails the job. */
import { warning } from "@actions/core";
import { endJob } from "./job/end-job.ts";
import { enter } from "./platform/entry.ts";

enter({
  async main(io) {
    await endJob(io, { ...process.env });
    return 0;
  },
  onBug: () => warning("What was left of the run could not be saved: this is a bug in wave, please report it.", { title: "Wave" }),
  onTrouble: (_io, text) => warning(`What was left of the run may not be saved: ${text}`, { title: "Wave" }),
  neverFails: true,
});
