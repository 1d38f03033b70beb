/**
 * Parses the text of a git configuration file (git-config(1), "CONFIGURATION FILE"). It follows no includes and runs no programs, so the
 * text may be untrusted. Pure.
 */

export interface GitSetting {
  /** Section and name in lower case, with the subsection unchanged: `remote.Origin.url`. */
  readonly key: string;
  /** Undefined for a name without `=`, which means true. */
  readonly value: string | undefined;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b", '"': '"', "\\": "\\" };

/** The settings of a file in order. Undefined if git would refuse the text as malformed. */
export function parseGitConfig(text: string): readonly GitSetting[] | undefined {
  const settings: GitSetting[] = [];
  const rest = { text: text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"), at: 0 };
  let section: string | undefined;
  for (;;) {
    take(rest, /\s*/y);
    if (rest.at >= rest.text.length) return settings;
    if (take(rest, /[#;][^\n]*/y) !== undefined) continue;
    if (rest.text[rest.at] === "[") {
      section = sectionAt(rest);
      if (section === undefined) return undefined;
      continue;
    }
    const name = take(rest, /[A-Za-z][A-Za-z0-9-]*/y);
    if (name === undefined || section === undefined) return undefined;
    const key = `${section}.${name.toLowerCase()}`;
    take(rest, /[ \t]*/y);
    if (take(rest, /=/y) === undefined) {
      if (!/^(?:$|[\n#;])/.test(rest.text.slice(rest.at, rest.at + 1))) return undefined;
      settings.push({ key, value: undefined });
      continue;
    }
    const value = valueAt(rest);
    if (value === undefined) return undefined;
    settings.push({ key, value });
  }
}

interface Rest {
  readonly text: string;
  at: number;
}

function take(rest: Rest, pattern: RegExp): string | undefined {
  pattern.lastIndex = rest.at;
  const found = pattern.exec(rest.text)?.[0];
  if (found !== undefined) rest.at += found.length;
  return found;
}

/** Parses `[core]`, `[remote "origin"]` and the older `[remote.origin]`, whose subsection is in lower case. */
function sectionAt(rest: Rest): string | undefined {
  const head = take(rest, /\[[A-Za-z0-9.-]+(?:[ \t]+"(?:[^"\\\n\0]|\\[^\n])*")?\]/y);
  if (head === undefined) return undefined;
  const quote = head.indexOf('"');
  const section = (quote === -1 ? head.slice(1, -1) : head.slice(1, quote).trim()).toLowerCase();
  return quote === -1 ? section : `${section}.${head.slice(quote + 1, -2).replace(/\\(.)/g, "$1")}`;
}

/** Parses a value to the end of its line. Removes blanks at its ends, except in quotes. */
function valueAt(rest: Rest): string | undefined {
  let value = "";
  // Pending blanks: part of the value only if text follows.
  let blanks = "";
  let quoted = false;
  take(rest, /[ \t]*/y);
  for (; rest.at < rest.text.length; rest.at++) {
    const character = rest.text[rest.at] as string;
    if (character === "\n") {
      rest.at++;
      return quoted ? undefined : value;
    }
    if (!quoted && /[ \t\r]/.test(character)) {
      blanks += character;
      continue;
    }
    if (!quoted && /[#;]/.test(character)) {
      take(rest, /[^\n]*/y);
      return value;
    }
    if (character === '"') {
      value += blanks;
      blanks = "";
      quoted = !quoted;
      continue;
    }
    if (character === "\\") {
      const next = rest.text[++rest.at];
      if (next === "\n") continue;
      const decoded = next === undefined ? undefined : escapes[next];
      if (decoded === undefined) return undefined;
      value += blanks + decoded;
    } else value += blanks + character;
    blanks = "";
  }
  return quoted ? undefined : value;
}

/** Parses a boolean as git does. Undefined for any other text. */
export function gitBoolean(value: string | undefined): boolean | undefined {
  if (value === undefined || /^(?:true|yes|on)$/i.test(value)) return true;
  if (/^(?:|false|no|off)$/i.test(value)) return false;
  return /^[+-]?\d+$/.test(value) ? Number(value) !== 0 : undefined;
}
