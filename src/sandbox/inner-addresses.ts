/**
 * Decides whether an IP address is an inner one: this machine, its private networks, or a cloud's credential service. A
 * network rule with a wildcard does not cover inner addresses. Pure.
 *
 * Sources: IANA's special-purpose address registries for IPv4 and IPv6 (blocks that are not globally reachable), and the
 * metadata services of cloud providers that use addresses outside these blocks.
 */
import { BlockList, isIPv4 } from "node:net";

const innerIpv4 = blockList([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // Azure's metadata and DNS service has a public address.
  "168.63.129.16/32",
]);

/** A network of one of this machine's interfaces. */
export interface InterfaceNetwork {
  readonly address: string;
  /** `address/prefix`, null if the prefix is unknown. As returned by `os.networkInterfaces()`. */
  readonly cidr: string | null;
}

/**
 * Whether an address is an inner one. `machine`: the networks of this machine. Its own addresses are inner, and so are its
 * IPv6 networks, because private IPv6 networks have global addresses. An address that cannot be parsed is inner.
 */
export function isInnerAddress(address: string, machine: readonly InterfaceNetwork[] = []): boolean {
  if (machine.some((network) => isInNetwork(address, network))) return true;
  if (isIPv4(address)) return isInnerIpv4(address);
  const groups = ipv6Groups(address);
  return groups === undefined || isInnerIpv6(groups);
}

/** The eight 16-bit groups of an IPv6 address. Undefined if it is not one, or names an interface (`fe80::1%eth0`). */
export function ipv6Groups(address: string): readonly number[] | undefined {
  const url = `http://[${address}]/`;
  if (!URL.canParse(url)) return undefined;
  // The canonical form (RFC 5952) has no dotted part.
  const [head = "", tail] = new URL(url).hostname.slice(1, -1).split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [parse(head), parse(tail ?? "")];
  return tail === undefined ? first : [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function isInnerIpv4(address: string): boolean {
  return innerIpv4.check(address, "ipv4");
}

/** Everything except global unicast addresses (2000::/3, RFC 4291) is inner, apart from translations of public IPv4 addresses. */
function isInnerIpv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x64 && second === 0xff9b) return isInnerTranslation(groups);
  if (first >> 13 !== 1) return true;
  // Teredo and other protocol assignments, 2001::/23.
  if (first === 0x2001 && second < 0x200) return true;
  // Documentation, 2001:db8::/32 and 3fff::/20.
  if ((first === 0x2001 && second === 0xdb8) || (first === 0x3fff && second < 0x1000)) return true;
  // 6to4 (RFC 3056).
  if (first === 0x2002) return isInnerIpv4(ipv4Of(second, third));
  // ISATAP (RFC 5214) in any network.
  if ((groups[4] === 0 || groups[4] === 0x200) && groups[5] === 0x5efe) return isInnerIpv4(ipv4Of(groups[6] ?? 0, groups[7] ?? 0));
  return false;
}

/** 64:ff9b::/96 (RFC 6052) and the local-use 64:ff9b:1::/48 (RFC 8215), in which a network chooses one of several layouts. */
function isInnerTranslation(groups: readonly number[]): boolean {
  const [, , third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0, eighth = 0] = groups;
  const low = ipv4Of(seventh, eighth);
  const isPlain = fourth === 0 && fifth === 0 && sixth === 0;
  if (third === 0 && isPlain) return isInnerIpv4(low);
  if (third !== 1) return true;
  if (isPlain) return isInnerIpv4(low);
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  // Positions of the four bytes for prefixes of 48, 56, 64 and 96 bits; byte 8 is not used (RFC 6052, section 2.2).
  const layouts = [
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
    [12, 13, 14, 15],
  ];
  return layouts.some((layout) => isInnerIpv4(layout.map((at) => bytes[at]).join(".")));
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function isInNetwork(address: string, { address: own, cidr }: InterfaceNetwork): boolean {
  if (isIPv4(address) || isIPv4(own)) return address === own;
  const [target, groups] = [ipv6Groups(address), ipv6Groups(own)];
  if (target === undefined || groups === undefined) return false;
  const prefix = Number(cidr?.split("/")[1] ?? 128);
  return bitsOf(target).slice(0, prefix) === bitsOf(groups).slice(0, prefix);
}

function bitsOf(groups: readonly number[]): string {
  return groups.map((group) => group.toString(2).padStart(16, "0")).join("");
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), "ipv4");
  }
  return list;
}
