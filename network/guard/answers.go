package guard

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/wasport/wasport/network"
)

const (
	// maxAnswers and maxAnswerAddrs bound the memory of answerCache to about 150 KiB.
	maxAnswers     = 128
	maxAnswerAddrs = 32
	// maxAnswerLife bounds the time in which an answer with a long TTL cannot be corrected.
	maxAnswerLife = time.Hour
)

// answerCache keeps answers of the resolver as they came, for as long as the resolver said. Each
// use of one is judged anew, counts as a lookup, and pins its addresses as the first one did, so a
// policy that is replaced holds for it at once. Failures are not kept, nor answers of which the
// policy removes a part: to explain that to an operator takes more memory than a guest is charged.
type answerCache struct {
	now func() time.Time

	mu      sync.Mutex
	answers map[answerKey]cachedAnswer
}

type answerKey struct {
	name   string // canonical
	family network.Family
}

type cachedAnswer struct {
	addrs []netip.Addr
	// asked is the time before the resolver was asked.
	asked time.Time
	life  time.Duration
}

// holdsAt reports whether the life of an answer has not ended. It asks both clocks: the monotonic
// one stands still while the machine sleeps, and the other one may be set.
func (a *cachedAnswer) holdsAt(now time.Time) bool {
	wall := now.Round(0).Sub(a.asked.Round(0))
	return now.Sub(a.asked) < a.life && 0 <= wall && wall < a.life
}

// find returns a copy of the answer that is kept for a name.
func (c *answerCache) find(k answerKey) ([]netip.Addr, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[k]
	if !ok {
		return nil, false
	}
	if !a.holdsAt(c.now()) {
		delete(c.answers, k)
		return nil, false
	}
	return slices.Clone(a.addrs), true
}

// add keeps a copy of an answer, in place of an older one if there is no room.
func (c *answerCache) add(k answerKey, addrs []netip.Addr, asked time.Time, life time.Duration) {
	if life <= 0 || len(addrs) > maxAnswerAddrs {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil {
		c.answers = make(map[answerKey]cachedAnswer)
	}
	if _, known := c.answers[k]; !known && len(c.answers) >= maxAnswers {
		c.removeOldest()
	}
	c.answers[k] = cachedAnswer{slices.Clone(addrs), asked, min(life, maxAnswerLife)}
}

func (c *answerCache) remove(k answerKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, k)
}

func (c *answerCache) removeOldest() {
	var oldest answerKey
	var asked time.Time
	for k, a := range c.answers {
		if asked.IsZero() || a.asked.Before(asked) {
			oldest, asked = k, a.asked
		}
	}
	delete(c.answers, oldest)
}
