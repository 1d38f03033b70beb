/** What every kind of workspace must make of the same edits: the same changeset, byte for byte, and one that leads there and back. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { applyChangeset } from "../../src/changeset/apply-changes.ts";
import { encodeChangeset, reverse } from "../../src/changeset/combine-changes.ts";
import { isState, must, type Place, scratch } from "./changeset-places.ts";
import { changesBetween, leafTree, withoutPermissions } from "./leaf-tree.ts";
import { memoryBlobs } from "./memory-blobs.ts";

/** Whoever is not root copies no closed file by plain means. */
const closed = process.getuid?.() === 0 ? "000" : "400";

/** A project with one of everything. */
const project = `
printf 'a\\n' > a.txt; printf 'b\\n' > b.txt; printf '#!/bin/sh\\n' > run.sh; chmod 755 run.sh
mkdir -p dir/deep single empty nest/in/side .wave/state; echo 1 > dir/one; echo 2 > dir/two; echo x > dir/deep/x; echo o > single/only
echo n > nest/in/side/f; echo s > .wave/state/s; echo w > .wave/w; ln -s a.txt link; ln -s nowhere dangling; ln -s dir dirlink
echo sp > 'sp ace'; echo nl > $'new\\nline'; echo d > -dash; echo q > "quo\\"te'"; echo r > $'raw\\xff\\xfe'; mkdir $'dir\\xe9'; echo in > $'dir\\xe9/in'
printf '\\0\\1\\2\\377' > binary; echo l > locked; chmod ${closed} locked; echo h > hard1; ln hard1 hard2; mkfifo pipe; echo 'ü' > ümlaut
printf '*.o\\nnode_modules\\nbuild/\\n' > .gitignore; echo t > tracked.o; echo i > ignored.o; mkdir -p node_modules/p; echo p > node_modules/p/i.js
git init -q .; git add -f .gitignore tracked.o a.txt dir; touch -d '2001-01-01' a.txt b.txt dir/one
`;

/** Edits that are seen whole: nothing ignored is touched. */
const edits: Readonly<Record<string, string>> = {
  nothing: "true",
  "a file added": "echo new > new.txt; mkdir -p new/dir; echo f > new/dir/f",
  "a file changed": "echo more >> a.txt",
  "a file changed, of the same size and time": "printf 'A\\n' > a.txt; touch -d '2001-01-01' a.txt",
  "a file touched, rewritten and replaced by an equal one": "touch a.txt; cat b.txt > t; cat t > b.txt; rm t; cp dir/one o; mv o dir/one",
  "a file deleted": "rm b.txt dir/one",
  "an executable bit set and taken": "chmod +x a.txt; chmod -x run.sh",
  "bits that do not count": "chmod 4755 run.sh; chmod g+w a.txt; chmod 600 b.txt; chmod 700 dir; touch -d 2002-02-02 dir",
  "setuid on a new file": "echo s > setuid; chmod 6755 setuid",
  "symlinks added": "ln -s b.txt new1; ln -s missing new2; ln -s dir new3; ln -s / new4; ln -s .. dir/up",
  "symlinks changed and deleted": "ln -sfn b.txt link; rm dangling; ln -sfn single dirlink",
  "a symlink replaced by an equal one": "rm link; ln -s a.txt link",
  "a file became a symlink": "ln -sf a.txt b.txt",
  "a symlink became a file": "rm link; echo f > link; rm dirlink; mkdir dirlink; echo f > dirlink/f",
  "a file became a directory": "rm a.txt; mkdir a.txt; echo f > a.txt/f; rm b.txt; mkdir b.txt",
  "a directory became a file": "rm -r dir; echo f > dir; rmdir empty; echo f > empty",
  "a directory became a symlink": "rm -r dir; ln -s single dir",
  "a file renamed": "mv a.txt c.txt; mv dir/one dir/eins; mv run.sh dir/run.sh",
  "files exchanged": "mv a.txt t; mv b.txt a.txt; mv t b.txt",
  "a directory renamed": "mv dir other; mv nest/in nest/out",
  "a directory replaced by another": "rm -r single; mv dir single",
  "a directory deleted and made again with other content": "rm -rf dir; mkdir dir; echo z > dir/three; mkdir dir/deep; echo y > dir/deep/y",
  "a directory deleted and made again with the same content": "cp -a dir t; rm -rf dir; mkdir dir; cp -a t/. dir; rm -r t",
  "a directory deleted and made again empty": "rm -rf dir; mkdir dir",
  "the only file deleted, with its directory and without": "rm -r single; rm dir/deep/x",
  "a tree of one file deleted": "rm -r nest",
  "the inside of a tree deleted": "rm -r nest/in",
  "empty directories added, filled and removed": "mkdir -p e1 e2/e3; rmdir empty; mkdir dir/e4",
  "an empty directory filled": "echo f > empty/f",
  "an empty directory deleted and made again": "rmdir empty; mkdir empty",
  "binary content": "printf '\\0\\377\\0' > binary; head -c 3000000 /dev/zero | tr '\\0' x > large",
  "odd names changed":
    "echo 1 > 'sp ace'; echo 2 > $'new\\nline'; echo 3 > ./-dash; echo 4 > \"quo\\\"te'\"; echo 5 > $'raw\\xff\\xfe'; rm ümlaut",
  "odd names added":
    "echo 1 > ' '; echo 2 > $'\\n'; echo 3 > ./--help; echo 4 > '*'; echo 5 > $'\\x80'; mkdir $'\\xff'; echo 6 > $'\\xff/\\xfe'; echo 7 > '\\'",
  "odd names deleted": "rm 'sp ace' $'new\\nline' ./-dash $'raw\\xff\\xfe'; rm -r $'dir\\xe9'",
  "a file of bytes that are no text in a directory of such a name":
    "echo more >> $'dir\\xe9/in'; rm -r $'dir\\xe9'; mkdir $'dir\\xe9'; echo n > $'dir\\xe9/\\xe8'",
  "a closed file changed, and one closed": "chmod 644 locked; echo c > locked; chmod 000 locked; chmod 000 a.txt",
  "closed directories": "mkdir closed; echo f > closed/f; chmod 000 closed; chmod 000 dir",
  "one of two links changed": "echo more >> hard1; ln a.txt linked; ln b.txt dir/linked",
  "pipes and sockets beside files": "mkdir p; mkfifo p/pipe; echo f > p/f; rm pipe; mkfifo dir/pipe",
  "a file became a pipe": "rm b.txt; mkfifo b.txt; rm single/only; mkfifo single/only",
  "a repository's inside":
    "echo x > .git/x; rm .git/HEAD; mkdir -p dir/.git/y; echo f > dir/.git/config; mkdir inner; git init -q inner; echo f > inner/f",
  state: "mkdir -p .wave/state/x; echo y > .wave/state/x/y; echo changed > .wave/w",
  "everything deleted":
    "find . -mindepth 1 -maxdepth 1 ! -name .git ! -name .wave ! -name node_modules ! -name .gitignore ! -name '*.o' -exec rm -r {} +",
};

/** A fresh project. */
export function freshProject(): string {
  const root = path.join(scratch(), "project");
  mkdirSync(root);
  execFileSync("bash", ["-euc", project], { cwd: root });
  return root;
}

/** The suite for the places that a machine has. */
export function changesetConformance(places: readonly Place[]): void {
  const root = freshProject();
  const before = leafTree(root, isState);
  describe.each(Object.entries(edits))("%s", (_, script) => {
    const encoded = new Set<string>();
    test.each(places)("$name", async (place) => {
      const blobs = memoryBlobs();
      const attempt = await place.open({ root, blobs });
      attempt.edit(script);
      const { changes } = must(await attempt.collect());
      const after = leafTree(attempt.dump(), isState);
      expect(withoutPermissions(changes)).toEqual(changesBetween(before, after));
      encoded.add(Buffer.from(encodeChangeset(changes)).toString());
      expect(encoded.size).toBe(1);
      await thereAndBack();

      async function thereAndBack() {
        const copy = path.join(scratch(), "copy");
        execFileSync("cp", ["-a", root, copy]);
        const applied = must(await applyChangeset({ root: copy, changes, blobs }));
        expect(applied).toMatchObject({ kind: "applied", already: 0 });
        expect(leafTree(copy, isState)).toEqual(after);
        expect(must(await applyChangeset({ root: copy, changes, blobs }))).toMatchObject({ kind: "applied", already: changes.length });
        expect(must(await applyChangeset({ root: copy, changes: reverse(changes), blobs }))).toMatchObject({ kind: "applied", already: 0 });
        expect(leafTree(copy, isState)).toEqual(before);
      }
    });
  });
}
