/** Where a target leads. */
import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const WITH_SCHEME = /^(?:(dns|ipv4|ipv6):)?(?:\/\/([^/]*)\/)?(.+)$/;
const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d+)?$/;

/** Whether what is sent there stays on this machine: a loopback address, or a Unix socket. */
export function isLocal(target: string): boolean {
  if (target.startsWith("unix:")) {
    return true;
  }
  const [, scheme, authority, path] = WITH_SCHEME.exec(target) ?? [];
  // `ipv4:` and `ipv6:` take several addresses.
  const places = scheme?.startsWith("ip") === true ? path?.split(",") : [path];
  return places?.every((place) => isLoopback(place ?? "", Boolean(authority))) ?? false;
}

function isLoopback(place: string, isAskedOfOneServer: boolean): boolean {
  const [, bracketed, plain] = HOST_AND_PORT.exec(place) ?? [];
  // An address of IPv6 may go without brackets where there is no port.
  const host = bracketed ?? plain ?? place;
  switch (isIP(host)) {
    case 4:
      return LOOPBACK.check(host, "ipv4");
    case 6:
      return LOOPBACK.check(host, "ipv6");
    default:
      // A name server that the target names may lead `localhost` anywhere.
      return host === "localhost" && !isAskedOfOneServer;
  }
}
