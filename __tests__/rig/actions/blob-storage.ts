/** Azurite, as the storage behind the results service: one process a test file, in memory, on a port of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { BlobSASPermissions, BlobServiceClient, generateBlobSASQueryParameters, StorageSharedKeyCredential } from "@azure/storage-blob";
import { repository } from "../project.ts";

/** The account that every Azurite has; its key is public. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const container = "results";

export interface BlobStorage {
  /** A URL that one blob can be read or written by. `type` and `name`: what the download says it is. */
  signedUrl(blob: string, access: "read" | "write", as?: { readonly type: string; readonly name: string }): string;
  read(blob: string): Promise<Buffer>;
  write(blob: string, bytes: Uint8Array): Promise<void>;
  remove(blob: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts Azurite and resolves once it answers. */
export async function startBlobStorage(): Promise<BlobStorage> {
  const port = await freePort();
  const main = path.join(repository, "node_modules/azurite/dist/src/blob/main.js");
  const flags = [
    "--inMemoryPersistence",
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
    "--blobHost",
    "127.0.0.1",
    "--blobPort",
  ];
  const child = spawn(process.execPath, [main, ...flags, String(port)], { stdio: "ignore" });
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const credential = new StorageSharedKeyCredential(account, key);
  const origin = `http://127.0.0.1:${port}/${account}`;
  const service = new BlobServiceClient(origin, credential, {
    // A connection that was idle while a job ran may have been closed by then.
    retryOptions: { maxTries: 3, retryDelayInMs: 20 },
  });
  await untilAnswering(port, child);
  const blobs = service.getContainerClient(container);
  await blobs.create();
  return {
    signedUrl(blob, access, as) {
      const query = generateBlobSASQueryParameters(
        {
          ...{ containerName: container, blobName: blob, permissions: BlobSASPermissions.parse(access === "read" ? "r" : "rcw") },
          expiresOn: new Date(Date.now() + 3_600_000),
          ...(as === undefined ? {} : { contentType: as.type, contentDisposition: `attachment; filename="${as.name}"` }),
        },
        credential,
      );
      return `${origin}/${container}/${encodeURIComponent(blob)}?${query}`;
    },
    read: (blob) => blobs.getBlockBlobClient(blob).downloadToBuffer(),
    write: async (blob, bytes) => void (await blobs.getBlockBlobClient(blob).uploadData(bytes)),
    remove: async (blob) => void (await blobs.getBlockBlobClient(blob).deleteIfExists()),
    async close() {
      process.removeListener("exit", stop);
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      stop();
      await gone;
    },
  };
}

async function untilAnswering(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Azurite ended with ${child.exitCode}`);
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
