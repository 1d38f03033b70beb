/** Secrets, and a project that puts them wherever a step, a repository or a command line can. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type Project, project } from "./project.ts";

/** The value of `TOKEN`, which the manifest declares, and an undeclared token. */
export const declared = "decl4red-v4lue-of-a-test";
export const undeclared = `ghp_${"a1B2c3D4e5F6g7H8i9".repeat(2)}`;

/** What a step does with a secret. `SECRET` is the file that holds it. Whether the step passes is its own affair. */
export const deeds: Readonly<Record<string, string>> = {
  "prints it": 'cat "$SECRET"; cat "$SECRET" >&2',
  "prints it in pieces": 's=$(cat "$SECRET"); printf %s "${s%?????}"; sleep 0.01; printf "%s\\n" "${s#"${s%?????}"}"',
  "names a file of the project by it": 'echo x > "made-$(cat "$SECRET").txt"',
  "names a directory of the project by it": 'mkdir "made-$(cat "$SECRET")"; echo x > "made-$(cat "$SECRET")/x"',
  "names a link by it, and leads the link to it": 'ln -s "to-$(cat "$SECRET")" link',
  "writes it into a file of the project": 'cat "$SECRET" > made.txt',
  "writes it into an artifact": 'cat "$SECRET" > "$WAVE_OUTPUT_DIR/report.txt"',
  "names an artifact's file by it": 'echo x > "$WAVE_OUTPUT_DIR/report.$(cat "$SECRET")"',
  "names a file beside the artifacts by it": 'echo x > "$WAVE_OUTPUT_DIR/$(cat "$SECRET").txt"; echo x > "$WAVE_OUTPUT_DIR/report.txt"',
  "names a file of an artifact's directory by it": 'mkdir "$WAVE_OUTPUT_DIR/report"; echo x > "$WAVE_OUTPUT_DIR/report/$(cat "$SECRET")"',
  "fails with it": 'cat "$SECRET" >&2; exit 3',
  "reports a violation that holds it":
    'echo x > "$WAVE_OUTPUT_DIR/report.txt"; cp "$SECRET" "$WAVE_OUTPUT_DIR/../said" 2>/dev/null; touch violates',
  "prints the names of its variables": "env | cut -d= -f1",
  "commits it to a branch of its name":
    'git checkout -q -b "b-$(cat "$SECRET")"; git -c user.name="$(cat "$SECRET")" -c user.email=a@b.c commit -q --allow-empty -m "$(cat "$SECRET")"',
};

const slug = (text: string) => text.replaceAll(/[^a-z]+/g, "-");

/** A pipeline in which each step does one of the deeds with one of the secrets. */
export function leakingProject(secret: "declared" | "undeclared"): Project {
  const steps = Object.entries(deeds).map(([name, command]) => {
    const file = `deeds/${slug(name)}.sh`;
    return { id: slug(name), file, command };
  });
  const manifest = {
    pipeline: {
      name: "leaks",
      steps: steps.map(({ id, file }) => ({
        ...{
          id,
          persona: "doer",
          task: "Do {{ input }}",
          artifacts: [{ name: "report", optional: true }],
          optional: true,
          env: { DEED: file },
        },
        handover: { contract: { type: "test_suite", name: "suite", command: ["sh", "suite.sh"], on_failure: "warn" } },
      })),
    },
    personas: { doer: { command: ["sh", "do.sh"], ...(secret === "declared" ? { secrets: ["TOKEN"] } : {}) } },
  };
  const value = secret === "declared" ? '"$TOKEN"' : `ghp_${"$(printf %s a1B2c3D4e5F6g7H8i9)".repeat(2)}`;
  const wave = project({
    "wave.yaml": JSON.stringify(manifest),
    "do.sh": `SECRET=$TMPDIR/secret; printf %s ${value} > "$SECRET"; . "./$DEED"\n`,
    // A contract sees no secret: it makes the undeclared one by itself, and the declared one from its halves.
    "suite.sh": `if [ -e violates ]; then s=${secret === "declared" ? '"$(cat half-1)$(cat half-2)"' : value}; echo "src/$s.js:1:1: error: $s"; exit 1; fi\n`,
    "half-1": declared.slice(0, 12),
    "half-2": declared.slice(12),
    ...Object.fromEntries(steps.map(({ file, command }) => [file, `${command}\n`])),
    ".gitignore": ".wave/state/\nrecording/\n",
  });
  const git = (...words: readonly string[]) => execFileSync("git", ["-C", wave.root, ...words], { stdio: "pipe" });
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=Mona", "-c", "user.email=mona@example.com", "commit", "-q", "-m", "Begin");
  return wave;
}

/** Whether bytes hold a secret: as it is, as UTF-16, or in base64. */
export function holds(bytes: Uint8Array | string, secret: string): boolean {
  const text = Buffer.from(bytes);
  return [Buffer.from(secret), Buffer.from(secret, "utf16le"), Buffer.from(Buffer.from(secret).toString("base64").slice(0, 24))].some(
    (form) => text.includes(form),
  );
}

/** Files of a directory, or the file, whose bytes or path hold a secret. */
export function filesWith(root: string, name: string, secret: string): readonly string[] {
  const place = path.join(root, name);
  const names = statSync(place).isDirectory()
    ? readdirSync(place, { recursive: true, encoding: "utf8" }).map((below) => `${name}/${below}`)
    : [name];
  return names.flatMap((below) => {
    if (below.includes(secret)) return [`the name of ${below.replaceAll(secret, "SECRET")}`];
    const file = path.join(root, below);
    return statSync(file).isFile() && holds(readFileSync(file), secret) ? [below] : [];
  });
}
