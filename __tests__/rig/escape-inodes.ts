/**
 * A program that runs inside a sandbox and tries to change inodes below every mount it finds in `/proc/self/mountinfo`. It prints a JSON
 * object: how many mounts and inodes it tried, and `OPERATION PATH` of each change that the kernel accepted outside of the places that the
 * attempt owns. Each change sets what is set already, so that a machine with a faulty sandbox is not damaged.
 */

/** CommonJS for `node -e SOURCE [OWN...]`. `OWN` are the mount points that belong to the attempt. */
export const inodeProbe = `
const fs = require("node:fs"), path = require("node:path"), { spawnSync } = require("node:child_process");
const own = new Set(process.argv.slice(1));
const unescape = (text) => text.replace(/\\\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").trim().split("\\n").map((line) => {
  const fields = line.split(" ");
  return { place: unescape(fields[4]), type: fields[fields.indexOf("-") + 1] };
});
const points = new Set(mounts.map(({ place }) => place));
const changed = [], inodes = [];
const list = (place) => { try { return fs.readdirSync(place).map((name) => path.join(place, name)); } catch { return []; } };
const stat = (place) => { try { return fs.lstatSync(place); } catch { return undefined; } };

/** The mount point, what is directly in it, and a few names of each directory in there. */
function below({ place, type }) {
  const first = list(place).slice(0, type === "proc" ? Infinity : 60);
  const deeper = first.filter((file) => !points.has(file) && stat(file)?.isDirectory() && !isTask(file)).flatMap((file) => list(file).slice(0, 4));
  const net = type === "proc" && place === "/proc" ? ["self", "1", "thread-self"].flatMap((task) => list("/proc/" + task + "/net")) : [];
  return [place, ...[...first, ...deeper].filter((file) => !points.has(file) && !isTask(file)), ...net];
}
/** Entries of one process: the kernel makes them for this mount of /proc alone. */
function isTask(file) { return /^\\/proc\\/(?:\\d+|self|thread-self)(?:\\/|$)/.test(file); }

function attempt(name, place, act) {
  try { act(); changed.push(name + " " + place); } catch {}
}
for (const mount of mounts) {
  if (own.has(mount.place)) continue;
  for (const place of below(mount)) {
    const found = stat(place);
    if (found === undefined) continue;
    inodes.push(place);
    attempt("lchown", place, () => fs.lchownSync(place, found.uid, found.gid));
    attempt("lutimes", place, () => fs.lutimesSync(place, found.atime, found.mtime));
    attempt("rename", place, () => { fs.renameSync(place, place + ".wave"); fs.renameSync(place + ".wave", place); });
    attempt("link", place, () => { fs.linkSync(place, place + ".wave"); fs.unlinkSync(place + ".wave"); });
    attempt("link to /tmp", place, () => { fs.linkSync(place, "/tmp/linked"); fs.unlinkSync("/tmp/linked"); });
    if (found.isSymbolicLink()) continue;
    attempt("chmod", place, () => fs.chmodSync(place, found.mode & 0o7777));
    if (found.isFile()) {
      attempt("truncate", place, () => fs.truncateSync(place, found.size));
      attempt("open for writing", place, () => fs.closeSync(fs.openSync(place, fs.constants.O_WRONLY)));
    }
    if (found.isDirectory()) {
      attempt("create", place, () => { fs.closeSync(fs.openSync(path.join(place, ".wave"), "wx")); fs.unlinkSync(path.join(place, ".wave")); });
      attempt("mkdir", place, () => { fs.mkdirSync(path.join(place, ".wave")); fs.rmdirSync(path.join(place, ".wave")); });
    }
  }
}
// Extended attributes and file flags need system calls that Node does not have: Perl makes them, where it is.
const numbers = { x64: [188, 197], arm64: [5, 14] }[process.arch];
const perl = ["/usr/bin/perl", "/bin/perl"].find((place) => fs.existsSync(place));
if (numbers !== undefined && perl !== undefined) {
  const source = [
    "my ($set, $remove) = splice(@ARGV, 0, 2); while (my $file = <STDIN>) { chomp $file;",
    'my ($name, $value) = ("user.wave", "x");',
    "if (syscall($set + 0, $file, $name, $value, 1, 0) == 0) { print qq(setxattr $file\\\\n); syscall($remove + 0, $file, $name); }",
    "next unless -f $file or -d $file; next unless sysopen(my $handle, $file, 2048); my $flags = pack('l!', 0);",
    "next unless ioctl($handle, 0x80086601, $flags); print qq(FS_IOC_SETFLAGS $file\\\\n) if ioctl($handle, 0x40086602, $flags); }",
  ].join(" ");
  const ran = spawnSync(perl, ["-e", source, ...numbers], { input: inodes.filter((file) => stat(file)?.isSymbolicLink() === false).join("\\n") + "\\n", encoding: "utf8" });
  changed.push(...ran.stdout.split("\\n").filter((line) => line !== ""));
}
console.log(JSON.stringify({ mounts: mounts.length, inodes: inodes.length, attributes: perl !== undefined && numbers !== undefined, changed }));
`;

/** What the program prints. */
export interface ProbedInodes {
  readonly mounts: number;
  readonly inodes: number;
  /** Whether extended attributes and file flags were tried. */
  readonly attributes: boolean;
  /** `OPERATION PATH`. */
  readonly changed: readonly string[];
}
