package recordings

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
)

// mostDoublings is after how many any first wait is past any longest one.
const mostDoublings = 30

// setbacks counts the attempts since the last message, and says when a broken stream is opened again, and after how
// long (c and e of clients/README.md).
type setbacks struct {
	options *options
	// unlimited: there is a deadline, until which it goes on.
	unlimited bool
	// begun: a message has come. From then on CANCELLED (the service's sweep of streams that nobody reads) and INTERNAL
	// (a RST_STREAM of something in between) are mere breaks.
	begun bool
	count int
}

// messageCame: there is progress, and the count begins anew.
func (s *setbacks) messageCame() {
	s.begun = true
	s.count = 0
}

// after gives how long to wait before the next attempt: full jitter, and at least what the service asks for. It gives
// the error itself if another attempt would not help, or there were enough.
func (s *setbacks) after(failed error) (time.Duration, error) {
	base := baseOf(failed)
	if base == nil || !s.mayHelp(base) || (!s.unlimited && s.count >= s.options.resumeAttempts) {
		return 0, failed
	}
	longest := s.options.resumeMaxBackoff
	if initial, doublings := s.options.resumeInitialBackoff, min(s.count, mostDoublings); initial <= longest>>doublings {
		longest = initial << doublings
	}
	s.count++
	return max(rand.N(max(longest, 1)), base.RetryDelay), nil
}

func (s *setbacks) mayHelp(base *RecordingsError) bool {
	switch base.Code {
	case codes.Unavailable:
		return true
	case codes.Canceled, codes.Internal:
		return s.begun
	case codes.ResourceExhausted:
		return base.retryInfo
	default:
		return false
	}
}

// pause waits. The error is that of the context, if it is done first.
func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ownDoing(ctx)
	}
}
