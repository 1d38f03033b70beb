/** Collects the secrets that a process replaces in its output. */
import type { OutputSecrets } from "../core/io.ts";
import type { Redactor } from "../core/ports.ts";
import { createRedactor } from "../redaction/redactor.ts";

/** Every token with a shape matches. Other text needs no redactor, whose creation takes milliseconds. */
const tokenLike = /[\w+/=.-]{16}|PRIVATE KEY|:\/\//;

/** Starts without values. `text` redacts the text of an output. */
export function outputSecrets(): OutputSecrets & { readonly text: (text: string) => string } {
  const known = new Set<string>();
  let current: Redactor | undefined;
  const redactor = () => {
    current ??= createRedactor([...known]);
    return current;
  };
  return {
    redactor,
    add(values, own) {
      const before = known.size;
      for (const value of values) if (value !== "") known.add(value);
      if (known.size > before) current = undefined;
      if (own !== undefined && new Set(values).size === known.size) current ??= own;
    },
    text: (text) => (known.size > 0 || tokenLike.test(text) ? redactor().text(text) : text),
  };
}
