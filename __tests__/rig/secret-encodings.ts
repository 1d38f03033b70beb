/**
 * The ordinary encodings in which a secret can appear in output, written from their specifications and from what the named
 * programs print; nothing here is shared with the search. `docs/secrets.md` lists the same names.
 */

export interface SecretEncoding {
  readonly name: string;
  /** Encodes a text that contains the secret. */
  readonly encode: (text: string) => string | Buffer;
  /**
   * How many characters of the encoding at an edge of the secret can stay, white space and colours aside: those that the text around
   * it shares, and up to two before a line break.
   */
  readonly edge?: number;
  /** Whether the secret is itself changed at its line breaks, so that a secret of one line is needed. */
  readonly oneLine?: boolean;
}

const utf8 = (text: string) => Buffer.from(text);
const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString("base64");
const bigEndian = (text: string) => Buffer.from(text, "utf16le").swap16();
const wrap = (text: string, columns: number, end: string) => text.replace(new RegExp(`.{${columns}}`, "gu"), `$&${end}`);
const json = (text: string) => JSON.stringify({ text });
const unit = (code: number) => code.toString(16).padStart(4, "0");
const escapeUnits = (text: string, wanted: RegExp, upper = false) =>
  text.replace(wanted, (found) => `\\u${upper ? unit(found.charCodeAt(0)).toUpperCase() : unit(found.charCodeAt(0))}`);
const hexBytes = (text: string | Buffer) => [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, "0"));
const html = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#x27;");
const percentAll = (text: string) =>
  hexBytes(text)
    .map((byte) => `%${byte.toUpperCase()}`)
    .join("");
const names: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "/": "sol",
  "+": "plus",
  "@": "commat",
  "=": "equals",
  "!": "excl",
  "#": "num",
  $: "dollar",
  "%": "percnt",
  "(": "lpar",
  ")": "rpar",
  "*": "ast",
  ",": "comma",
  ".": "period",
  ":": "colon",
  ";": "semi",
  "?": "quest",
  "[": "lsqb",
  "\\": "bsol",
  "]": "rsqb",
  "^": "Hat",
  _: "lowbar",
  "`": "grave",
  "{": "lcub",
  "|": "verbar",
  "}": "rcub",
  "\n": "NewLine",
  ü: "uuml",
  é: "eacute",
};
const cEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
const pythonRepr = (text: string) => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quote + text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll(quote, `\\${quote}`) + quote;
};
const latin1Escapes = (text: string) => text.replace(/[\u0080-\u00ff]/g, (found) => `\\x${found.charCodeAt(0).toString(16)}`);
const bytesRepr = (text: string) =>
  `b${pythonRepr(text).replace(/[^\0-\u007f]/gu, (found) =>
    hexBytes(found)
      .map((byte) => `\\x${byte}`)
      .join(""),
  )}`;
/** RFC 2045, section 6.7. */
const quotedPrintable = (text: string) => {
  const encoded = [...utf8(text)].map((byte) => {
    if (byte === 10) return "\r\n";
    return (byte >= 33 && byte <= 126 && byte !== 61) || byte === 32
      ? String.fromCharCode(byte)
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  let line = "";
  let lines = "";
  for (const symbol of encoded) {
    if (symbol !== "\r\n" && line.length + symbol.length > 75) {
      lines += `${line}=\r\n`;
      line = "";
    }
    if (symbol === "\r\n") {
      lines += `${line}\r\n`;
      line = "";
    } else line += symbol;
  }
  return lines + line;
};
const printfQ = (text: string) => (/[\n\u0080-\uffff]/.test(text) ? dollarQuoted(text) : text.replace(/[^A-Za-z0-9_.,/:=@%+-]/g, "\\$&"));
const dollarQuoted = (text: string) =>
  `$'${text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replace(/[^\0-\u007f]/gu, (found) =>
      hexBytes(found)
        .map((byte) => `\\${Number.parseInt(byte, 16).toString(8)}`)
        .join(""),
    )}'`;
const folded = (text: string, columns: number, indent: string, mark = "") => {
  let length = 0;
  return text.replace(/ |[^ ]+/g, (word) => {
    length += word.length;
    if (word !== " " || length < columns) return word;
    length = 0;
    return mark === "" ? `\n${indent}` : ` ${mark}\n${indent}`;
  });
};
const everyCharacter = (text: string, code: (character: string) => string) => [...text].map(code).join("");

export const secretEncodings: readonly SecretEncoding[] = [
  { name: "unchanged", encode: (text) => text },
  { name: "base64", encode: base64, edge: 1 },
  { name: "base64 without padding", encode: (text) => base64(text).replaceAll("=", ""), edge: 1 },
  { name: "base64url", encode: (text) => utf8(text).toString("base64url"), edge: 1 },
  { name: "base64url with padding", encode: (text) => base64(text).replaceAll("+", "-").replaceAll("/", "_"), edge: 1 },
  { name: "base64 in lines of 76", encode: (text) => wrap(base64(text), 76, "\n"), edge: 3 },
  { name: "base64 in lines of 64", encode: (text) => wrap(base64(text), 64, "\n"), edge: 3 },
  { name: "base64 in lines of 76 with CRLF", encode: (text) => wrap(base64(text), 76, "\r\n"), edge: 3 },
  { name: "base64 in lines of 64 with CRLF", encode: (text) => wrap(base64(text), 64, "\r\n"), edge: 3 },
  { name: "base64 in indented lines", encode: (text) => wrap(base64(text), 64, "\n      "), edge: 3 },
  { name: "base64 in lines, in JSON", encode: (text) => json(wrap(base64(text), 60, "\n")), edge: 1 },
  { name: "base64 in a URL", encode: (text) => encodeURIComponent(base64(text)), edge: 1 },
  { name: "base64 in JSON with escaped slashes", encode: (text) => base64(text).replaceAll("/", "\\/"), edge: 1 },
  { name: "base64 of JSON", encode: (text) => base64(json(text)), edge: 1, oneLine: true },
  { name: "base64 twice", encode: (text) => base64(base64(text)), edge: 3 },
  { name: "base64 twice, in lines", encode: (text) => wrap(base64(base64(text)), 76, "\n"), edge: 6 },
  { name: "UTF-16, little endian", encode: (text) => Buffer.from(text, "utf16le") },
  { name: "UTF-16, big endian", encode: bigEndian, edge: 1 },
  { name: "base64 of UTF-16, little endian", encode: (text) => base64(Buffer.from(text, "utf16le")), edge: 2 },
  { name: "base64 of UTF-16, big endian", encode: (text) => base64(bigEndian(text)), edge: 2 },
  { name: "Latin-1", encode: (text) => Buffer.from(text, "latin1") },
  { name: "hex", encode: (text) => utf8(text).toString("hex") },
  { name: "hex in capitals", encode: (text) => utf8(text).toString("hex").toUpperCase() },
  { name: "hex with blanks", encode: (text) => hexBytes(text).join(" ") },
  { name: "hex with colons", encode: (text) => hexBytes(text).join(":") },
  { name: "hex with dashes", encode: (text) => hexBytes(text).join("-") },
  { name: "hex as `xxd -p` prints it", encode: (text) => wrap(utf8(text).toString("hex"), 60, "\n"), edge: 3 },
  {
    name: "hex as `od -An -tx1` prints it",
    encode: (text) => ` ${wrap(hexBytes(text).join(" "), 48, "\n ").replaceAll(" \n", "\n")}`,
    edge: 3,
  },
  {
    name: "hex as a C array",
    encode: (text) =>
      hexBytes(text)
        .map((byte) => `0x${byte}`)
        .join(", "),
  },
  { name: "a list of numbers", encode: (text) => `[${[...utf8(text)].join(",")}]` },
  { name: "a list of numbers with blanks", encode: (text) => `[${[...utf8(text)].join(", ")}]` },
  { name: "a list of numbers on lines", encode: (text) => JSON.stringify([...utf8(text)], undefined, 2) },
  {
    name: "`\\xNN` for every byte",
    encode: (text) =>
      hexBytes(text)
        .map((byte) => `\\x${byte}`)
        .join(""),
  },
  { name: "`\\NNN` for every byte", encode: (text) => [...utf8(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("") },
  { name: "`\\uNNNN` for every character", encode: (text) => escapeUnits(text, /[\s\S]/g) },
  {
    name: "`\\u{N}` for every character",
    encode: (text) => everyCharacter(text, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`),
  },
  { name: "a C string", encode: (text) => text.replace(/[\n\t"\\]/g, (found) => cEscapes[found] ?? found) },
  { name: "JSON", encode: json },
  { name: "JSON of Go", encode: (text) => escapeUnits(json(text), /[<>&\u2028\u2029]/g) },
  { name: "JSON of Python", encode: (text) => escapeUnits(json(text), /[\u0080-\uffff]/g) },
  { name: "JSON of Jackson", encode: (text) => escapeUnits(json(text), /[\u0080-\uffff]/g, true) },
  { name: "JSON of .NET", encode: (text) => escapeUnits(json(text).replaceAll('\\"', "\\u0022"), /[<>&'+`\u0080-\uffff]/g, true) },
  { name: "JSON with escaped slashes", encode: (text) => json(text).replaceAll("/", "\\/") },
  { name: "JSON in JSON", encode: (text) => json(json(text)) },
  { name: "JSON in JSON in JSON", encode: (text) => json(json(json(text))) },
  { name: "JSON of Go, three times", encode: (text) => [1, 2, 3].reduce((inner) => escapeUnits(json(inner), /[<>&]/g), text) },
  { name: "HTML", encode: html },
  { name: "HTML twice", encode: (text) => html(html(text)) },
  { name: "HTML in JSON of Go", encode: (text) => escapeUnits(json(html(text)), /[<>&]/g) },
  { name: "HTML with decimal numbers", encode: (text) => everyCharacter(text, (character) => `&#${character.codePointAt(0)};`) },
  {
    name: "HTML with hex numbers",
    encode: (text) => everyCharacter(text, (character) => `&#x${character.codePointAt(0)?.toString(16).toUpperCase()};`),
  },
  {
    name: "HTML with names",
    encode: (text) => everyCharacter(text, (character) => (names[character] === undefined ? character : `&${names[character]};`)),
  },
  { name: "`printf %q`", encode: printfQ },
  { name: "single quotes of a shell", encode: (text) => `'${text.replaceAll("'", "'\\''")}'` },
  { name: "single quotes of a shell, with double ones", encode: (text) => `'${text.replaceAll("'", "'\"'\"'")}'` },
  { name: "double quotes of a shell", encode: (text) => `"${text.replace(/[$`"\\]/g, "\\$&")}"` },
  { name: "`$'…'` of a shell", encode: dollarQuoted },
  { name: "`repr` of Python", encode: pythonRepr },
  { name: "`ascii` of Python", encode: (text) => latin1Escapes(pythonRepr(text)) },
  { name: "`repr` of bytes in Python", encode: bytesRepr },
  { name: "percent-encoding", encode: (text) => encodeURIComponent(text) },
  { name: "percent-encoding in small letters", encode: (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()) },
  { name: "percent-encoding of every byte", encode: percentAll },
  { name: "percent-encoding twice", encode: (text) => encodeURIComponent(encodeURIComponent(text)) },
  { name: "percent-encoding of every byte, three times", encode: (text) => percentAll(text).replaceAll("%", "%2525") },
  { name: "a form", encode: (text) => new URLSearchParams({ text }).toString() },
  { name: "the user of a URL", encode: (text) => `https${"://"}x:${encodeURIComponent(text)}@example.com/` },
  { name: "quoted-printable", encode: quotedPrintable, edge: 1 },
  { name: "YAML, folded", encode: (text) => folded(text, 30, "    ") },
  { name: "YAML, double quotes on lines", encode: (text) => folded(text.replace(/[\\"]/g, "\\$&"), 30, "    ", "\\"), oneLine: true },
  {
    name: "YAML, a word on two lines",
    encode: (text) => wrap(text, 17, "\0").replace(/[\\"]/g, "\\$&").replaceAll("\0", "\\\n    "),
    edge: 1,
    oneLine: true,
  },
  { name: "YAML, single quotes", encode: (text) => `'${text.replaceAll("'", "''")}'` },
  { name: "CSV", encode: (text) => `"${text.replaceAll('"', '""')}"` },
  { name: "colours around parts", encode: (text) => text.replace(/.{5}/gu, "\u001b[01;31m\u001b[K$&\u001b[m\u001b[K") },
  { name: "a colour for every character", encode: (text) => everyCharacter(text, (character) => `\u001b[38;5;203m${character}\u001b[0m`) },
  { name: "colours in JSON", encode: (text) => JSON.stringify(text.replace(/.{5}/gu, "\u001b[1m$&\u001b[0m")) },
  { name: "lines of 80 columns", encode: (text) => wrap(text, 80, "\n"), edge: 2 },
  { name: "lines of 40 columns with CRLF", encode: (text) => wrap(text, 40, "\r\n"), edge: 2 },
  { name: "indented lines", encode: (text) => text.replaceAll("\n", "\n    ") },
  { name: "CRLF", encode: (text) => text.replaceAll("\n", "\r\n") },
];
