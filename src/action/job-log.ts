/** What a job says besides its run: annotations in the log, each text once, and the lines of a failure. */
import { error, notice, warning } from "@actions/core";
import type { Failure } from "../core/failure.ts";
import { describeFailure, exitCodeOf } from "../core/failures.ts";
import type { Io } from "../core/io.ts";
import { printable } from "../text/printable.ts";

export interface JobLog {
  /** Worth knowing, and nothing is wrong with the work. */
  notice(text: string): void;
  /** Something does not work as it should. */
  warn(text: string): void;
  /** Why the job fails. Gives its exit status. */
  fail(failure: Failure): number;
}

const title = { title: "Wave" };

/** Annotations go where the runner reads them, details to the log. A runner shows ten of a level; so each is said once. */
export function openJobLog({ stderr, secrets }: Pick<Io, "stderr" | "secrets">): JobLog {
  const said = new Set<string>();
  const once = (say: (text: string, properties: typeof title) => void) => (text: string) => {
    if (said.has(text)) return;
    said.add(text);
    say(printable(secrets.redactor().text(text)), title);
  };
  return {
    notice: once(notice),
    warn: once(warning),
    fail(failure) {
      const { title: what, detail, hint } = describeFailure(failure);
      once(error)(hint === undefined ? what : `${what}. ${hint}`);
      for (const line of detail) stderr.write(`  ${printable(line)}\n`);
      return exitCodeOf(failure);
    },
  };
}
