package child

import (
	"strconv"
	"strings"

	"github.com/wasport/wasport/policy"
)

const (
	// maxDomains is the kubelet's limit of search domains.
	maxDomains = 32
	// maxNdots is the resolver's (resolv.conf(5)).
	maxNdots = 15
)

// searchDomains reads the search domains and ndots of a pod's resolv.conf(5). Go's resolver reads
// the servers itself. Domains that are no names are left out.
func searchDomains(text string) (domains []string, ndots int) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "search", "domain": // the last line of these holds
			domains = nil
			for _, d := range fields[1:] {
				if _, err := policy.CanonicalName(d); err == nil && len(domains) < maxDomains {
					domains = append(domains, d)
				}
			}
		case "options":
			for _, o := range fields[1:] {
				if value, ok := strings.CutPrefix(o, "ndots:"); ok {
					n, err := strconv.Atoi(value)
					if err == nil && n >= 0 {
						ndots = min(n, maxNdots)
					}
				}
			}
		}
	}
	return domains, ndots
}
