package recordings

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// What the clients of all languages share; `make proto` copies it here from clients/defaults.json.
//
//go:embed defaults.json
var defaultsFile []byte

var defaults = readDefaults(defaultsFile)

// seconds is how defaults.json writes durations.
type seconds float64

func (s seconds) duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

type defaultValues struct {
	ServiceConfig                  json.RawMessage
	TimeoutSeconds                 seconds
	WatchTimeoutSeconds            seconds
	KeepaliveTimeSeconds           seconds
	KeepaliveTimeoutSeconds        seconds
	MaxReceiveMessageBytes         int
	InitialReconnectBackoffSeconds seconds
	MaxReconnectBackoffSeconds     seconds
	StallTimeoutSeconds            seconds
	ResumeAttempts                 int
	ResumeInitialBackoffSeconds    seconds
	ResumeMaxBackoffSeconds        seconds
	SeekAheadBytes                 int64
}

func readDefaults(file []byte) defaultValues {
	var values defaultValues
	if err := json.Unmarshal(file, &values); err != nil {
		// Compiled in: no program that has passed a test gets here.
		panic(fmt.Sprintf("recordings: defaults.json: %v", err))
	}
	return values
}
