/** The process of the Action's `post`: saves what the job could not. It never fails the job. */
import { warning } from "@actions/core";
import { enter } from "../platform/entry.ts";
import { printable } from "../text/printable.ts";
import { endJob } from "./end-job.ts";

export function enterPost(): void {
  enter({
    async main(io) {
      await endJob(io, { ...process.env });
      return 0;
    },
    onBug: () => warning("What was left of the run could not be saved: this is a bug in wave, please report it.", { title: "Wave" }),
    onTrouble: (_io, text) => warning(`What was left of the run may not be saved: ${printable(text)}`, { title: "Wave" }),
    neverFails: true,
  });
}
