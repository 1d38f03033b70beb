/** Prints events as NDJSON, with the members that they have in the journal. */
import type { Reporter } from "../core/ports.ts";
import { jsonText } from "../text/json-text.ts";

/** Writes each event as one line. The output of steps is not an event; `wave logs` prints it. */
export function ndjsonReporter({ write }: { readonly write: (text: string) => void }): Reporter {
  return {
    name: "ndjson",
    onEvent: (event) => write(`${jsonText(event)}\n`),
    close: async () => {},
  };
}
