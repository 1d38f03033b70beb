/** Tests ignore rules that an attempt changes: new ones hide untracked files, removed ones include files. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Changeset } from "../../../src/core/changeset.ts";
import { freshProject } from "../../rig/changeset-conformance.ts";
import { must, places, scratch } from "../../rig/changeset-places.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import { removeDirectory } from "../../rig/remove-directory.ts";

interface Row {
  readonly edit: string;
  readonly kept: readonly string[];
  readonly ignored?: readonly string[];
  readonly include?: readonly string[];
}

/** Edits of the project of the conformance tests, whose `.gitignore` is tracked and contains `*.o`, `node_modules`, `build/`. */
const rows: Readonly<Record<string, Row>> = {
  "a new rule hides new files": {
    edit: "echo pkg/ >> .gitignore; mkdir -p pkg/a; echo x > pkg/a/i; echo x > pkg/j; echo n > new.txt",
    kept: [".gitignore", "new.txt"],
    ignored: ["pkg/"],
  },
  "a new rule hides an existing untracked file": {
    edit: "echo b.txt >> .gitignore; echo more >> b.txt",
    kept: [".gitignore"],
    ignored: ["b.txt"],
  },
  "a new rule never hides a change to a tracked file": {
    edit: "printf 'a.txt\\ndir/\\n*\\n' >> .gitignore; echo more >> a.txt; rm dir/one; chmod +x dir/two; rm -r dir/deep",
    kept: [".gitignore", "a.txt", "dir/deep/x", "dir/one", "dir/two"],
  },
  "a removed rule includes new files": {
    edit: "sed -i /build/d .gitignore; mkdir build; echo o > build/o.js; echo x > x.o",
    kept: [".gitignore", "build/o.js"],
  },
  "a removed rule includes changes to files that were ignored": {
    edit: "sed -i /node_modules/d .gitignore; echo more >> node_modules/p/i.js; rm ignored.o",
    kept: [".gitignore", "node_modules/p/i.js"],
  },
  "a deleted rule file includes everything": { edit: "rm .gitignore; echo x > x.o", kept: [".gitignore", "x.o"] },
  "a negated rule includes one file": {
    edit: "echo '!keep.o' >> .gitignore; echo k > keep.o; echo x > x.o",
    kept: [".gitignore", "keep.o"],
  },
  "rules in a new directory hide it, and themselves": {
    edit: "mkdir .venv; echo '*' > .venv/.gitignore; echo x > .venv/x; echo n > new.txt",
    kept: ["new.txt"],
    ignored: [".venv/"],
  },
  "rules in a directory apply only below it": {
    edit: "echo new.txt > single/.gitignore; echo n > single/new.txt; echo n > new.txt",
    kept: ["new.txt", "single/.gitignore"],
    ignored: ["single/new.txt"],
  },
  "`changeset.include` wins over a new rule": {
    edit: "echo pkg/ >> .gitignore; mkdir pkg; echo x > pkg/x; echo y > pkg/y",
    include: ["pkg/x"],
    kept: [".gitignore", "pkg/x"],
    ignored: ["pkg/y"],
  },
  "rules in the attempt's own `.git` do not count": {
    edit: 'mkdir -p .git/info; echo new.txt >> .git/info/exclude; echo more.txt > .git/rules; git config core.excludesFile "$PWD/.git/rules"; echo >> .gitignore; echo n > new.txt; echo m > more.txt',
    kept: [".gitignore", "more.txt", "new.txt"],
  },
  "a symbolic link is not a rule file": {
    edit: "echo '*' > rules; ln -sf rules .gitignore; echo n > new.txt",
    kept: [".gitignore", "new.txt", "rules"],
  },
  "a pipe is not a rule file": { edit: "rm .gitignore; mkfifo .gitignore; echo n > new.txt", kept: [".gitignore", "new.txt"] },
  "a rule file over 4 MiB does not count": {
    edit: "{ echo new.txt; yes '# filler' | head -c 4194304; } > .gitignore; echo n > new.txt",
    kept: [".gitignore", "new.txt"],
  },
  "a rule file that its owner may not read counts": {
    edit: "echo new.txt >> .gitignore; chmod 0 .gitignore; echo n > new.txt",
    kept: [".gitignore"],
    ignored: ["new.txt"],
  },
};

const temporary = mkdtempSync(path.join(tmpdir(), "wave-rules-test-"));
beforeAll(() => void vi.stubEnv("TMPDIR", temporary));
afterAll(() => {
  vi.unstubAllEnvs();
  removeDirectory(temporary);
});

const paths = (changes: Changeset) => changes.map(({ path: file }) => file);

describe.each(places)("in a workspace of kind $name", (place) => {
  test.each(Object.entries(rows))("%s", async (_, { edit, kept, ignored = [], include = [] }) => {
    const attempt = await place.open({ root: freshProject() });
    attempt.edit(edit);
    const collected = must(await attempt.collect({ include }));
    expect([paths(collected.changes), collected.ignored]).toEqual([kept, ignored]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("wave-rules-"))).toEqual([]);
  });

  test("rules of earlier steps count, but hide no change to a file that those steps handed over", async () => {
    const [root, blobs] = [freshProject(), memoryBlobs()];
    const first = await place.open({ root, blobs });
    first.edit("echo pkg/ >> .gitignore; echo 1 > made.txt");
    const { changes: start } = must(await first.collect());
    const second = await place.open({ root, blobs, start });
    second.edit("echo 2 > made.txt; echo made.txt >> .gitignore; mkdir pkg; echo x > pkg/x; echo n > new.txt");
    const collected = must(await second.collect());
    expect([paths(collected.changes), collected.ignored]).toEqual([[".gitignore", "made.txt", "new.txt"], ["pkg/"]]);
    const third = await place.open({ root, blobs, start });
    third.edit("mkdir pkg; echo x > pkg/x; echo n > new.txt");
    const inherited = must(await third.collect());
    expect([paths(inherited.changes), inherited.ignored]).toEqual([["new.txt"], ["pkg/"]]);
  });

  test("rules above a project in a subdirectory of a repository count next to the attempt's", async () => {
    const outer = path.join(scratch(), "outer");
    mkdirSync(path.join(outer, "part"), { recursive: true });
    execFileSync("bash", ["-euc", "git init -q .; printf '*.log\\n/part/top\\n' > .gitignore; echo f > part/f"], { cwd: outer });
    const attempt = await place.open({ root: path.join(outer, "part") });
    attempt.edit("echo '*.tmp' > .gitignore; echo x > a.log; echo x > a.tmp; echo x > top; echo x > new.txt");
    const collected = must(await attempt.collect());
    expect([paths(collected.changes), collected.ignored]).toEqual([[".gitignore", "new.txt"], ["a.tmp"]]);
  });
});
