/**
 * Removes or escapes characters and sequences that control a terminal, reorder text or are invisible. Pure.
 * Sources: ECMA-48 for sequences, Unicode's Default_Ignorable_Code_Point and UAX #9 for the rest.
 */

/** CSI and two-character sequences, and OSC, DCS, SOS, PM and APC strings on one line, each in its 7-bit and 8-bit form. */
const escapeSequence = [
  String.raw`(?:\u001b\[|\u009b)[0-?]*[ -\/]*[@-~]`,
  // Requires a terminator, so that an unterminated string does not remove the text after it.
  String.raw`(?:\u001b[\]PX\^_]|[\u0090\u0098\u009d-\u009f])[^\u0000-\u0008\u000a-\u001f\u007f-\u009f]*(?:\u0007|\u001b\\|\u009c)`,
  String.raw`\u001b[ -\/]*[0-~]`,
].join("|");

/** Scripts whose spelling needs the zero-width joiner and non-joiner. */
const joiningScripts = [
  ...["Arabic", "Syriac", "Mongolian", "Devanagari", "Bengali", "Gurmukhi", "Gujarati"],
  ...["Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Khmer"],
]
  .map((script) => String.raw`\p{Script=${script}}`)
  .join("");

/** Hidden in any context. Tabs and line feeds are left to the caller. */
const always = [
  // C0, DEL and C1.
  String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f`,
  // Marks, embeddings, overrides and isolates of bidirectional text; separators that some programs treat as line breaks.
  String.raw`\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f`,
  // Characters without a glyph, and tag characters, which can spell invisible ASCII.
  String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}`,
].join("");

/** Joiners and variation selectors, hidden except in emoji and scripts that need them. */
const byContext = [
  String.raw`(?<![${joiningScripts}])\u200c`,
  String.raw`(?<![${joiningScripts}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d`,
  String.raw`(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]`,
  String.raw`(?<!\p{Script=Han})[\u{e0100}-\u{e01ef}]`,
].join("|");

const hidden = `[${always}]|${byContext}`;

/** An escape sequence, or one hidden character. Only a hidden character is a single code point. */
export const controlPattern = `${escapeSequence}|${hidden}`;

/** One hidden character. */
export const hiddenPattern = hidden;

const controls = new RegExp(controlPattern, "gu");
const sequences = new RegExp(escapeSequence, "gu");

/** A quick check: most text has no character that the patterns could match. */
const suspicious = new RegExp(String.raw`[${always}\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]`, "u");

/** Removes escape sequences and escapes hidden characters (`\x07`, `\u202e`). Keeps tabs and line feeds. */
export function withoutControls(text: string): string {
  return suspicious.test(text) ? text.replace(controls, shownControl) : text;
}

/** Removes escape sequences only, for callers that interpret control characters themselves. */
export function withoutSequences(text: string): string {
  return suspicious.test(text) ? text.replace(sequences, "") : text;
}

/** Replaces a match of `controlPattern`: a sequence by the empty string, a character by its code. */
export function shownControl(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  if (found.length > String.fromCodePoint(code).length) return "";
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
