/** Tests which calls the seccomp filter permits, with a small interpreter of its instructions. */
import { describe, expect, test } from "vitest";
import { type FilterKind, filterArgs, socketFilter } from "../../../src/sandbox/socket-filter.ts";

/** `allow`, or the error number. `argument` is the first argument of the call. */
function verdict(architecture: string, audit: number, number: number, argument = 0, kind?: FilterKind): "allow" | number {
  const program = Buffer.from(socketFilter(architecture, kind) ?? []);
  const data: Readonly<Record<number, number>> = { 0: number, 4: audit, 16: argument };
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [code, ifTrue, ifFalse] = [program.readUInt16LE(at * 8), program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    if (code === 0x20) accumulator = data[value] ?? 0;
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x05) at += value;
    else if (code === 0x06) return value === 0x7fff_0000 ? "allow" : value & 0xffff;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the program has no end");
}

const [unix, ipv4, ipv6, netlink, vsock, bluetooth] = [1, 2, 10, 16, 40, 31];

describe.each([
  ["x64", 0xc000_003e, 41, 0, [248, 249, 250]],
  ["x64", 0x4000_0003, 359, 0, [286, 287, 288]],
  // The x32 convention.
  ["x64", 0xc000_003e, 0x4000_0000 | 41, 0, [0x4000_0000 | 250]],
  ["arm64", 0xc000_00b7, 198, 0, [217, 218, 219]],
  ["arm64", 0x4000_0028, 281, 0, [309, 310, 311]],
  ["riscv64", 0xc000_00f3, 198, 0, [217, 218, 219]],
] as const)("on %s, convention %d with socket %d", (architecture, audit, socket, read, keys) => {
  test("permits only sockets of confined families", () => {
    for (const family of [unix, ipv4, ipv6, netlink]) expect(verdict(architecture, audit, socket, family)).toBe("allow");
    for (const family of [vsock, bluetooth, 0, 255]) expect(verdict(architecture, audit, socket, family)).toBe(97);
  });

  test("refuses keys, io_uring and descriptors of other processes, but not ordinary calls", () => {
    expect(keys.map((key) => verdict(architecture, audit, key))).toEqual(keys.map(() => 1));
    expect([verdict(architecture, audit, 425), verdict(architecture, audit, 438)]).toEqual([38, 1]);
    expect([verdict(architecture, audit, read), verdict(architecture, audit, 60)]).toEqual(["allow", "allow"]);
  });
});

test.each([
  ["x64", 0xc000_003e, 41, [248, 249, 250, 0x4000_0000 | 250]],
  ["x64", 0x4000_0003, 359, [286, 287, 288]],
  ["arm64", 0xc000_00b7, 198, [217, 218, 219]],
  ["arm64", 0x4000_0028, 281, [309, 310, 311]],
  ["riscv64", 0xc000_00f3, 198, [217, 218, 219]],
] as const)("on %s, convention %d, the filter of keys refuses the calls for keys alone", (architecture, audit, socket, keys) => {
  expect(keys.map((key) => verdict(architecture, audit, key, 0, "keys"))).toEqual(keys.map(() => 1));
  for (const call of [socket, 425, 438, 0]) expect(verdict(architecture, audit, call, vsock, "keys")).toBe("allow");
});

test("the older socket call creates no sockets but permits its other functions", () => {
  expect([verdict("x64", 0x4000_0003, 102, 1), verdict("x64", 0x4000_0003, 102, 3)]).toEqual([1, "allow"]);
});

test("refuses every call of an unknown convention", () => {
  expect(verdict("x64", 0x1234, 0)).toBe(38);
});

test("an unknown architecture has no filter", () => {
  expect([socketFilter("mips"), filterArgs("mips", "/usr/bin/perl", "sockets")]).toEqual([undefined, undefined]);
});
