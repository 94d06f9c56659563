import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

const UNKNOWN = '0.0.0.0';
const IPV6_NETWORK_BYTES = 8;
const MAX_REMEMBERED = 10_000;

/** An address or a network as `10.0.0.0/8`. Never all addresses, for then anybody could claim to be anybody. */
export const isNetwork = (text: string): boolean => parseNetwork(text) !== null;

/**
 * Who is at the other end: the peer of the socket, or, behind trusted proxies, the last X-Forwarded-For entry that is
 * not one of them. What stands before that entry may be anybody's invention and is not read.
 */
export function createAddressReader(trustedProxies: readonly string[]) {
  const networks = trustedProxies.map(parseNetwork).filter((network) => network !== null);
  const hopOf = remembered((text) => {
    const address = parseAddress(text);
    if (!address) return null;
    return { address: address.toString(), isTrusted: networks.some((network) => isWithin(address, network)) };
  });

  return (peer: string | undefined, forwardedFor: string | undefined): string => {
    let client = peer === undefined ? null : hopOf(peer);
    if (!client) return UNKNOWN;
    if (!client.isTrusted || !forwardedFor) return client.address;
    const hops = forwardedFor.split(',');
    while (hops.length > 0 && client.isTrusted) {
      const hop = hopOf(hops.pop()!.trim());
      if (!hop) break;
      client = hop;
    }
    return client.address;
  };
}

/** What is limited as one: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from. */
export const networkOf = remembered((address) => {
  if (!address.includes(':')) return address;
  const bytes = ipaddr.parse(address).toByteArray();
  return `${ipaddr.fromByteArray(bytes.fill(0, IPV6_NETWORK_BYTES)).toString()}/64`;
});

/** IPv4 that is written as IPv6 becomes IPv4. */
function parseAddress(text: string): Address | null {
  if (!text.includes(':')) return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : null;
  if (!ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseNetwork(text: string): Network | null {
  const single = parseAddress(text);
  if (single) return [single, single.toByteArray().length * 8];
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text)) return null;
  const [address, bits] = ipaddr.parseCIDR(text);
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
  return bits === 0 || isMapped ? null : [address, bits];
}

const isWithin = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

// Reading an address takes some 5 µs, which is too much for every request.
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= MAX_REMEMBERED) known.clear();
    const found = read(text);
    known.set(text, found);
    return found;
  };
}
