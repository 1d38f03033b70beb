/** Checks which addresses a network rule with a wildcard does not cover. */
import { describe, expect, test } from "vitest";
import { ipv6Groups, isInnerAddress } from "../../../src/sandbox/inner-addresses.ts";

describe("inner addresses", () => {
  test.each([
    ["this machine", ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "::1", "::"]],
    ["private networks", ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fdff::1"]],
    ["carrier networks", ["100.64.0.1", "100.127.255.255", "100.100.100.200"]],
    ["link-local addresses", ["169.254.0.1", "169.254.169.254", "fe80::1", "febf::1"]],
    ["site-local addresses", ["fec0::1", "feff::1"]],
    ["multicast and reserved addresses", ["224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1", "ff0e::1"]],
    ["protocol assignments", ["192.0.0.1", "192.0.0.192", "192.88.99.1", "100::1", "5f00::1", "2001:2::1", "2001:10::1"]],
    ["benchmark and documentation networks", ["198.18.0.1", "198.19.255.255", "192.0.2.1", "203.0.113.9", "2001:db8::1", "3fff::1"]],
    ["metadata services of clouds", ["168.63.129.16", "fd00:ec2::254", "192.0.0.192", "169.254.170.2"]],
    ["mapped IPv4 addresses", ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe"]],
    ["compatible IPv4 addresses", ["::127.0.0.1", "::8.8.8.8"]],
    ["stateless translations", ["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "::ffff:0:a9fe:a9fe"]],
    ["6to4 with an inner address", ["2002:7f00:1::1", "2002:a00:1::", "2002:a9fe:a9fe::1", "2002:a83f:8110::1"]],
    ["Teredo", ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"]],
    ["NAT64 with an inner address", ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110"]],
    [
      "local NAT64 with an inner address, in each layout",
      [
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1:a00:0:100::",
        "64:ff9b:1:80a:0:1::",
        "64:ff9b:1:808:a:0:100:0",
        "64:ff9b:1:808:8:800:a00:1",
        "64:ff9b:2::8.8.8.8",
      ],
    ],
    ["ISATAP with an inner address", ["2600::5efe:10.0.0.1", "2600::200:5efe:a9fe:a9fe"]],
    ["what is no address, or names an interface", ["", "nonsense", "fe80::1%lo", "2606:4700::1111%1", "1.2.3"]],
  ])("include %s", (_name, addresses) => {
    expect(addresses.filter((address) => !isInnerAddress(address))).toEqual([]);
  });

  test.each([
    ["IPv4", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "168.63.129.15", "223.255.255.255"]],
    ["IPv6", ["2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "2001:200::1", "2620:fe::fe"]],
    ["translated IPv4", ["64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8", "2002:808:808::1", "2600::5efe:8.8.8.8"]],
  ])("exclude global %s addresses", (_name, addresses) => {
    expect(addresses.filter((address) => isInnerAddress(address))).toEqual([]);
  });

  test("include the addresses of this machine and its IPv6 networks, but not its public IPv4 neighbours", () => {
    const machine = [
      { address: "8.8.4.1", cidr: "8.8.4.1/24" },
      { address: "2600:1:2:3::5", cidr: "2600:1:2:3::5/64" },
      { address: "2600:9::5", cidr: null },
    ];
    const asked = ["8.8.4.1", "8.8.4.2", "2600:1:2:3::5", "2600:1:2:3:ffff::1", "2600:1:2:4::1", "2600:9::5", "2600:9::6"];
    expect(asked.map((address) => isInnerAddress(address, machine))).toEqual([true, false, true, true, false, true, false]);
  });
});

test("an IPv6 address is parsed in every spelling", () => {
  const expected = [0x2606, 0x4700, 0, 0, 0, 0, 0x0102, 0x0304];
  for (const spelling of ["2606:4700::102:304", "2606:4700:0:0:0:0:1.2.3.4", "2606:4700::0102:0304"])
    expect(ipv6Groups(spelling)).toEqual(expected);
  expect([ipv6Groups("::"), ipv6Groups("1::"), ipv6Groups("x")]).toEqual([Array(8).fill(0), [1, 0, 0, 0, 0, 0, 0, 0], undefined]);
});
