/** The process of the Action's `post`. It never fails the job. */
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
    onBug: () => warning("The rest of the run's state could not be saved. This is a bug in Wave, please report it.", { title: "Wave" }),
    onTrouble: (_io, text) => warning(`The rest of the run's state may not be saved: ${printable(text)}`, { title: "Wave" }),
    neverFails: true,
  });
}
