/** The job's own messages: annotations, each text once, and the lines of a failure. */
import { error, notice, warning } from "@actions/core";
import type { Failure } from "../core/failure.ts";
import { describeFailure, exitCodeOf } from "../core/failures.ts";
import type { Io } from "../core/io.ts";
import { printable } from "../text/printable.ts";

export interface JobLog {
  /** Information that does not indicate a problem. */
  notice(text: string): void;
  /** A problem that does not fail the job. */
  warn(text: string): void;
  /** The failure that ends the job. Returns the exit status. */
  fail(failure: Failure): number;
}

const title = { title: "Wave" };

/** Writes annotations for the runner, and details to the log. A runner shows ten annotations per level, so repeated texts are dropped. */
export function openJobLog({ stderr, secrets }: Pick<Io, "stderr" | "secrets">): JobLog {
  const written = new Set<string>();
  const once = (write: (text: string, properties: typeof title) => void) => (text: string) => {
    if (written.has(text)) return;
    written.add(text);
    write(printable(secrets.redactor().text(text)), title);
  };
  return {
    notice: once(notice),
    warn: once(warning),
    fail(failure) {
      const { title: cause, detail, hint } = describeFailure(failure);
      once(error)(hint === undefined ? cause : `${cause}. ${hint}`);
      for (const line of detail) stderr.write(`  ${printable(line)}\n`);
      return exitCodeOf(failure);
    },
  };
}
