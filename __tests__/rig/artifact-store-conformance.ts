/** What every artifact store keeps to: one suite for all of them. */
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type Digest, digestOfBytes } from "../../src/core/digest.ts";
import type { BlobStore } from "../../src/core/ports.ts";

/** A store with nothing in it, and how a test damages one of its blobs. */
export interface StoreSubject {
  readonly store: BlobStore;
  readonly damage: (digest: Digest) => Promise<void>;
  readonly remove: (digest: Digest) => Promise<void>;
}

/** Declares the suite; `open` is called anew for each test. */
export function artifactStoreConformance(name: string, open: () => Promise<StoreSubject>): void {
  describe(`${name} is an artifact store`, () => {
    test.each([
      ["nothing", new Uint8Array()],
      ["text", Buffer.from("{}\n")],
      ["every byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
      ["3 MB", randomBytes(3_000_000)],
    ])("gives back %s", async (_, bytes) => {
      const { store } = await open();
      const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      expect(await store.put(bytes)).toEqual({ ok: true, value: { digest, size: bytes.length } });
      const got = await store.get(digest);
      expect(got.ok && Buffer.from(got.value).equals(bytes)).toBe(true);
      const path = await store.pathOf(digest);
      expect(path.ok && (await readFile(path.value)).equals(bytes)).toBe(true);
    });

    test("the same bytes may be put again, also at once", async () => {
      const { store } = await open();
      const put = await Promise.all(Array.from({ length: 20 }, () => store.put(Buffer.from("same"))));
      expect(put).toEqual(put.map(() => ({ ok: true, value: { digest: digestOfBytes("same"), size: 4 } })));
    });

    test("unknown and lost blobs are damage", async () => {
      const { store, remove } = await open();
      const missing = { ok: false, error: { reason: "state-damaged" } };
      expect(await store.get(digestOfBytes("never put"))).toMatchObject(missing);
      await store.put(Buffer.from("kept"));
      await remove(digestOfBytes("kept"));
      expect(await store.get(digestOfBytes("kept"))).toMatchObject(missing);
      expect(await store.pathOf(digestOfBytes("kept"))).toMatchObject(missing);
    });

    test("a damaged blob is never given out, and is repaired by the bytes", async () => {
      const { store, damage } = await open();
      const digest = digestOfBytes("kept");
      await store.put(Buffer.from("kept"));
      await damage(digest);
      expect(await store.get(digest)).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
      expect(await store.pathOf(digest)).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
      expect((await store.put(Buffer.from("kept"))).ok).toBe(true);
      expect(await store.get(digest)).toEqual({ ok: true, value: Buffer.from("kept") });
    });
  });
}
