/** Reads the added lines of a unified diff. */

/** A path as it stands in a patch: quoted like a C string where a line could not hold it otherwise. */
export function quotedPath(path) {
  if (!/["\\\p{Cc}]/u.test(path)) return path;
  const plain = (byte) => byte > 0x1f && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  const octal = (byte) => (plain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`);
  return `"${[...Buffer.from(path)].map(octal).join("")}"`;
}

/** The added lines, each with its file and line number in the new version. */
export function addedLines(patch) {
  const found = [];
  let file;
  let line = 0;
  let left = { removed: 0, added: 0 };
  for (const text of patch.split("\n")) {
    // Inside a hunk, a line's first character says what it is; only the counts say where the hunk ends.
    if (left.removed > 0 || left.added > 0) {
      if (text.startsWith("+")) {
        found.push({ file, line, text: text.slice(1) });
        line += 1;
        left.added -= 1;
      } else if (text.startsWith("-")) {
        left.removed -= 1;
      }
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (hunk !== null) {
      line = Number(hunk[2]);
      left = { removed: Number(hunk[1] ?? 1), added: Number(hunk[3] ?? 1) };
    } else if (text.startsWith("+++ ")) {
      file = pathIn(text.slice(4));
    }
  }
  return found;
}

/** `b/PATH`, which git quotes like a C string where it holds unusual characters. */
function pathIn(text) {
  const name = text.replace(/\t$/, "");
  return (name.startsWith('"') ? unquote(name) : name).replace(/^b\//, "");
}

function unquote(text) {
  const escapes = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };
  const bytes = text.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_, code) => {
    return code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code);
  });
  return Buffer.from(bytes, "latin1").toString("utf8");
}
