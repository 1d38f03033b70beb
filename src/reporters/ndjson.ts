/** Events for machines: each as one line of JSON, as it stands in the journal. */
import type { Reporter } from "../core/ports.ts";
import { jsonText } from "../text/json-text.ts";

/** Writes every event to `write`, which is stdout. What children print is not an event; `wave logs` has it. */
export function ndjsonReporter({ write }: { readonly write: (text: string) => void }): Reporter {
  return {
    name: "ndjson",
    onEvent: (event) => write(`${jsonText(event)}\n`),
    close: async () => {},
  };
}
