/** The secrets that a process replaces in its output. */
import type { OutputSecrets } from "../core/io.ts";
import type { Redactor } from "../core/ports.ts";
import { createRedactor } from "../redaction/redactor.ts";

/** Every token that has a shape holds one of these. Most text does not, and costs no redactor, which takes milliseconds to make. */
const tokenLike = /[\w+/=.-]{16}|PRIVATE KEY|:\/\//;

/** No value is known at first. `text` is what outputs pass their text through. */
export function outputSecrets(): OutputSecrets & { readonly text: (text: string) => string } {
  const known = new Set<string>();
  let made: Redactor | undefined;
  const redactor = () => {
    made ??= createRedactor([...known]);
    return made;
  };
  return {
    redactor,
    add(values, own) {
      const before = known.size;
      for (const value of values) if (value !== "") known.add(value);
      if (known.size > before) made = undefined;
      if (own !== undefined && new Set(values).size === known.size) made ??= own;
    },
    text: (text) => (known.size > 0 || tokenLike.test(text) ? redactor().text(text) : text),
  };
}
