/** A zip archive as nobody's tool would write it: names and kinds of entries as they are given, nothing compressed. APPNOTE.TXT 6.3.10. */
import { crc32 } from "node:zlib";

/** Name → content, or where a link leads. */
export function zipOf(entries: Readonly<Record<string, string | Uint8Array | { readonly link: string }>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const isLink = typeof content === "object" && "link" in content;
    const bytes = isLink ? Buffer.from(content.link) : Buffer.from(content as string);
    const mode = isLink ? 0o120777 : 0o100644;
    const file = Buffer.from(name);
    const sums = [crc32(bytes), bytes.length, bytes.length];
    const local = numbers(
      [0x04034b50, 4],
      [20, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [33, 2],
      ...sums.map((sum): Field => [sum, 4]),
      [file.length, 2],
      [0, 2],
    );
    parts.push(local, file, bytes);
    const made: Field[] = [
      [0x02014b50, 4],
      [(3 << 8) | 20, 2],
      [20, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [33, 2],
      ...sums.map((sum): Field => [sum, 4]),
    ];
    directory.push(numbers(...made, [file.length, 2], [0, 2], [0, 2], [0, 2], [0, 2], [(mode << 16) >>> 0, 4], [offset, 4]), file);
    offset += local.length + file.length + bytes.length;
  }
  const count = Object.keys(entries).length;
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([
    ...parts,
    ...directory,
    numbers([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [0, 2]),
  ]);
}

/** A number, and how many bytes it takes. */
type Field = readonly [number, 2 | 4];

function numbers(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([value, size]) => {
      const buffer = Buffer.alloc(size);
      buffer.writeUIntLE(value, 0, size);
      return buffer;
    }),
  );
}
