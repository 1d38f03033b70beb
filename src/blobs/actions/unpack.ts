/** Unpacks an artifact's archive, which is not trusted: writes only wanted regular files, up to a total size. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise } from "yauzl";
import { err, ok, type Result } from "../../core/result.ts";

export interface UnpackRequest {
  /** The zip file. */
  readonly file: string;
  /** An empty directory. */
  readonly into: string;
  /** Whether to unpack an entry. Names have forward slashes and never lead out of the archive. */
  readonly wanted: (name: string) => boolean;
  /** The total size of the unpacked files, in bytes; measured, not read from the archive. */
  readonly limit: number;
}

/** Archives with more entries are refused. */
const mostEntries = 200_000;

/** Returns the written files. Fails with a message: invalid archive, name that leads out of it, link, limit exceeded. */
export async function unpack({ file, into, wanted, limit }: UnpackRequest): Promise<Result<readonly string[], string>> {
  const written: string[] = [];
  let left = limit;
  try {
    const archive = await openPromise(file, { lazyEntries: true, autoClose: true, strictFileNames: true, validateEntrySizes: true });
    if (archive.entryCount > mostEntries) return err(`it contains ${archive.entryCount} entries`);
    for await (const entry of archive.eachEntry()) {
      const refused = refusalOf(entry);
      if (refused !== undefined) return err(refused);
      if (entry.fileName.endsWith("/") || !wanted(entry.fileName)) continue;
      const target = path.join(into, entry.fileName);
      await mkdir(path.dirname(target), { recursive: true });
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          left -= chunk.length;
          done(left < 0 ? new Error(`it contains more than ${limit} bytes`) : null, chunk);
        },
      });
      await pipeline(await archive.openReadStreamPromise(entry), meter, createWriteStream(target, { flags: "wx" }));
      written.push(target);
    }
    return ok(written);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** Archives made on Unix store the file type in the upper half of the attributes. */
function refusalOf(entry: Entry): string | undefined {
  const { fileName, externalFileAttributes } = entry;
  const kind = (externalFileAttributes >>> 16) & 0o170000;
  if (kind !== 0 && kind !== 0o100000 && kind !== 0o040000) return `its entry ${JSON.stringify(fileName)} is a link or a device`;
  return entry.isEncrypted() ? `its entry ${JSON.stringify(fileName)} is encrypted` : undefined;
}
