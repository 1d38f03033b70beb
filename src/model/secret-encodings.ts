/**
 * The ways in which a secret's value shows up in output: as it is, in base64 and base64url at each of the three offsets, in hex,
 * percent-encoded, and escaped for JSON (also twice), HTML and a shell. Pure; compression and encryption are out of its reach.
 */

/** Values below this many characters are not scrubbed: they occur in ordinary text, which would be destroyed. */
export const shortestSecret = 4;

/** Lines of a value with several lines are secrets of their own from this length on. */
const shortestLine = 8;

/** Encoded forms below this length would match by accident. */
const shortestForm = 4;

/** Every form of every value, each once, as bytes. */
export function secretForms(values: readonly string[]): Uint8Array[] {
  const forms = new Set<string>();
  for (const value of values.flatMap(withLines)) for (const form of formsOf(value)) if (form.length >= shortestForm) forms.add(form);
  return [...forms].map((form) => Buffer.from(form));
}

function withLines(value: string): string[] {
  if (value.length < shortestSecret) return [];
  // Files are often read with the newline at their end, which output then lacks.
  const trimmed = value.trim();
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  return [value, ...(trimmed.length >= shortestSecret ? [trimmed] : []), ...lines.filter((line) => line.length >= shortestLine)];
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString("hex");
  const percent = percentEncoded(bytes, /[A-Za-z0-9\-_.~]/);
  const component = percentEncoded(bytes, /[A-Za-z0-9\-_.~!'()*]/);
  const json = JSON.stringify(value).slice(1, -1);
  const ascii = json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [
    value,
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
    hex,
    hex.toUpperCase(),
    ...[percent, component].flatMap((text) => [
      text,
      text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      text.replaceAll("%20", "+"),
    ]),
    ...[json, ascii, json.replaceAll("/", "\\/")].flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]),
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    value.replaceAll("'", "'\\''"),
  ];
}

/** The characters that the value alone decides when it begins `offset` bytes into what is encoded, in both alphabets. */
function base64At(bytes: Buffer, offset: number): string[] {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString("base64")
    .replaceAll("=", "");
  const bits = (offset + bytes.length) * 8;
  const core = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6));
  return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
}

function percentEncoded(bytes: Buffer, plain: RegExp): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
