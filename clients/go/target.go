package recordings

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// isLocal tells whether what is sent there stays on this machine: a loopback address, or a Unix socket.
func isLocal(target string) bool {
	scheme, rest, _ := strings.Cut(target, ":")
	switch scheme {
	case "unix", "unix-abstract":
		return true
	case "dns", "passthrough":
		// dns:host, dns:///host, dns://authority/host
		target = rest[strings.LastIndex(rest, "/")+1:]
	}
	address, err := url.PathUnescape(target)
	if err != nil {
		return false
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		// Without a port.
		host = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
