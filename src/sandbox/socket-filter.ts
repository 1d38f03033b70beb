/**
 * A seccomp filter for what namespaces do not confine. seccomp(2), linux/bpf_common.h. Pure: returns bytes.
 *
 * - An `AF_VSOCK` socket reaches the host of a virtual machine from every network namespace, so only sockets of confined
 *   families can be created.
 * - The peer of a child's output is Wave. `SO_PEERPIDFD` returns a handle for it from which `pidfd_getfd` takes
 *   descriptors, if both have the same user and no user namespace is between them.
 * - All processes of a user in one user namespace share the user's keys. In another namespace the user can still read them
 *   by number, and a step of root can be any user.
 * - io_uring is refused, because no filter sees its operations.
 */

/** Unix, IPv4, IPv6, netlink, packet (which takes a capability), and the kernel's cryptography. */
const families = [1, 2, 10, 16, 17, 38];

/** A calling convention of the kernel (linux/audit.h) and its system call numbers. */
interface CallConvention {
  readonly audit: number;
  readonly socket: number;
  readonly socketcall?: number;
  /** `add_key`, `request_key` and `keyctl`. */
  readonly keys: readonly number[];
  /** Mask for the significant bits of the number. */
  readonly mask?: number;
}

const x32Bit = 0x4000_0000;
const conventions: Readonly<Record<string, readonly CallConvention[]>> = {
  x64: [
    { audit: 0xc000_003e, socket: 41, keys: [248, 249, 250], mask: ~x32Bit >>> 0 },
    { audit: 0x4000_0003, socket: 359, socketcall: 102, keys: [286, 287, 288] },
  ],
  arm64: [
    { audit: 0xc000_00b7, socket: 198, keys: [217, 218, 219] },
    { audit: 0x4000_0028, socket: 281, keys: [309, 310, 311] },
  ],
  riscv64: [{ audit: 0xc000_00f3, socket: 198, keys: [217, 218, 219] }],
};

/** The same numbers on every architecture. */
const [ioUringSetup, pidfdGetfd] = [425, 438];
const [enosys, eperm, eafnosupport] = [38, 1, 97];

/** Offsets in `struct seccomp_data` on little-endian machines: number, architecture, low half of the first argument. */
const data = { number: 0, architecture: 4, argument: 16 };

const load = (offset: number) => instruction(0x20, 0, 0, offset);
const and = (mask: number) => instruction(0x54, 0, 0, mask);
/** Skips the next instruction unless the value is equal. */
const ifEqual = (value: number) => instruction(0x15, 0, 1, value);
const jump = (count: number) => instruction(0x05, 0, 0, count);
const allow = instruction(0x06, 0, 0, 0x7fff_0000);
const refuse = (error: number) => instruction(0x06, 0, 0, 0x0005_0000 | error);

/** `keys` refuses only the calls for kernel keys, as container engines do. */
export type FilterKind = "sockets" | "keys";

/** The filter for an architecture in Node's naming; undefined if its numbers are unknown. */
export function socketFilter(architecture: string, kind: FilterKind = "sockets"): Uint8Array | undefined {
  const known = conventions[architecture];
  if (known === undefined) return undefined;
  const blocks = known.map((convention) => {
    const block = kind === "keys" ? keyBlockOf(convention) : blockOf(convention);
    return [ifEqual(convention.audit), jump(1), jump(block.length), ...block];
  });
  // Refuses calls of an unknown convention with ENOSYS.
  return Buffer.concat([load(data.architecture), ...blocks.flat(), refuse(enosys)]);
}

function keyBlockOf({ keys, mask }: CallConvention): readonly Buffer[] {
  return [...loadNumber(mask), ...keys.flatMap((key) => [ifEqual(key), refuse(eperm)]), allow];
}

function loadNumber(mask: number | undefined): readonly Buffer[] {
  return [load(data.number), ...(mask === undefined ? [] : [and(mask)])];
}

function blockOf({ socket, socketcall, keys, mask }: CallConvention): readonly Buffer[] {
  const isFamily = families.flatMap((family) => [ifEqual(family), allow]);
  return [
    ...loadNumber(mask),
    ...[ifEqual(ioUringSetup), refuse(enosys), ifEqual(pidfdGetfd), refuse(eperm)],
    ...keys.flatMap((key) => [ifEqual(key), refuse(eperm)]),
    // `socketcall` passes the family in memory, which a filter cannot read. C libraries fall back from one call to the
    // other.
    ...(socketcall === undefined ? [] : [ifEqual(socketcall), jump(1), jump(4), load(data.argument), ifEqual(1), refuse(eperm), allow]),
    ...[ifEqual(socket), jump(1), allow],
    load(data.argument),
    ...isFamily,
    refuse(eafnosupport),
  ];
}

/** `struct sock_filter`, little-endian. */
function instruction(code: number, ifTrue: number, ifFalse: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}

/** The number of prctl(2), by `process.arch`. */
const prctl: Readonly<Record<string, number>> = { x64: 157, arm64: 167, riscv64: 167 };

/**
 * The argv prefix that installs the filter for a command; `no_new_privs` must already be set. Perl makes the system call,
 * because no standard program does. Undefined if the filter or the number is unknown.
 */
export function filterArgs(architecture: string, perl: string, kind: FilterKind): readonly string[] | undefined {
  const [filter, number] = [socketFilter(architecture, kind), prctl[architecture]];
  if (filter === undefined || number === undefined) return undefined;
  const program = [
    `my $f = pack("H*", "${Buffer.from(filter).toString("hex")}")`,
    `my $p = pack("S x![P] P", length($f) / 8, $f)`,
    // PR_SET_SECCOMP, SECCOMP_MODE_FILTER. A kernel built without filters returns EINVAL (22).
    `syscall(${number}, 22, 2, $p, 0, 0) == 0 or $! == 22 or exit 125`,
    "exec { $ARGV[0] } @ARGV",
    "exit 127",
  ];
  return [perl, "-e", program.join("; ")];
}
