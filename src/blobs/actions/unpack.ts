/** Takes the files out of an artifact's archive. The archive is not trusted: only plain files with names that are wanted are written, up to a size. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise } from "yauzl";
import { err, ok, type Result } from "../../core/result.ts";

export interface UnpackRequest {
  /** The archive: a zip file. */
  readonly file: string;
  /** An empty directory. */
  readonly into: string;
  /** Which entries are taken; names have forward slashes, and never lead out of the archive. */
  readonly wanted: (name: string) => boolean;
  /** Of all entries that are taken, in bytes, whatever the archive says they are. */
  readonly limit: number;
}

/** Entries of one archive that are looked at. */
const mostEntries = 200_000;

/** Gives the files that were written. Fails with a sentence: no archive, a name that leads out of it, a link, more than the limit. */
export async function unpack({ file, into, wanted, limit }: UnpackRequest): Promise<Result<readonly string[], string>> {
  const written: string[] = [];
  let left = limit;
  try {
    const archive = await openPromise(file, { lazyEntries: true, autoClose: true, strictFileNames: true, validateEntrySizes: true });
    if (archive.entryCount > mostEntries) return err(`it holds ${archive.entryCount} entries`);
    for await (const entry of archive.eachEntry()) {
      const refused = refusalOf(entry);
      if (refused !== undefined) return err(refused);
      if (entry.fileName.endsWith("/") || !wanted(entry.fileName)) continue;
      const target = path.join(into, entry.fileName);
      await mkdir(path.dirname(target), { recursive: true });
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          left -= chunk.length;
          done(left < 0 ? new Error(`it holds more than ${limit} bytes`) : null, chunk);
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

/** Links and devices have their kind in the upper half of the attributes, where the archive was made on Unix. */
function refusalOf(entry: Entry): string | undefined {
  const { fileName, externalFileAttributes } = entry;
  const kind = (externalFileAttributes >>> 16) & 0o170000;
  if (kind !== 0 && kind !== 0o100000 && kind !== 0o040000) return `${JSON.stringify(fileName)} in it is a link or a device`;
  return entry.isEncrypted() ? `${JSON.stringify(fileName)} in it is encrypted` : undefined;
}
